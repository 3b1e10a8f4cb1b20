"""How a soundtrack of a clip is judged, how clips are pooled, and the tables of both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from real_brains import Made, Rendering
from scipy.stats import spearmanr

from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.comparison.block_stats import STATISTICS, GroundTruth, sum_blocks
from frame2sound.evaluation.controls import shuffle_seconds
from frame2sound.evaluation.levels import Levels
from frame2sound.evaluation.onset_counts import OnsetCounts
from frame2sound.evaluation.onsets import match_onsets
from frame2sound.library.store import PickledFilm
from frame2sound.sound.onset_detection import detect_onsets, onset_levels_db

Sound = NDArray[np.float32]
Times = NDArray[np.float64]

LEAD_SECONDS, LEAST_SECONDS = 1.0, 2.0
"""The sound before what is judged, and the shortest that is judged."""

PHASES, PEAK_DISTANCE_SECONDS, LEAST_MATCHES = 20, 0.1, 5

RENDERED, OTHER_CLIP = "rendered", "motion of another clip"
SHUFFLED, REGULAR, PEAKS = "shuffled seconds", "regular, mean rate", "peaks of motion, untrained"


@dataclass(frozen=True, eq=False)
class Stretch:
    """A clip, and from which of its samples on a soundtrack of it is judged.

    Attributes
    ----------
    name, group : str
    own : float32 array (samples,)
        The clip's own sound, from its first frame to its end.
    rate : int
        In Hz.
    begin : int
        First sample that is judged, at least `LEAD_SECONDS` after the clip's start.
    motion : float64 array (frames,)
        How much each frame differs from the one before it.
    frame_times : float64 array (frames,)
        When each frame appears, in seconds.
    learned_rate : float
        Onsets a second of what the brain learned.
    known_onsets : float64 array (onsets,), optional
        True onsets in seconds from the clip's start; those of its own sound by default.
    """

    name: str
    group: str
    own: Sound
    rate: int
    begin: int
    motion: Times
    frame_times: Times
    learned_rate: float
    known_onsets: Times | None = None

    @property
    def seconds(self) -> float:
        """Duration of what is judged."""
        return (len(self.own) - self.begin) / self.rate

    @cached_property
    def onsets(self) -> Times:
        """The onsets that count, in seconds from the first sample that is judged."""
        if self.known_onsets is None:
            return onsets_from(self.own, self.rate, self.begin)
        onsets = self.known_onsets - self.begin / self.rate
        return onsets[onsets >= 0]

    @property
    def lead(self) -> int:
        """Samples of the lead."""
        return round(LEAD_SECONDS * self.rate)


def stretch_of(
    name: str,
    group: str,
    film: PickledFilm,
    clock: Clock,
    begin: float,
    learned_rate: float,
    known_onsets: Times | None = None,
) -> Stretch:
    """Return what a soundtrack of a film is judged by, from so many seconds on."""
    frames = film.frames[frame_indices_at_ticks(film.times, clock)]
    return Stretch(
        name=name,
        group=group,
        own=np.array(film.sound),
        rate=clock.sample_rate,
        begin=round(begin * clock.sample_rate),
        motion=motion_of(frames),
        frame_times=clock.frame_times(len(frames)),
        learned_rate=learned_rate,
        known_onsets=known_onsets,
    )


def motion_of(frames: NDArray[np.uint8]) -> Times:
    """Return by how many grey levels each frame differs from the one before it, on average."""
    grey = frames.astype(np.float32)
    changes = np.abs(np.diff(grey, axis=0, prepend=grey[:1])).mean(axis=(1, 2))
    return changes.astype(np.float64)


def mean_rate(films: Sequence[PickledFilm]) -> float:
    """Return the onsets a second of films' own sound."""
    count = sum(len(onsets_from(film.sound, film.card.sample_rate, 0)) for film in films)
    return count / sum(film.seconds for film in films)


