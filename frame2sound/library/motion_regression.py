"""Regressions from motion: when something sounds, and how loud events and the rest are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.motion import MOTION_NUMBERS, rescale_features
from frame2sound.brain.ridge_regression import (
    OnsetRegression,
    RandomUnits,
    RankedRegression,
    RidgeRegression,
)
from frame2sound.library.event_times import find_peaks, keep_apart, nearest_indices
from frame2sound.library.film_motion import FLOOR_DB, FilmMotion
from frame2sound.sound.onset_matching import count_matches

FloatArray = NDArray[np.float64]

ONSET_PENALTY, HIDDEN_PENALTY, LEVEL_PENALTY = 0.1, 0.3, 1.0
"""The ridge penalties, as shares of the number of examples."""

MOTION_FACTORS = (0.35, 0.7, 1.0, 1.4, 2.5)
"""Factors by which the motion that onsets are learned from is enlarged."""

MIN_DETECTED, RELIABLE_SHARE = 20, 0.8
"""Levels are learned from at least so many predicted events, if a smaller share of them is true."""

MIN_BED_SHARE = 0.1
"""Where less of a library is between events, the level of all its sound is learned."""


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
    stretches: Sequence[FilmMotion],
    curves: Sequence[FloatArray],
    threshold: float,
    *,
    in_order_of_motion: bool = False,
) -> RankedRegression:
    """Return the regression of the levels of events.

    ``curves`` are the onset curves of held-out blocks, and ``threshold`` is theirs.

    Where most predicted events of held-out blocks are true, it is fitted to the true onsets. Else
    it is fitted to the predicted events, right or wrong, and to how loud the film is there: where
    a prediction is often wrong, an event is quiet. With ``in_order_of_motion``, the more moves,
    the louder an event is.
    """
    pairs = [_true_events(each) for each in stretches]
    events = [
        keep_apart(*find_peaks(curve, each.times), threshold)
        for each, curve in zip(stretches, curves, strict=True)
    ]
    found = sum(map(len, events))
    matched = sum(
        count_matches(some, each.onsets) for some, each in zip(events, stretches, strict=True)
    )
    if found >= MIN_DETECTED and matched < RELIABLE_SHARE * found:
        pairs = [
            (each.features[nearest_indices(some, each.times)], each.levels_near(some))
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
    nearest = nearest_indices(each.onsets, each.times)
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


def _features(stretches: Sequence[FilmMotion], masks: Sequence[NDArray[np.bool_]]) -> FloatArray:
    parts = [each.features[mask] for each, mask in zip(stretches, masks, strict=False)]
    width = stretches[0].features.shape[1] if stretches else 0
    return np.concatenate([*parts, np.empty((0, width))])
