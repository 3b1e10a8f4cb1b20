"""Fits a brain's motion head to a library, and decides what it may say.

Both heads are judged on film that neither has learned: the network on the held-out pairs, the
regressions on blocks that they were not fitted to. Whichever predicts onsets better speaks for
events, and whichever predicts levels better for the level. The network's spectra are used if they
are nearer to the truth than the mean spectrum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.event_head import KNOWN_LEVEL, HeadSettings, MotionHead, Source
from frame2sound.brain.spectra import LEVEL_WEIGHT, LogMagnitudes
from frame2sound.library.coupling import (
    HeldOutCurves,
    correlation,
    scale_curves,
    usual_scale,
)
from frame2sound.library.event_threshold import best_threshold
from frame2sound.library.film_loudness import with_gain
from frame2sound.library.film_motion import FLOOR_DB, FilmMotion
from frame2sound.library.motion_regression import (
    fit_bed,
    fit_event_level,
    fit_frame_level,
    fit_onset,
)
from frame2sound.sound.onset_detection import detect_onsets
from frame2sound.sound.onset_matching import count_matches
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.losses import predict_in_order

FloatArray = NDArray[np.float64]

MIN_ONSET_GAIN = 0.1
"""Motion speaks for events only if its F-measure is so much above chance."""

MIN_LEVEL_CORRELATION = 0.2
"""Motion speaks for the level only from this correlation on."""

EVENT_ADVANTAGE, LEVEL_ADVANTAGE = 0.15, 0.05
"""By how much the motion head must be better than the network, in F-measure and in correlation."""

KNOWN_ONSETS = 0.8
"""A network that predicts onsets so well knows when there is silence; it keeps the level too."""

LUCK = 0.6
"""A network's F-measure may be luck if it is lower, or its standard error reaches below this."""

RISE_DB = 6.0
"""The network predicts an onset where its level rises by more from one frame to the next."""

MIN_ONSETS = 8
"""With fewer held-out onsets, the network's score for onsets is not trusted."""

SPECTRUM_RATIO = 0.95
"""The network knows the spectrum if its error is below this share of the mean spectrum's."""

BATCH_PAIRS = 256


Decision = Literal["held-out", "motion", "network"]
"""How it is decided who speaks; see `frame2sound.brain.config.EventsConfig`."""

_SPEAKERS: dict[Decision, Source] = {"motion": "motion", "network": "picture"}


@dataclass(frozen=True)
class NetworkScores:
    """How well the network predicts held-out film.

    Attributes
    ----------
    onset_f : float
    onset_count : int
        True onsets in the held-out film.
    level_correlation : float
        In dB; 0 if nothing is held out.
    spectrum_ratio : float
        The error of its spectra's shape, relative to that of the mean shape; 1 if nothing is held
        out.
    """

    onset_f: float = 0.0
    onset_count: int = 0
    level_correlation: float = 0.0
    spectrum_ratio: float = 1.0


def fit_motion_head(
    stretches: Sequence[FilmMotion],
    held_out: HeldOutCurves,
    network: NetworkScores,
    decide: Decision = "held-out",
) -> MotionHead:
    """Return the motion head for stretches of film, with its decisions."""
    everything = [np.ones(len(each.times), np.bool_) for each in stretches]
    onset = fit_onset(stretches, everything, held_out.hidden_units)
    levels = np.concatenate([each.frame_db for each in stretches])
    curves = [onset.predict(each.features) for each in stretches]
    usual = usual_scale(curves)
    coupling = held_out.coupling
    settings = HeadSettings(
        threshold=best_threshold(scale_curves(curves, usual), stretches),
        event_scale=usual,
        hidden_units=held_out.hidden_units,
        events=_SPEAKERS.get(decide) or _choose_events(held_out, network),
        level=_SPEAKERS.get(decide) or _choose_level(held_out, network),
        spectrum="picture" if network.spectrum_ratio < SPECTRUM_RATIO else "mean",
        onset_f=coupling.onset_f,
        onset_chance=coupling.onset_chance,
        level_correlation=coupling.level_correlation,
        network_onset_f=network.onset_f,
        network_level_correlation=network.level_correlation,
        loud_level_db=float(np.quantile(levels, 0.9)),
    )
    return MotionHead(
        onset=onset,
        event_level=fit_event_level(
            stretches, held_out.onset, held_out.threshold, in_order_of_motion=decide == "motion"
        ),
        bed=fit_bed(stretches, in_order_of_motion=decide == "motion"),
        level=fit_frame_level(stretches, everything, match_spread=True),
        settings=settings,
    )