@dataclass(frozen=True)
class Figures:
    """Figures of one stretch, or of several together.

    Attributes
    ----------
    counts, chance : OnsetCounts
    envelope_sums, sync_sums : tuple of float
        As `frame2sound.comparison.block_stats.sum_blocks` has them; empty without a sound.
    levels_db : tuple of (float, float)
        Of each onset that matches: the soundtrack's level, and that of the clip's own sound.
    loudness_lufs : float, optional
        Of one soundtrack; minus infinity for silence.
    """

    counts: OnsetCounts
    chance: OnsetCounts
    envelope_sums: tuple[float, ...] = ()
    sync_sums: tuple[float, ...] = ()
    levels_db: tuple[tuple[float, float], ...] = ()
    loudness_lufs: float | None = None

    @property
    def onset_f(self) -> float | None:
        """F-measure of onsets within 50 ms; None if neither side has any."""
        return self.counts.f_measure

    @property
    def envelope(self) -> float | None:
        """Correlation of the envelopes of the soundtrack and the clip's own sound."""
        return _statistic("envelope_correlation", self.envelope_sums)

    @property
    def in_sync(self) -> float | None:
        """Share of onset energy near an onset; None for a soundtrack without any."""
        return _statistic("in_sync", self.sync_sums)

    @property
    def level_order(self) -> float | None:
        """Rank correlation of the levels of onsets that match; None for too few."""
        if len(self.levels_db) < LEAST_MATCHES:
            return None
        order = float(spearmanr(self.levels_db).statistic)
        return order if math.isfinite(order) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        loudness = self.loudness_lufs
        return {
            "onset_f": self.onset_f,
            "chance": self.chance.f_measure,
            "envelope": self.envelope,
            "in_sync": self.in_sync,
            "level_order": self.level_order,
            "loudness_lufs": loudness if loudness is None or math.isfinite(loudness) else None,
            "counts": asdict(self.counts),
            "chance_counts": asdict(self.chance),
        }


def _statistic(name: str, sums: tuple[float, ...]) -> float | None:
    if not sums:
        return None
    value = float(STATISTICS[name](np.array(sums)))
    return value if math.isfinite(value) else None


def onsets_from(sound: Sound, rate: int, begin: int) -> Times:
    """Return the onsets from a sample on, in seconds from it."""
    onsets = detect_onsets(sound, rate) - begin / rate
    return onsets[onsets >= 0]


def judge_sound(sound: Sound, stretch: Stretch) -> Figures:
    """Judge a soundtrack of a whole clip; a shorter one is repeated, a longer one cut."""
    fitted = np.resize(sound, len(stretch.own)) if len(sound) else np.zeros_like(stretch.own)
    heard = slice(stretch.begin - stretch.lead, None)
    reference = stretch.own[heard]
    count = len(stretch.own) - stretch.begin
    truth = GroundTruth(stretch.rate, stretch.lead, count, reference, stretch.onsets)
    sums = {name: rows.sum(0) for name, rows in sum_blocks(fitted[heard], truth).items()}
    counts = OnsetCounts(*map(float, sums["onset_f"]))
    return Figures(
        counts,
        OnsetCounts.by_chance(
            onsets_from(fitted, stretch.rate, stretch.begin), stretch.onsets, stretch.seconds
        ),
        tuple(sums["envelope_correlation"]),
        tuple(sums.get("in_sync", ())),
        _levels_of_matches(fitted, stretch),
        Levels.from_samples(fitted[stretch.begin :], stretch.rate).loudness_lufs,
    )


def _levels_of_matches(sound: Sound, stretch: Stretch) -> tuple[tuple[float, float], ...]:
    """Return the level of each onset that matches, here and in the clip's own sound, in dBFS."""
    onsets = onsets_from(sound, stretch.rate, stretch.begin)
    pairs = match_onsets(onsets, stretch.onsets)
    ours, theirs = (
        onset_levels_db(samples[stretch.begin :], stretch.rate, times)
        for samples, times in ((sound, onsets), (stretch.own, stretch.onsets))
    )
    return tuple((float(ours[est]), float(theirs[ref])) for ref, est in pairs)


def judge_onsets(onsets: Times, stretch: Stretch) -> Figures:
    """Judge onsets, in seconds from the first sample that is judged."""
    counts = OnsetCounts.compare(onsets, stretch.onsets)
    chance = OnsetCounts.by_chance(onsets, stretch.onsets, stretch.seconds)
    return Figures(counts, chance)


def mean_figures(several: Sequence[Figures]) -> Figures:
    """Return the means of the counts, and the sums of the other sums."""
    return replace(
        pool(several),
        counts=OnsetCounts.mean(each.counts for each in several),
        chance=OnsetCounts.mean(each.chance for each in several),
    )


def pool(several: Iterable[Figures]) -> Figures:
    """Return the figures of several stretches together, by sums."""
    known = list(several)
    return Figures(
        sum((each.counts for each in known), OnsetCounts()),
        sum((each.chance for each in known), OnsetCounts()),
        _summed(each.envelope_sums for each in known),
        _summed(each.sync_sums for each in known),
        tuple(pair for each in known for pair in each.levels_db),
    )


