"""All measures of one soundtrack at once: against its picture, the film's own sound, the truth."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock, sample_at
from frame2sound.evaluation import measures
from frame2sound.evaluation.frame_rate_hum import frame_rate_hum
from frame2sound.evaluation.levels import (
    INAUDIBLE_DB,
    Levels,
    level_error_db,
    masked_black_level_db,
)
from frame2sound.evaluation.measurements import BlackFrames, Measurements, Reference
from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.evaluation.spectral_distance import log_spectral_distance
from frame2sound.film.drawing.scene import SceneTruth

Samples = NDArray[np.floating]

__all__ = [
    "Measurements",
    "Reference",
    "BlackFrames",
    "measure_controls",
    "measure_soundtrack",
    "shuffle_seconds",
]

NO_REFERENCE, NO_TRUTH = "needs a reference", "needs the truth"
NO_PICTURE, NEVER_BLACK = "needs the picture", "no frame has been black for 200 ms"
NO_EVENTS = "needs a reference or the truth"

_MAX_DRAWS, _MAX_GUESSES = 200, 100_000


def measure_soundtrack(
    samples: Samples,
    sample_rate: int,
    fps: Fraction,
    *,
    picture_seconds: Fraction | None = None,
    black_frames: BlackFrames | None = None,
    reference: Reference | None = None,
    truth: SceneTruth | None = None,
    levels: Levels | None = None,
) -> Measurements:
    """Return every figure that can be computed of a soundtrack.

    Parameters
    ----------
    sound : array of shape (samples,)
        Mono, full scale 1.0; sample 0 is time 0 of the film.
    sample_rate : int
        In Hz, at least 4000.
    fps : Fraction
        Frames a second of the picture.
    seconds : Fraction, optional
        How long the picture is.
    screen : Screen, optional
        The picture's frames.
    reference : Reference, optional
        The film's own sound at the same rates.
    truth : Truth, optional
        What happens in the film; its onsets count before the reference's.
    levels : Levels, optional
        If known already, as of all channels.

    Raises
    ------
    ValueError
        The sound is not mono, is not finite, or has another rate than the reference.
    """
    if samples.ndim != 1:
        raise ValueError(f"got sound of shape {samples.shape}, expected (samples,)")
    if reference is not None and (reference.sample_rate, reference.fps) != (sample_rate, fps):
        raise ValueError(
            f"got a reference of {reference.sample_rate} Hz and {reference.fps} fps, "
            f"expected {sample_rate} Hz and {fps} fps"
        )
    levels = levels or Levels.from_samples(samples, sample_rate)
    found: dict[str, Any] = {
        "loudness_lufs": levels.loudness_lufs,
        "true_peak_dbtp": levels.true_peak_dbtp,
        "clipped": levels.clipped,
    }
    why: dict[str, str] = {}
    for figures, reason in (
        _against_picture(samples, sample_rate, picture_seconds, black_frames),
        _black_above_reference(samples, sample_rate, black_frames, reference),
        _against_events(samples, sample_rate, reference, truth),
        _against_reference(samples, sample_rate, reference),
        _against_truth(samples, sample_rate, truth),
        _frame_rate_hum(samples, sample_rate, fps, reference),
    ):
        found |= figures
        why |= {name: reason for name, value in figures.items() if value is None}
    why.pop("combs", None)
    return Measurements(**found, why=why)


def measure_controls(
    samples: Samples,
    sample_rate: int,
    fps: Fraction,
    *,
    black_frames: BlackFrames | None = None,
    reference: Reference | None = None,
    truth: SceneTruth | None = None,
) -> dict[str, Measurements]:
    """Return the figures of sounds that do not look: silence, and shuffled seconds.

    The seconds are those of the reference, or of the sound itself where there is none. Without
    reference and truth no baseline means anything, and there is none.
    """
    if reference is None and truth is None:
        return {}
    own = samples if reference is None else reference.samples
    blind = {
        "silence": np.broadcast_to(np.float32(0), own.shape),
        "shuffled": shuffle_seconds(own, sample_rate),
    }
    return {
        name: measure_soundtrack(
            other, sample_rate, fps, black_frames=black_frames, reference=reference, truth=truth
        )
        for name, other in blind.items()
    }


def shuffle_seconds(samples: Samples, sample_rate: int, seed: int = 0) -> Samples:
    """Return a sound with none of its whole seconds in its place; what is left over stays last."""
    whole = len(samples) // sample_rate * sample_rate
    seconds = samples[:whole].reshape(-1, sample_rate)
    round_trip = np.random.default_rng(seed).permutation(len(seconds))
    elsewhere = np.empty_like(seconds)
    elsewhere[round_trip] = seconds[np.roll(round_trip, 1)]
    return np.concatenate([elsewhere.ravel(), samples[whole:]])


ValuesAndReason = tuple[dict[str, Any], str]
"""Figures, and why those that are None are."""


def _against_picture(
    sound: Samples, sample_rate: int, seconds: Fraction | None, screen: BlackFrames | None
) -> ValuesAndReason:
    found: dict[str, Any] = {"black_db": None}
    if seconds is not None:
        found["length_samples"] = len(sound) - sample_at(seconds, sample_rate)
    if screen is None:
        return found, NO_PICTURE
    found["black_db"] = masked_black_level_db(
        sound, sample_rate, screen.frame_times, screen.is_black
    )
    return found, NEVER_BLACK


def _black_above_reference(
    sound: Samples, sample_rate: int, screen: BlackFrames | None, reference: Reference | None
) -> ValuesAndReason:
    name = "black_above_db"
    if reference is None:
        return {name: None}, NO_REFERENCE
    if screen is None:
        return {name: None}, NO_PICTURE
    ours, theirs = (
        masked_black_level_db(each, sample_rate, screen.frame_times, screen.is_black)
        for each in (sound, reference.samples)
    )
    if ours is None or theirs is None:
        return {name: None}, NEVER_BLACK
    return {name: max(ours, INAUDIBLE_DB) - max(theirs, INAUDIBLE_DB)}, ""


def _against_events(
    sound: Samples, sample_rate: int, reference: Reference | None, truth: SceneTruth | None
) -> ValuesAndReason:
    names = "onset_f", "onset_chance", "in_sync"
    if truth is not None:
        events = np.array(truth.onsets)
    elif reference is not None:
        events = reference.onsets
    else:
        return dict.fromkeys(names), NO_EVENTS
    heard = measures.detect_onsets(sound, sample_rate)
    draws = int(np.clip(_MAX_GUESSES // max(1, len(heard) + len(events)), 5, _MAX_DRAWS))
    seconds = max(len(sound), 1) / sample_rate
    values = (
        measures.onset_scores(heard, events).f_measure,
        measures.onset_chance(len(heard), events, seconds, draws),
        measures.in_sync(sound, events, sample_rate),
    )
    return dict(zip(names, values, strict=True)), "nothing begins to sound"


def _against_reference(
    sound: Samples, sample_rate: int, reference: Reference | None
) -> ValuesAndReason:
    names = (
        "lag_start_ms",
        "lag_end_ms",
        "envelope_correlation",
        "envelope_error",
        "spectral_distance_db",
    )
    if reference is None:
        return dict.fromkeys(names), NO_REFERENCE
    late = measures.lag(sound, reference.samples, sample_rate)
    envelope = measures.envelope_scores(sound, reference.samples, sample_rate)
    values = (
        None if late.start_seconds is None else 1000 * late.start_seconds,
        None if late.end_seconds is None else 1000 * late.end_seconds,
        envelope.correlation,
        envelope.mean_absolute_error,
        log_spectral_distance(sound, reference.samples, sample_rate),
    )
    return dict(zip(names, values, strict=True)), "nothing begins to sound there"


def _against_truth(sound: Samples, sample_rate: int, truth: SceneTruth | None) -> ValuesAndReason:
    if truth is None:
        return dict.fromkeys(("pitch", "level_error_db")), NO_TRUTH
    times = truth.clock.frame_times(truth.frame_count + 1)
    bounds = Clock(truth.clock.fps, sample_rate).sample_bounds(truth.frame_count)
    return {
        "pitch": pitch_accuracy(sound, sample_rate, truth.pitch_hz, times),
        "level_error_db": level_error_db(sound, truth.loudness_db, bounds),
    }, "the truth has none"


def _frame_rate_hum(
    sound: Samples, sample_rate: int, fps: Fraction, reference: Reference | None
) -> ValuesAndReason:
    found: dict[str, Any] = dict.fromkeys(
        ("line_comb_db", "tremolo_comb_db", "line_comb_above_db", "tremolo_comb_above_db", "combs")
    )
    heard = frame_rate_hum(sound, sample_rate, fps) if fps <= sample_rate // 8 else None
    if heard is None:
        return found, "silent, too short, or of too many frames a second"
    found |= {
        "combs": heard,
        "line_comb_db": heard.line_db,
        "tremolo_comb_db": heard.tremolo_db,
    }
    if reference is None:
        return found, NO_REFERENCE
    theirs = reference.frame_rate_hum
    if theirs is not None:
        found["line_comb_above_db"] = _max_above(heard.line, theirs.line)
        found["tremolo_comb_above_db"] = _max_above(heard.tremolo, theirs.tremolo)
    return found, "the reference is silent, or too short"


def _max_above(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """Return the worst difference of any band; one that the reference lacks has 0 dB there."""
    return max(height - max(theirs.get(band, 0.0), 0.0) for band, height in ours.items())
