"""How far a film's sound follows its picture: held-out scores of a regression from its motion.

The measure of `frame2sound.brain.motion` predicts onsets and levels of parts of the films that it
was not fitted to; their F-measure stands beside that of as many random onsets.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_scale import scale_of
from frame2sound.brain.ground import GroundMap
from frame2sound.brain.motion import (
    MOTION_NUMBERS,
    Motion,
    MotionContext,
    MotionScale,
    MotionStream,
    rescale_features,
)
from frame2sound.brain.ridge_regression import (
    HIDDEN_UNITS,
    OnsetRegression,
    RandomUnits,
    RankedRegression,
    RidgeRegression,
)
from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.film.decoding.frame_resizer import luma
from frame2sound.library.calibration import is_calibration
from frame2sound.library.film_loudness import with_gain
from frame2sound.library.store import PickledFilm
from frame2sound.sound.onset_detection import detect_onsets, onset_levels_db
from frame2sound.sound.onset_matching import count_matches

FloatArray = NDArray[np.float64]

STRETCH_SECONDS = 30.0
"""Long libraries are measured in stretches of this length, evenly spaced."""

CHUNK_FRAMES = 256
"""Frames that are read at once."""

BLOCK_SECONDS, GUARD_SECONDS, FOLDS = 4.0, 0.5, 5
"""Blocks that are predicted by a regression on others, with a guard between; in five folds."""

MIN_SECONDS = 2 * BLOCK_SECONDS
"""Less film has no scores."""

ONSET_SPREAD_SECONDS, ONSET_SPREAD_GAPS = 0.033, 0.4
"""Standard deviation of the bump at an onset: 33 ms, or 0.4 of the time between two pictures."""

ONSET_PENALTY, HIDDEN_PENALTY, LEVEL_PENALTY = 0.1, 0.3, 1.0
"""The ridge penalties, as shares of the number of examples."""

MOTION_FACTORS = (0.35, 0.7, 1.0, 1.4, 2.5)
"""Factors by which the motion that onsets are learned from is enlarged."""

MIN_GAP_SECONDS = 0.07
"""Events are at least this far apart."""

QUANTILES = tuple(np.linspace(0.4, 0.995, 40).tolist())
"""Candidate thresholds, as quantiles of the curve."""

F_TOLERANCE, HIGH_PRECISION = 0.02, 0.9
"""How much F-measure a lower threshold may cost, where so few of its events are false."""

HIDDEN_ADVANTAGE = 0.015
"""The onset regression gets random units if they raise the held-out F-measure by more."""

CHANCE_DRAWS = 50

FLOOR_DB = -70.0
"""Quieter frames count as this level."""

BED_AFTER_SECONDS, BED_BEFORE_SECONDS = 0.25, 0.05
"""Frames so long after and before an onset are not between events."""

SHORT_HOP_SECONDS, NEAR_SECONDS = 0.01, (0.05, 0.1)
"""The hop of short levels, and how far before and after a predicted event its level is sought."""

MIN_DETECTED, RELIABLE_SHARE = 20, 0.8
"""Levels are learned from at least so many predicted events, if a smaller share of them is true."""

MIN_BED_SHARE = 0.1
"""Where less of a library is between events, the level of all its sound is learned."""

WELL, HARDLY = 0.2, 0.07
"""A film's sound follows its picture well, or hardly, from this F-measure above chance on."""

WELL_LEVEL, HARDLY_LEVEL = 0.6, 0.3
"""The same for the correlation of levels."""

Verdict = Literal["well", "hardly", "not at all"]
"""How far sound follows picture."""


class _Regression(Protocol):
    def predict(self, features: FloatArray) -> FloatArray: ...