def score_network(brain: Brain, examples: ExampleCache, held_out: ExampleCache) -> NetworkScores:
    """Return how well a brain's network predicts the held-out pairs."""
    target = brain.target
    if not len(held_out) or not isinstance(target, LogMagnitudes):
        return NetworkScores()
    predicted, true = _held_out_outputs(brain, held_out)
    mean = _mean_shape(examples, target)
    ours, theirs = _levels_db(predicted, target), _levels_db(true, target)
    matches = total = onset_count = 0
    for run in held_out.pairs.contiguous_runs():
        found, onsets = _rises(ours[run], brain), _true_onsets(held_out, run)
        matches += count_matches(found, onsets)
        total += len(found) + len(onsets)
        onset_count += len(onsets)
    sounding = theirs > FLOOR_DB
    error = np.abs(_shapes(predicted, target) - _shapes(true, target))[sounding]
    error_of_mean = np.abs(mean - _shapes(true, target))[sounding]
    return NetworkScores(
        onset_f=2 * matches / max(total, 1),
        onset_count=onset_count,
        level_correlation=correlation(ours, theirs),
        spectrum_ratio=float(error.mean() / max(error_of_mean.mean(), 1e-9)) if len(error) else 1.0,
    )


def _choose_events(held_out: HeldOutCurves, network: NetworkScores) -> Source:
    coupling = held_out.coupling
    if coupling.onset_f - coupling.onset_chance < MIN_ONSET_GAIN:
        return "picture"
    if network.level_correlation >= KNOWN_LEVEL:
        return "picture"
    trusted = network.onset_f if _surely_known(network) else 0.0
    return "motion" if coupling.onset_f > trusted + EVENT_ADVANTAGE else "picture"


def _surely_known(network: NetworkScores) -> bool:
    """Return whether the network's score for onsets is more than the luck of a few."""
    if network.onset_count < MIN_ONSETS:
        return False
    f = network.onset_f
    return f - math.sqrt(f * (1 - f) / network.onset_count) >= LUCK


def _choose_level(held_out: HeldOutCurves, network: NetworkScores) -> Source:
    ours = held_out.coupling.level_correlation
    if ours < MIN_LEVEL_CORRELATION:
        return "picture"
    if network.onset_count >= MIN_ONSETS and network.onset_f >= KNOWN_ONSETS:
        return "picture"
    return "motion" if ours > network.level_correlation + LEVEL_ADVANTAGE else "picture"


def _held_out_outputs(brain: Brain, held_out: ExampleCache) -> tuple[torch.Tensor, torch.Tensor]:
    parts = []
    with torch.inference_mode():
        for _, predictions, targets in predict_in_order(brain.network, held_out, BATCH_PAIRS):
            parts.append((predictions.float().cpu().clone(), targets.float().cpu().clone()))
    predicted, true = (torch.cat(part) for part in zip(*parts, strict=True))
    return predicted, true


def _levels_db(output: torch.Tensor, target: LogMagnitudes) -> FloatArray:
    """Return the level of each frame: that of its windows' mean power, in dB relative to scale."""
    decades = output[:, target.levels].double().clamp(0) / LEVEL_WEIGHT
    power = torch.expm1(decades * (2 * np.log(10))).mean(dim=1).clamp(1e-12)
    levels = np.asarray((10 * torch.log10(power)).numpy(), np.float64) + target.recipe.floor_db
    return np.asarray(np.maximum(levels, FLOOR_DB))


def _shapes(output: torch.Tensor, target: LogMagnitudes) -> FloatArray:
    """Return the mean spectrum of each frame in decades, without its level, ``(n, bins)``."""
    bins = target.split_windows(output)[..., 1:].clamp(0).mean(dim=1).double()
    shapes: FloatArray = (bins - bins.mean(dim=1, keepdim=True)).numpy()
    return shapes


def _mean_shape(examples: ExampleCache, target: LogMagnitudes) -> FloatArray:
    indices = examples.pairs.spread_indices(16 * BATCH_PAIRS)
    sums, count = np.zeros(target.numbers - 1), 0
    for part in np.array_split(indices, max(-(-len(indices) // BATCH_PAIRS), 1)):
        output = examples.load_targets(part).float().cpu()
        sounding = _levels_db(output, target) > FLOOR_DB
        sums += _shapes(output, target)[sounding].sum(axis=0)
        count += int(sounding.sum())
    return sums / max(count, 1)


def _rises(levels_db: FloatArray, brain: Brain) -> FloatArray:
    """Return the times at which predicted levels rise, from the start of their run."""
    rise = np.diff(levels_db, prepend=levels_db[:1])
    later = np.append(rise[1:], -np.inf)
    at = np.flatnonzero((rise > RISE_DB) & (rise >= later))
    return at / float(brain.clock.fps)


def _true_onsets(held_out: ExampleCache, run: NDArray[np.int64]) -> FloatArray:
    """Return the onsets of the film's sound in a run of pairs, from the run's start."""
    pairs = held_out.pairs
    number = pairs.film_indices[run[0]]
    film = pairs.films[number]
    rate = film.card.sample_rate
    start, stop = int(pairs.start_samples[run[0]]), int(pairs.start_samples[run[-1]])
    lead = min(start, rate)
    sound = with_gain(np.array(film.sound[start - lead : stop]), pairs.gains_db[number])
    onsets = detect_onsets(sound, rate) - lead / rate
    return np.asarray(onsets[onsets >= 0], np.float64)