def _summed(sums: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(map(sum, zip(*filter(None, sums), strict=True)))


def judge_controls(stretch: Stretch, others: Sequence[Sound]) -> dict[str, Figures]:
    """Judge what does not see the clip, or does not learn.

    Parameters
    ----------
    stretch : Stretch
    others : sequence of float32 arrays
        Soundtracks that were made for other clips; their figures are averaged.
    """
    found = {}
    if others:
        found[OTHER_CLIP] = mean_figures([judge_sound(sound, stretch) for sound in others])
    found[SHUFFLED] = judge_sound(shuffle_seconds(stretch.own, stretch.rate), stretch)
    grids = _regular_onsets(stretch)
    found[REGULAR] = mean_figures([judge_onsets(grid, stretch) for grid in grids])
    found[PEAKS] = judge_onsets(_peaks_of_motion(stretch), stretch)
    return found


def _regular_onsets(stretch: Stretch) -> Iterator[Times]:
    """Yield onsets at the rate that was learned, at several phases."""
    period = 1 / max(stretch.learned_rate, 1 / stretch.seconds)
    for phase in (np.arange(PHASES) + 0.5) / PHASES:
        yield np.arange(phase * period, stretch.seconds, period)


def _peaks_of_motion(stretch: Stretch) -> Times:
    """Return the highest peaks of motion, as many as the rate that was learned asks for."""
    motion, times = stretch.motion, stretch.frame_times - stretch.begin / stretch.rate
    edges = np.concatenate([[np.inf], motion, [np.inf]])
    is_peak = (motion > 0) & (motion >= edges[:-2]) & (motion > edges[2:]) & (times >= 0)
    peaks = np.flatnonzero(is_peak)
    kept: list[float] = []
    for time in times[peaks[np.argsort(-motion[peaks], kind="stable")]]:
        if len(kept) >= round(stretch.learned_rate * stretch.seconds):
            break
        if all(abs(time - other) > PEAK_DISTANCE_SECONDS for other in kept):
            kept.append(float(time))
    return np.sort(np.array(kept))


@dataclass(frozen=True)
class Clip:
    """A clip's figures by label, and what its brain and its soundtrack took."""

    name: str
    group: str
    seconds: float
    figures: Mapping[str, Figures]
    training_seconds: float
    rendering: Rendering

    @classmethod
    def of(
        cls, stretch: Stretch, figures: Mapping[str, Figures], made: Made, rendering: Rendering
    ) -> Clip:
        """Return the figures of a stretch."""
        name, group, seconds = stretch.name, stretch.group, stretch.seconds
        return cls(name, group, seconds, figures, made.training_seconds, rendering)

    @property
    def rendered(self) -> Figures:
        """The figures of the brain's soundtrack."""
        return self.figures[RENDERED]

    def line(self) -> str:
        """Return a line of progress."""
        ours = self.rendered
        return (
            f"{self.name}: onset F {format_number(ours.onset_f)}, "
            f"chance {format_number(ours.chance.f_measure)}, "
            f"envelope {format_number(ours.envelope)}, in sync {format_number(ours.in_sync)}; "
            f"trained in {self.training_seconds:.0f} s, "
            f"rendered in {self.rendering.seconds:.1f} s, {self.rendering.cpu_seconds:.1f} s of CPU"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "group": self.group,
            "seconds": self.seconds,
            "training_seconds": self.training_seconds,
            "rendering_seconds": self.rendering.seconds,
            "rendering_cpu_seconds": self.rendering.cpu_seconds,
            "figures": {label: each.to_dict() for label, each in self.figures.items()},
            "notes": list(self.rendering.notes),
        }


@dataclass(frozen=True)
class Summary:
    """Clips of a group under one label: pooled figures, and means over clips."""

    pooled: Figures
    mean_envelope: float | None
    mean_in_sync: float | None
    above_chance: int
    clip_count: int

    @classmethod
    def of(cls, clips: Iterable[Clip], label: str) -> Summary:
        """Summarise the figures that clips have under a label."""
        return cls.of_figures(clip.figures[label] for clip in clips if label in clip.figures)

    @classmethod
    def of_figures(cls, figures: Iterable[Figures]) -> Summary:
        """Summarise the figures of stretches."""
        known = list(figures)
        return cls(
            pool(known),
            _mean_correlation(each.envelope for each in known),
            _mean(each.in_sync for each in known),
            sum((each.onset_f or 0.0) > (each.chance.f_measure or 0.0) for each in known),
            len(known),
        )

    def cells(self) -> str:
        """Return the cells of a row of a Markdown table; see `SUMMARY_HEAD`."""
        ours = self.pooled
        values = (
            format_number(ours.onset_f),
            format_number(ours.chance.f_measure),
            f"{self.above_chance} of {self.clip_count}",
            format_number(self.mean_envelope),
            format_number(self.mean_in_sync),
            format_number(ours.level_order),
        )
        return " | ".join(values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "pooled": self.pooled.to_dict(),
            "mean_envelope": self.mean_envelope,
            "mean_in_sync": self.mean_in_sync,
            "above_chance": self.above_chance,
            "clips": self.clip_count,
        }


SUMMARY_HEAD = "onset F | chance | clips above chance | envelope | in sync | order of levels"
CLIP_HEAD = (
    "onset F | chance | onsets | found | envelope | in sync | order of levels | LUFS | trained, s"
    " | rendered, s of CPU"
)


def _mean_correlation(values: Iterable[float | None]) -> float | None:
    """Return the mean of clips, as Fisher's z: one correlation over all would know loud clips."""
    known = [value for value in values if value is not None]
    mean = float(STATISTICS["envelope_correlation"].mean_of_films(np.array(known)))
    return mean if math.isfinite(mean) else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def format_number(value: float | None, form: str = ".2f") -> str:
    """Return a figure as text; "-" for None."""
    return "-" if value is None else f"{value:{form}}"


def by_group(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """Return clips by group, sorted."""
    groups: dict[str, list[Clip]] = {}
    for clip in sorted(clips, key=lambda clip: (clip.group, clip.name)):
        groups.setdefault(clip.group, []).append(clip)
    return groups


def summaries(clips: Sequence[Clip]) -> dict[str, Summary]:
    """Return the summary of each label that clips have."""
    labels = dict.fromkeys(label for clip in clips for label in clip.figures)
    return {label: Summary.of(clips, label) for label in labels}


def tables(clips: Sequence[Clip]) -> Iterator[str]:
    """Yield the lines of the tables of clips: by group, by control, by clip."""
    groups = by_group(clips)
    yield f"| group | {SUMMARY_HEAD} | control: {OTHER_CLIP} | control's chance |"
    yield "|---|" + "--:|" * 8
    for group, members in groups.items():
        control = Summary.of(members, OTHER_CLIP)
        beside = "- | -"
        if control.clip_count:
            pooled = control.pooled
            beside = f"{format_number(pooled.onset_f)} | {format_number(pooled.chance.f_measure)}"
        yield f"| {group} | {Summary.of(members, RENDERED).cells()} | {beside} |"
    for group, members in groups.items():
        yield ""
        yield from _group_tables(group, members)


def _group_tables(group: str, members: Sequence[Clip]) -> Iterator[str]:
    seconds = sum(clip.seconds for clip in members)
    yield f"#### {group}, {len(members)} clips, {seconds:.0f} s judged\n"
    yield f"| | {SUMMARY_HEAD} |"
    yield "|---|" + "--:|" * 6
    for label, summary in summaries(members).items():
        yield f"| {label} | {summary.cells()} |"
    yield ""
    yield f"| clip | {CLIP_HEAD} |"
    yield "|---|" + "--:|" * 10
    for clip in members:
        yield _clip_row(clip)


def _clip_row(clip: Clip) -> str:
    ours = clip.rendered
    loudness = ours.loudness_lufs
    cells = (
        format_number(ours.onset_f),
        format_number(ours.chance.f_measure),
        f"{ours.counts.reference:.0f}",
        f"{ours.counts.estimated:.0f}",
        format_number(ours.envelope),
        format_number(ours.in_sync),
        format_number(ours.level_order),
        "silent" if loudness == -math.inf else format_number(loudness, ".1f"),
        f"{clip.training_seconds:.0f}",
        f"{clip.rendering.cpu_seconds:.1f}",
    )
    return f"| {clip.name} | {' | '.join(cells)} |"


def figures_table(clips: Sequence[Clip]) -> dict[str, Any]:
    """Return all figures in plain values: of each clip, and of each group."""
    return {
        "clips": [clip.to_dict() for clip in clips],
        "groups": {
            group: {label: summary.to_dict() for label, summary in summaries(members).items()}
            for group, members in by_group(clips).items()
        },
    }