@dataclass(frozen=True)
class FilmMotion:
    """The motion of a stretch of film beside its sound.

    Times are in seconds from the start of the stretch.

    Attributes
    ----------
    seconds : float
    times : float64 array (m,)
        When an event that a new picture shows began: when the picture before appeared.
    gaps : float64 array (m,)
        The seconds between the two.
    frames : int64 array (m,)
        The frame in which each new picture appears.
    features : float64 array (m, 80)
    onsets, onset_db : float64 arrays (k,)
        The onsets of the sound, and their levels in dBFS.
    frame_db : float64 array (n,)
        The level of each frame's sound in dBFS.
    short_db : float64 array (h,)
        The level of windows of 20 ms, every 10 ms.
    fps : float
    """

    seconds: float
    times: FloatArray
    gaps: FloatArray
    frames: NDArray[np.int64]
    features: FloatArray
    onsets: FloatArray
    onset_db: FloatArray
    frame_db: FloatArray
    short_db: FloatArray
    fps: float

    def onset_bumps(self) -> FloatArray:
        """Return the target of the onset regression, 0 to 1: a bump at each onset, ``(m,)``."""
        spread = np.maximum(ONSET_SPREAD_SECONDS, ONSET_SPREAD_GAPS * self.gaps)
        distance = nearest_distance(self.times, self.onsets)
        return np.exp(-0.5 * (distance / spread) ** 2)

    def levels_near(self, times: FloatArray) -> FloatArray:
        """Return the highest short level from 50 ms before to 100 ms after each time."""
        first = ((times - NEAR_SECONDS[0]) / SHORT_HOP_SECONDS).round().astype(np.int64)
        width = round(sum(NEAR_SECONDS) / SHORT_HOP_SECONDS)
        at = (first[:, None] + np.arange(width)).clip(0, len(self.short_db) - 1)
        return np.asarray(np.maximum(self.short_db[at].max(axis=1), FLOOR_DB))

    def is_between_events(self) -> NDArray[np.bool_]:
        """Return which new pictures have the sound between two events, bool ``(m,)``."""
        at = self.frames / self.fps
        after = at - _last_before(at, self.onsets)
        before = _first_after(at, self.onsets) - at
        return (after > BED_AFTER_SECONDS) & (before > BED_BEFORE_SECONDS + 1 / self.fps)


@dataclass(frozen=True)
class Coupling:
    """How far sound follows picture, by held-out blocks.

    Attributes
    ----------
    onset_f, onset_chance : float
        F-measure of the predicted onsets at 50 ms, and that of as many random ones.
    level_correlation : float
        Between predicted and true levels of frames, in dB.
    seconds : float
        How much film was measured.
    onset_count : int
        The onsets of the sound.
    """

    onset_f: float
    onset_chance: float
    level_correlation: float
    seconds: float
    onset_count: int

    @property
    def verdict(self) -> Verdict:
        """How far the sound follows the picture."""
        gain = self.onset_f - self.onset_chance
        if gain >= WELL or self.level_correlation >= WELL_LEVEL:
            return "well"
        if gain >= HARDLY or self.level_correlation >= HARDLY_LEVEL:
            return "hardly"
        return "not at all"

    @property
    def figures(self) -> str:
        """Its figures, in a few words."""
        onsets = f"onsets {without_zero(self.onset_f)}, chance {without_zero(self.onset_chance)}"
        levels = f"levels {without_zero(self.level_correlation)}"
        return f"{onsets if self.onset_count else 'no onsets'}; {levels}"

    def describe(self) -> str:
        """Return one sentence about it.

        Examples
        --------
        >>> Coupling(0.58, 0.13, 0.4, 60.0, 80).describe()
        'sound follows the picture well (onsets .58, chance .13; levels .40)'
        """
        if self.seconds < MIN_SECONDS:
            return (
                "too short to tell how far sound follows the picture; it takes "
                f"{MIN_SECONDS:.0f} s of film"
            )
        return f"{_SENTENCES[self.verdict]} ({self.figures})"


_SENTENCES: dict[Verdict, str] = {
    "well": "sound follows the picture well",
    "hardly": "sound hardly follows the picture",
    "not at all": "sound does not follow the picture at all: music or speech?",
}


@dataclass(frozen=True)
class HeldOutCurves:
    """The predictions of regressions on other blocks, for each stretch.

    Attributes
    ----------
    onset, level_db : list of float64 arrays (m,)
        Onset curves are divided by their film's scale.
    threshold : float
        The threshold of the onset curves with the best F-measure.
    hidden_units : int
        How many random units the onset regression has, by that score.
    coupling : Coupling
    """

    onset: list[FloatArray]
    level_db: list[FloatArray]
    threshold: float
    hidden_units: int
    coupling: Coupling


