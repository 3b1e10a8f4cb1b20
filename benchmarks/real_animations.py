"""A brain on animations that it has not learned: how loud, how often silent, does it follow."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from animations import DRAWN, write_animation
from numpy.typing import NDArray
from real_brains import render_wav
from real_figures import Sound, motion_of

from frame2sound.clock import Clock
from frame2sound.evaluation.levels import INAUDIBLE_DB, Levels, slice_energies
from frame2sound.evaluation.rendered_sound import read_rendered
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.scene_writer import truth_path

BINS_PER_SECOND, SHUFFLES, PERCENTILE = 10, 200, 95
LEAST_MOTION = 0.01
"""In grey levels a frame, on average over the picture; below it the picture stands."""

TARGET_LUFS, MOST_APART_LU, MOST_SILENT, LEAST_FOLLOWING = -23.0, 6.0, 0.5, 12
STANDING_SECONDS = 1.0
"""A picture that has not moved for so long counts as a card that stands."""

Bins = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """What is measured of an animation's soundtrack; silence has no loudness.

    Attributes
    ----------
    silent_share : float, optional
        Share of the 0.1 s in which something moves whose level is below -60 dBFS.
    correlation : float, optional
        Of the levels of motion and sound, per 0.1 s, both in dB; None if one of them is constant.
    shuffled : float
        Its 95th percentile over shuffled seconds.
    standing_range_db : float, optional
        Range of the levels of pictures that stand.
    """

    name: str
    loudness_lufs: float | None
    silent_share: float | None
    correlation: float | None
    shuffled: float
    standing_range_db: float | None
    seconds: float
    rendering_cpu_seconds: float
    notes: tuple[str, ...]

    @property
    def is_heard(self) -> bool:
        """Whether it is not silent for most of the time in which something moves."""
        return self.silent_share is None or self.silent_share < MOST_SILENT

    @property
    def is_loud_enough(self) -> bool:
        """Whether it is as loud as it should be."""
        known = self.loudness_lufs
        return known is not None and abs(known - TARGET_LUFS) <= MOST_APART_LU

    @property
    def follows(self) -> bool:
        """Whether it follows the motion better than by chance."""
        return self.correlation is not None and self.correlation > self.shuffled

    def row(self) -> str:
        """Return a row of a Markdown table."""
        cells = (
            "silent" if self.loudness_lufs is None else f"{self.loudness_lufs:.1f}",
            "-" if self.silent_share is None else f"{self.silent_share:.2f}",
            "-" if self.correlation is None else f"{self.correlation:.2f}",
            f"{self.shuffled:.2f}",
            "follows" if self.follows else "no",
            "-" if self.standing_range_db is None else f"{self.standing_range_db:.1f}",
            f"{self.rendering_cpu_seconds:.1f}",
        )
        return f"| {self.name} | {' | '.join(cells)} |"


HEAD = (
    "| film | LUFS | silent while something moves | correlation of levels | shuffled, 95 % |"
    " | range of standing levels, dB | rendered, s of CPU |"
)


def motion_levels(film: Path) -> Bins:
    """Return the motion of each 0.1 s in dB: the sum of the changes of its frames."""
    frames, times, end = [], [], Fraction(0)
    for frame in SubprocessFilmReader(film).frames():
        frames.append(frame.picture)
        times.append(float(frame.start_seconds))
        end = frame.end_seconds
    changes = motion_of(np.stack(frames))
    count = max(1, math.floor(end * BINS_PER_SECOND))
    bins = np.minimum((np.array(times) * BINS_PER_SECOND + 1e-6).astype(int), count - 1)
    total = np.bincount(bins, changes, count)
    return 20 * np.log10(np.maximum(total, LEAST_MOTION))


def sound_levels(sound: Sound, rate: int, count: int) -> Bins:
    """Return the level of each 0.1 s in dBFS, at least -60."""
    bounds = Clock(Fraction(BINS_PER_SECOND), rate).sample_bounds(count)
    power = slice_energies(sound, bounds) / np.diff(bounds)
    return np.maximum(10 * np.log10(np.maximum(power, 1e-20)), INAUDIBLE_DB)


def correlation_of(motion: Bins, sound: Bins) -> float | None:
    """Return the correlation of two levels; None if one of them is constant."""
    if min(motion.std(), sound.std()) < 1e-6:
        return None
    return float(np.corrcoef(motion, sound)[0, 1])


def shuffled_percentile(motion: Bins, sound: Bins) -> float:
    """Return the 95th percentile of the correlation with shuffled seconds of motion."""
    rng = np.random.default_rng(0)
    seconds = np.array_split(motion, max(1, len(motion) // BINS_PER_SECOND))
    found = []
    for _ in range(SHUFFLES):
        order = rng.permutation(len(seconds))
        shuffled = np.concatenate([seconds[number] for number in order])
        found.append(correlation_of(shuffled, sound) or 0.0)
    return float(np.percentile(found, PERCENTILE))


def standing_range(motion: Bins, sound: Bins) -> float | None:
    """Return the range of the mean levels of pictures that stand, in dB."""
    stands = motion <= 20 * math.log10(LEAST_MOTION) + 1e-9
    runs = np.split(np.arange(len(stands)), np.flatnonzero(np.diff(stands)) + 1)
    wait = round(STANDING_SECONDS * BINS_PER_SECOND)
    means = [sound[run[wait:]].mean() for run in runs if stands[run[0]] and len(run) > wait]
    return float(np.ptp(means)) if len(means) > 1 else None


def judge_animation(film: Path, given: argparse.Namespace, work: Path) -> Verdict:
    """Render and measure one animation."""
    wav = work / f"{film.stem}-{Path(given.brain).stem}.wav"
    made = render_wav(film, given.brain, wav, given.mode)
    rate = soundfile.info(wav).samplerate
    sound = read_rendered(wav, rate)
    motion = motion_levels(film)
    levels = sound_levels(sound, rate, len(motion))
    moving = motion > 20 * math.log10(LEAST_MOTION) + 1e-9
    loudness = Levels.from_samples(sound, rate).loudness_lufs
    return Verdict(
        name=film.stem,
        loudness_lufs=loudness if math.isfinite(loudness) else None,
        silent_share=float((levels[moving] <= INAUDIBLE_DB).mean()) if moving.any() else None,
        correlation=correlation_of(motion, levels),
        shuffled=shuffled_percentile(motion, levels),
        standing_range_db=standing_range(motion, levels),
        seconds=len(sound) / rate,
        rendering_cpu_seconds=made.cpu_seconds,
        notes=made.notes,
    )


def verdict_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the lines of the table, and the counts."""
    count = len(verdicts)
    yield f"- silent for most of the time that something moves: {_those(verdicts, 'is_heard')}"
    yield (
        f"- farther than {MOST_APART_LU:.0f} LU from {TARGET_LUFS:.0f} LUFS: "
        f"{_those(verdicts, 'is_loud_enough')}"
    )
    following = sum(verdict.follows for verdict in verdicts)
    yield f"- following the motion: {following} of {count}; required of 17 are {LEAST_FOLLOWING}\n"
    yield HEAD
    yield "|---|" + "--:|" * 7
    for verdict in verdicts:
        yield verdict.row()


def _those(verdicts: Sequence[Verdict], fit: str) -> str:
    names = [verdict.name for verdict in verdicts if not getattr(verdict, fit)]
    return f"{len(names)} of {len(verdicts)}" + (f" ({', '.join(names)})" if names else "")


def judge_animations(
    given: argparse.Namespace, work: Path
) -> tuple[str, list[str], dict[str, Any]]:
    """Return the name of the part, its lines, and all figures."""
    films = sorted(path for path in given.animations.iterdir() if path.is_file())
    for name, draw in DRAWN.items():
        path = work / f"{name}.mkv"
        done = truth_path(path).exists()  # it is written last
        films.append(path if done else write_animation(draw(), path))
    verdicts = []
    for film in films:
        verdicts.append(judge_animation(film, given, work))
        print(verdicts[-1].row(), flush=True)
    table = [
        {**asdict(each), "follows": each.follows, "is_heard": each.is_heard} for each in verdicts
    ]
    return "animations", list(verdict_lines(verdicts)), {"films": table}