def measure_motion(
    films: Sequence[PickledFilm],
    clock: Clock,
    max_seconds: float,
    gains_db: Sequence[float],
    ground_maps: Sequence[GroundMap] | None = None,
    on_progress: Callable[[float, float], None] = lambda done, total: None,
) -> list[FilmMotion]:
    """Return the motion of films at a clock, and their sound, in stretches.

    Parameters
    ----------
    films : sequence of PickledFilm
        The calibration film is left out.
    max_seconds : float
        Of longer libraries, evenly spaced stretches of `STRETCH_SECONDS` are measured.
    gains_db : sequence of float
        The gain of each film's sound.
    ground_maps : sequence of GroundMap, optional
        The map of each film's frames.
    on_progress : callable
        Called with the seconds measured and all that there are.
    """
    maps = ground_maps or [GroundMap()] * len(films)
    sources = [
        source
        for source in zip(films, gains_db, maps, strict=True)
        if not is_calibration(source[0])
    ]
    ranges = [(source, *_sounding_frames(source[0], clock)) for source in sources]
    max_frames = int(max_seconds * clock.fps)
    if sum(stop - start for _, start, stop in ranges) > max_frames:
        length = max(min(int(STRETCH_SECONDS * clock.fps), max_frames), 1)
        pieces = [
            (source, at, min(at + length, stop))
            for source, start, stop in ranges
            for at in range(start, max(stop - length // 2, start + 1), length)
        ]
        count = min(max(max_frames // length, 1), len(pieces))
        ranges = [pieces[at] for at in _spread(count, len(pieces))]
    stretches, total = [], sum(max(stop - start, 0) for _, start, stop in ranges)
    for source, start, stop in ranges:
        if stop > start:
            stretches.append(_measure_stretch(*source, clock, start, stop))
            done = sum(each.seconds for each in stretches)
            on_progress(done, total / float(clock.fps))
    return stretches


def measure_coupling(stretches: Sequence[FilmMotion]) -> Coupling:
    """Return how far the sound of stretches of film follows their picture."""
    return predict_held_out(stretches).coupling


def predict_held_out(stretches: Sequence[FilmMotion]) -> HeldOutCurves:
    """Return predictions of blocks by regressions on the others, and their scores.

    Libraries of less than two blocks have no score: their F-measure and correlation are 0.
    """
    folds = _assign_folds(stretches)
    seconds = sum(each.seconds for each in stretches)
    onsets = sum(len(each.onsets) for each in stretches)
    count = max((int(fold.max(initial=-1)) for fold in folds), default=-1) + 1
    if count < 2:
        nothing = [np.zeros(len(each.times)) for each in stretches]
        return HeldOutCurves(nothing, nothing, 1.0, 0, Coupling(0.0, 0.0, 0.0, seconds, onsets))
    level = _predict_folds(stretches, folds, fit_frame_level)
    best: tuple[float, float, int, list[FloatArray]] | None = None
    for units in (0, HIDDEN_UNITS):
        fit = partial(fit_onset, hidden_units=units)
        curves = _predict_folds(stretches, folds, fit)
        curves = scale_curves(curves, usual_scale(curves))
        threshold = best_threshold(curves, stretches)
        f, chance = _score(curves, stretches, threshold)
        if best is None or f > best[0] + HIDDEN_ADVANTAGE:
            best = f, chance, units, curves
            best_at = threshold
    assert best is not None
    f, chance, units, curves = best
    true = np.concatenate([each.frame_db[each.frames] for each in stretches])
    followed = correlation(np.concatenate(level), np.maximum(true, FLOOR_DB))
    coupling = Coupling(f, chance, followed, seconds, onsets)
    return HeldOutCurves(curves, level, best_at, units, coupling)


def _predict_folds(
    stretches: Sequence[FilmMotion],
    folds: Sequence[NDArray[np.int64]],
    fit: Callable[[Sequence[FilmMotion], Sequence[NDArray[np.bool_]]], _Regression],
) -> list[FloatArray]:
    """Return what regressions that are fitted to the other folds predict of each fold."""
    predicted = [np.zeros(len(each.times)) for each in stretches]
    for fold in range(FOLDS):
        if not any((of == fold).any() for of in folds):
            continue
        regression = fit(
            stretches, [_outside(each, of, fold) for each, of in zip(stretches, folds, strict=True)]
        )
        for number, (each, of) in enumerate(zip(stretches, folds, strict=True)):
            predicted[number][of == fold] = regression.predict(each.features[of == fold])
    return predicted


def fit_onset(
    stretches: Sequence[FilmMotion], masks: Sequence[NDArray[np.bool_]], hidden_units: int = 0
) -> OnsetRegression:
    """Return the regression of onset bumps, from the pictures for which a mask is true.

    Each picture is learned with its motion enlarged by each of the `MOTION_FACTORS`: a small bounce
    is an event as a large one is.
    """
    bumps = [each.onset_bumps()[mask] for each, mask in zip(stretches, masks, strict=True)]
    features = _features(stretches, masks)
    enlarged = np.concatenate([rescale_features(features, factor) for factor in MOTION_FACTORS])
    units = RandomUnits.draw(features.shape[1], hidden_units)
    regression = RidgeRegression.fit(
        units.extend(enlarged),
        np.tile(np.concatenate(bumps), len(MOTION_FACTORS)),
        HIDDEN_PENALTY if hidden_units else ONSET_PENALTY,
    )
    return OnsetRegression(units, regression)


def fit_frame_level(
    stretches: Sequence[FilmMotion],
    masks: Sequence[NDArray[np.bool_]],
    *,
    match_spread: bool = False,
) -> RidgeRegression:
    """Return the regression of frame levels in dBFS, from the pictures of the masks."""
    levels = [
        np.maximum(each.frame_db[each.frames[mask]], FLOOR_DB)
        for each, mask in zip(stretches, masks, strict=True)
    ]
    return RidgeRegression.fit(
        _features(stretches, masks),
        np.concatenate(levels),
        LEVEL_PENALTY,
        match_spread=match_spread,
    )


def fit_event_level(
    stretches: Sequence[FilmMotion], held_out: HeldOutCurves, *, in_order_of_motion: bool = False
) -> RankedRegression:
    """Return the regression of the levels of events.

    Where most predicted events of held-out blocks are true, it is fitted to the true onsets. Else
    it is fitted to the predicted events, right or wrong, and to how loud the film is there: where
    a prediction is often wrong, an event is quiet. With ``in_order_of_motion``, the more moves,
    the louder an event is.
    """
    pairs = [_true_events(each) for each in stretches]
    events = [
        keep_apart(*find_peaks(curve, each.times), held_out.threshold)
        for each, curve in zip(stretches, held_out.onset, strict=True)
    ]
    found = sum(map(len, events))
    matched = sum(
        count_matches(some, each.onsets) for some, each in zip(events, stretches, strict=True)
    )
    if found >= MIN_DETECTED and matched < RELIABLE_SHARE * found:
        pairs = [
            (each.features[_nearest(some, each.times)], each.levels_near(some))
            for some, each in zip(events, stretches, strict=True)
            if len(some)
        ]
    features = np.concatenate([*(one for one, _ in pairs), _features(stretches, [])])
    levels = np.concatenate([*(other for _, other in pairs), np.empty(0)])
    if in_order_of_motion:
        levels = _in_order_of_motion(levels, features)
    return RankedRegression.fit(features, levels, LEVEL_PENALTY)


def _true_events(each: FilmMotion) -> tuple[FloatArray, FloatArray]:
    """Return the features of the pictures nearest to onsets, and the levels of these."""
    if not len(each.onsets) or not len(each.times):
        return each.features[:0], np.empty(0)
    nearest = _nearest(each.onsets, each.times)
    near = np.abs(each.times[nearest] - each.onsets) <= np.maximum(0.05, each.gaps[nearest])
    return each.features[nearest[near]], each.onset_db[near]


def fit_bed(
    stretches: Sequence[FilmMotion], *, in_order_of_motion: bool = False
) -> RidgeRegression:
    """Return the regression of the level between events; of all sound where events are dense.

    With ``in_order_of_motion``, the more moves, the louder it is: the films give the levels, but
    not their order.
    """
    between = [each.is_between_events() for each in stretches]
    count = sum(len(mask) for mask in between)
    if sum(int(mask.sum()) for mask in between) < MIN_BED_SHARE * count:
        between = [np.ones(len(mask), np.bool_) for mask in between]
    if in_order_of_motion:
        stretches = [
            _with_ordered_levels(each, mask) for each, mask in zip(stretches, between, strict=True)
        ]
    return fit_frame_level(stretches, between, match_spread=True)


def _with_ordered_levels(each: FilmMotion, mask: NDArray[np.bool_]) -> FilmMotion:
    """Return a stretch whose levels at the pictures of a mask are in the order of their motion."""
    levels, frames = each.frame_db.copy(), each.frames[mask]
    levels[frames] = _in_order_of_motion(levels[frames], each.features[mask])
    return replace(each, frame_db=levels)


def _in_order_of_motion(levels: FloatArray, features: FloatArray) -> FloatArray:
    """Return the same levels, in the order of the motion of the current pictures."""
    current = features[:, -len(MOTION_NUMBERS) :]
    motion = current[:, MOTION_NUMBERS.index("change")] + current[:, MOTION_NUMBERS.index("speed")]
    ordered = np.empty_like(levels)
    ordered[np.argsort(motion, kind="stable")] = np.sort(levels)
    return ordered


def usual_scale(curves: Sequence[FloatArray]) -> float:
    """Return the median of the curves' scales, which stands in for a film that has none."""
    scales = [scale for curve in curves if (scale := scale_of(curve)) > 0]
    return float(np.median(scales)) if scales else 1.0


def scale_curves(curves: Sequence[FloatArray], usual: float) -> list[FloatArray]:
    """Return the curves, each divided by its film's scale; see `EventScale`."""
    return [curve / scale_of(curve, usual) for curve in curves]


def best_threshold(curves: Sequence[FloatArray], stretches: Sequence[FilmMotion]) -> float:
    """Return the threshold with the best F-measure over all stretches together; above 0.

    Of thresholds that are nearly as good, the lowest with a precision of `HIGH_PRECISION` is taken:
    where hardly any event is false, the faint ones of other films are worth having.
    """
    together = np.concatenate([*curves, np.zeros(0)])
    candidates = np.unique(np.maximum(np.quantile(together, QUANTILES), 1e-3))
    peaks = [find_peaks(curve, each.times) for curve, each in zip(curves, stretches, strict=True)]
    scores = [_f_and_precision(peaks, stretches, one) for one in candidates.tolist()]
    f, precision = np.array(scores).T
    best = int(f.argmax())
    good = np.flatnonzero((f >= f[best] - F_TOLERANCE) & (precision >= HIGH_PRECISION))
    return float(candidates[min([best, *good[:1].tolist()])])


def find_peaks(curve: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the times and heights of the local peaks of a curve, refined by a parabola."""
    if not len(curve):
        return np.empty(0), np.empty(0)
    edge = np.concatenate([[-np.inf], curve, [-np.inf]])
    at = np.flatnonzero((curve > edge[:-2]) & (curve >= edge[2:]))
    inner = (at > 0) & (at < len(curve) - 1)
    shift = np.zeros(len(at))
    left, middle, right = edge[at[inner]], edge[at[inner] + 1], edge[at[inner] + 2]
    bend = left - 2 * middle + right
    shift[inner] = np.where(bend < -1e-9, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
    shift = shift.clip(-0.5, 0.5)
    forward = np.append(np.diff(times), 0.0)[at]
    backward = np.insert(np.diff(times), 0, 0.0)[at]
    return times[at] + shift * np.where(shift > 0, forward, backward), curve[at]


def keep_apart(times: FloatArray, heights: FloatArray, threshold: float) -> FloatArray:
    """Return the times of peaks above a threshold; of two that are too close, the higher."""
    above = np.flatnonzero(heights >= threshold)
    kept: list[float] = []
    for index in above[np.argsort(-heights[above], kind="stable")].tolist():
        time = float(times[index])
        place = bisect(kept, time)
        around = kept[max(place - 1, 0) : place + 1]
        if time >= 0 and all(abs(time - other) > MIN_GAP_SECONDS for other in around):
            kept.insert(place, time)
    return np.array(kept, np.float64)


def nearest_distance(times: FloatArray, onsets: FloatArray) -> FloatArray:
    """Return the distance of each time from the nearest onset; infinite without onsets."""
    return np.minimum(times - _last_before(times, onsets), _first_after(times, onsets) - times)


def correlation(ours: FloatArray, theirs: FloatArray) -> float:
    """Return the correlation of two curves, 0 if either is constant."""
    if len(ours) < 2 or min(ours.std(), theirs.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(ours, theirs)[0, 1])


def _features(stretches: Sequence[FilmMotion], masks: Sequence[NDArray[np.bool_]]) -> FloatArray:
    parts = [each.features[mask] for each, mask in zip(stretches, masks, strict=False)]
    width = stretches[0].features.shape[1] if stretches else 0
    return np.concatenate([*parts, np.empty((0, width))])


def _sounding_frames(film: PickledFilm, clock: Clock) -> tuple[int, int]:
    """Return the frames at a clock whose sound is in the film's audio range."""
    begin, end = film.card.audio_range
    count = len(frame_indices_at_ticks(film.times, clock))
    rate = Fraction(film.card.sample_rate)
    start = clock.count_frames_within(Fraction(begin) / rate)
    return start, min(clock.count_frames_within(Fraction(end) / rate), count)


def _spread(count: int, total: int) -> list[int]:
    """Return evenly spaced numbers below ``total``; a single one from the middle."""
    if count == 1:
        return [total // 2]
    return [round(at) for at in np.linspace(0, total - 1, count).tolist()]


def _measure_stretch(
    film: PickledFilm, gain_db: float, ground: GroundMap, clock: Clock, start: int, stop: int
) -> FilmMotion:
    rows = frame_indices_at_ticks(film.times, clock)[start:stop]
    stream, scale, parts = MotionStream(), MotionScale(), []
    for at in range(0, len(rows), CHUNK_FRAMES):
        frames = ground.apply(np.array(film.frames[rows[at : at + CHUNK_FRAMES]]))
        parts.append(stream.process(luma(frames) if frames.ndim == 4 else frames))
        scale.observe(parts[-1])
        film.release_memory()
    motion = Motion.concatenate(parts)
    bounds = clock.sample_bounds(stop - start, start)
    sound = with_gain(np.array(film.sound[bounds[0] : bounds[-1]]), gain_db)
    bounds = np.minimum(bounds - bounds[0], len(sound))
    energy = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    power = np.diff(energy[bounds]) / np.maximum(np.diff(bounds), 1)
    onsets = detect_onsets(sound, clock.sample_rate)
    fps, frames_of = float(clock.fps), np.flatnonzero(motion.is_new)
    gaps = motion.gap_frames[frames_of] / fps
    return FilmMotion(
        seconds=(stop - start) / fps,
        times=frames_of / fps - gaps,
        gaps=gaps,
        frames=frames_of,
        features=MotionContext().process(motion, scale.values),
        onsets=onsets,
        onset_db=onset_levels_db(sound, clock.sample_rate, onsets),
        frame_db=10 * np.log10(np.maximum(power, 1e-12)),
        short_db=_short_levels_db(energy, clock.sample_rate),
        fps=fps,
    )


def _short_levels_db(energy: FloatArray, sample_rate: int) -> FloatArray:
    """Return the level of windows of 20 ms every 10 ms, from the cumulative energy of samples."""
    hop = max(round(SHORT_HOP_SECONDS * sample_rate), 1)
    begin = np.arange(0, max(len(energy) - 1, 1), hop)
    end = np.minimum(begin + 2 * hop, len(energy) - 1)
    return 10 * np.log10(np.maximum((energy[end] - energy[begin]) / (2 * hop), 1e-12))


def _assign_folds(stretches: Sequence[FilmMotion]) -> list[NDArray[np.int64]]:
    """Return the fold of each new picture: blocks of all stretches take turns."""
    folds, used = [], 0
    for each in stretches:
        block = (each.times / BLOCK_SECONDS).astype(np.int64).clip(0)
        folds.append((block + used) % FOLDS)
        used += int(np.ceil(each.seconds / BLOCK_SECONDS))
    return folds


def _outside(each: FilmMotion, folds: NDArray[np.int64], fold: int) -> NDArray[np.bool_]:
    """Return which pictures are of other folds, and at a distance from those of this one."""
    inside = np.flatnonzero(folds == fold)
    if not len(inside):
        return np.ones(len(folds), np.bool_)
    return nearest_distance(each.times, each.times[inside]) > GUARD_SECONDS


class OnsetCounts(NamedTuple):
    """What the F-measure of a stretch is computed of.

    Attributes
    ----------
    matches, chance_matches : float
        The true onsets that were predicted, and those that as many random onsets meet.
    total : int
        Predicted and true onsets together.
    """

    matches: float
    chance_matches: float
    total: int


def count_onsets(
    curves: Sequence[FloatArray], stretches: Sequence[FilmMotion], threshold: float
) -> list[OnsetCounts]:
    """Return the counts of each stretch for predicted onset curves and a threshold."""
    rng = np.random.default_rng(0)
    counts = []
    for curve, each in zip(curves, stretches, strict=True):
        events = keep_apart(*find_peaks(curve, each.times), threshold)
        draws = rng.uniform(0, each.seconds, (CHANCE_DRAWS, len(events)))
        chance = np.mean([count_matches(np.sort(draw), each.onsets) for draw in draws])
        matches = count_matches(events, each.onsets)
        counts.append(OnsetCounts(matches, float(chance), len(events) + len(each.onsets)))
    return counts


def _score(
    curves: Sequence[FloatArray], stretches: Sequence[FilmMotion], threshold: float
) -> tuple[float, float]:
    """Return the F-measure over all stretches together, and its chance level."""
    counts = count_onsets(curves, stretches, threshold)
    total = max(sum(each.total for each in counts), 1)
    matches, chance = (sum(each[which] for each in counts) for which in (0, 1))
    return 2 * matches / total, 2 * chance / total


def _f_and_precision(
    peaks: Sequence[tuple[FloatArray, FloatArray]],
    stretches: Sequence[FilmMotion],
    threshold: float,
) -> tuple[float, float]:
    matches = found = true = 0
    for each_peaks, each in zip(peaks, stretches, strict=True):
        events = keep_apart(*each_peaks, threshold)
        matches += count_matches(events, each.onsets)
        found, true = found + len(events), true + len(each.onsets)
    return 2 * matches / max(found + true, 1), matches / max(found, 1)


def _nearest(values: FloatArray, among: FloatArray) -> NDArray[np.int64]:
    """Return the index of the nearest of some ascending numbers for each value."""
    after = np.searchsorted(among, values).clip(1, max(len(among) - 1, 1))
    before = after - 1
    after = after.clip(0, len(among) - 1)
    return np.where(values - among[before] <= among[after] - values, before, after)


def _last_before(times: FloatArray, onsets: FloatArray) -> FloatArray:
    edge = np.concatenate([[-np.inf], onsets])
    return edge[np.searchsorted(onsets, times, side="right")]


def _first_after(times: FloatArray, onsets: FloatArray) -> FloatArray:
    edge = np.concatenate([onsets, [np.inf]])
    return edge[np.searchsorted(onsets, times, side="left")]


def without_zero(value: float) -> str:
    """Return a score of at most 1 with two decimals, as they are printed.

    Examples
    --------
    >>> without_zero(0.58), without_zero(-0.1), without_zero(1)
    ('.58', '-.10', '1.00')
    """
    return f"{value:.2f}".replace("0.", ".", 1)
