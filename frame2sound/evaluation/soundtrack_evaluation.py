"""All measures of a soundtrack: against the picture, the original soundtrack, the ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock, sample_at
from frame2sound.evaluation.controls import shuffle_seconds
from frame2sound.evaluation.envelopes import envelope_scores
from frame2sound.evaluation.frame_rate_hum import frame_rate_hum
from frame2sound.evaluation.lag import lag
from frame2sound.evaluation.levels import (
    INAUDIBLE_DB,
    Levels,
    level_error_db,
    masked_black_level_db,
)
from frame2sound.evaluation.measurements import BlackFrames, Measurements, Reference
from frame2sound.evaluation.onsets import carries_sync, count_onsets, in_sync, onset_chance
from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.evaluation.spectral_distance import log_spectral_distance
from frame2sound.film.drawing.scene import SceneTruth
from frame2sound.sound.onset_detection import detect_onsets

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

__all__ = [
    "BlackFrames",
    "Measurements",
    "Reference",
    "measure_controls",
    "measure_soundtrack",
    "shuffle_seconds",
]

NO_REFERENCE, NO_TRUTH = "needs a reference", "needs the truth"
NO_PICTURE, NEVER_BLACK = "needs the picture", "no frame has been black for 200 ms"
NO_KNOWN_ONSETS, NO_ONSETS = "needs a reference or the truth", "no onsets"
SILENT_REFERENCE = "the reference is silent"
CONSTANT_REFERENCE = "the reference hardly changes its level"
NOT_IN_SYNC = "the reference is hardly more in sync than when it is shifted"


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
    """Return every measure that can be computed of a soundtrack.

    Parameters
    ----------
    samples : array of shape (samples,)
        Mono, full scale 1.0; sample 0 is at 0 seconds of the film.
    sample_rate : int
        In Hz, at least 4000.
    fps : Fraction
        Frames per second of the picture.
    picture_seconds : Fraction, optional
        Length of the picture.
    black_frames : BlackFrames, optional
        Which frames of the picture are black.
    reference : Reference, optional
        The original soundtrack at the same sample rate and frame rate.
    truth : SceneTruth, optional
        Ground truth of a demo film; its onsets take precedence over the reference's.
    levels : Levels, optional
        Levels of all channels, if they were measured before.

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
    values: dict[str, Any] = {
        "loudness_lufs": levels.loudness_lufs,
        "true_peak_dbtp": levels.true_peak_dbtp,
        "clipped": levels.clipped,
    }
    why: dict[str, str] = {}
    for some, reason in (
        _against_picture(samples, sample_rate, picture_seconds, black_frames),
        _black_above_reference(samples, sample_rate, black_frames, reference),
        _against_onsets(samples, sample_rate, reference, truth),
        _in_sync(samples, sample_rate, reference, truth),
        _lag(samples, sample_rate, reference),
        _envelope(samples, sample_rate, reference),
        _distance(samples, sample_rate, reference),
        _against_truth(samples, sample_rate, truth),
        _frame_rate_hum(samples, sample_rate, fps, reference),
    ):
        values |= some
        why |= {name: reason for name, value in some.items() if value is None}
    why.pop("combs", None)
    return Measurements(**values, why=why)


def measure_controls(
    samples: Samples,
    sample_rate: int,
    fps: Fraction,
    *,
    black_frames: BlackFrames | None = None,
    reference: Reference | None = None,
    truth: SceneTruth | None = None,
) -> dict[str, Measurements]:
    """Return the measures of two controls: "silence", and "shuffled", whose seconds are shuffled.

    The seconds are those of the reference, or of ``samples`` if there is no reference. Without
    reference and ground truth there is nothing to compare with, and the result is empty.
    """
    if reference is None and truth is None:
        return {}
    original = samples if reference is None else reference.samples
    controls = {
        "silence": np.broadcast_to(np.float32(0), original.shape),
        "shuffled": shuffle_seconds(original, sample_rate),
    }
    return {
        name: measure_soundtrack(
            control, sample_rate, fps, black_frames=black_frames, reference=reference, truth=truth
        )
        for name, control in controls.items()
    }


ValuesAndReason = tuple[dict[str, Any], str]
"""Values of measures, and the reason for those that are None."""


def _against_picture(
    samples: Samples,
    sample_rate: int,
    picture_seconds: Fraction | None,
    black_frames: BlackFrames | None,
) -> ValuesAndReason:
    values: dict[str, Any] = {"black_db": None}
    if picture_seconds is not None:
        values["length_samples"] = len(samples) - sample_at(picture_seconds, sample_rate)
    if black_frames is None:
        return values, NO_PICTURE
    values["black_db"] = _black_db(samples, sample_rate, black_frames)
    return values, NEVER_BLACK


def _black_above_reference(
    samples: Samples,
    sample_rate: int,
    black_frames: BlackFrames | None,
    reference: Reference | None,
) -> ValuesAndReason:
    name = "black_above_db"
    if reference is None:
        return {name: None}, NO_REFERENCE
    if black_frames is None:
        return {name: None}, NO_PICTURE
    ours = _black_db(samples, sample_rate, black_frames)
    theirs = _black_db(reference.samples, sample_rate, black_frames)
    if ours is None or theirs is None:
        return {name: None}, NEVER_BLACK
    return {name: max(ours, INAUDIBLE_DB) - max(theirs, INAUDIBLE_DB)}, ""


def _black_db(samples: Samples, sample_rate: int, black_frames: BlackFrames) -> float | None:
    return masked_black_level_db(
        samples, sample_rate, black_frames.frame_times, black_frames.is_black
    )


def _known_onsets(reference: Reference | None, truth: SceneTruth | None) -> Times | None:
    if truth is not None:
        return np.array(truth.onsets, np.float64)
    return None if reference is None else reference.onsets


def _against_onsets(
    samples: Samples, sample_rate: int, reference: Reference | None, truth: SceneTruth | None
) -> ValuesAndReason:
    names = "onset_f", "onset_chance", "onset_chance_high"
    known = _known_onsets(reference, truth)
    if known is None:
        return dict.fromkeys(names), NO_KNOWN_ONSETS
    onsets = count_onsets(detect_onsets(samples, sample_rate), known)
    chance = onset_chance(onsets.estimated, onsets.reference, len(samples) / sample_rate)
    values = onsets.f_measure, chance and chance.mean, chance and chance.high
    return dict(zip(names, values, strict=True)), NO_ONSETS


def _in_sync(
    samples: Samples, sample_rate: int, reference: Reference | None, truth: SceneTruth | None
) -> ValuesAndReason:
    name = "in_sync"
    known = _known_onsets(reference, truth)
    if known is None or reference is None:
        return {name: None}, NO_REFERENCE
    if not carries_sync(reference.samples, known, sample_rate):
        return {name: None}, NOT_IN_SYNC
    return {name: in_sync(samples, known, sample_rate)}, NO_ONSETS


def _lag(samples: Samples, sample_rate: int, reference: Reference | None) -> ValuesAndReason:
    names = "lag_start_ms", "lag_end_ms"
    if reference is None:
        return dict.fromkeys(names), NO_REFERENCE
    delay = lag(samples, reference.samples, sample_rate)
    seconds = delay.start_seconds, delay.end_seconds
    values = (None if each is None else 1000 * each for each in seconds)
    return dict(zip(names, values, strict=True)), "no delay stands out"


def _envelope(samples: Samples, sample_rate: int, reference: Reference | None) -> ValuesAndReason:
    names = "envelope_correlation", "envelope_error"
    if reference is None:
        return dict.fromkeys(names), NO_REFERENCE
    scores = envelope_scores(samples, reference.samples, sample_rate)
    values = scores.correlation, scores.mean_absolute_error
    return dict(zip(names, values, strict=True)), CONSTANT_REFERENCE


def _distance(samples: Samples, sample_rate: int, reference: Reference | None) -> ValuesAndReason:
    names = "spectral_distance_db", "silence_distance_db"
    if reference is None:
        return dict.fromkeys(names), NO_REFERENCE
    distance = log_spectral_distance(samples, reference.samples, sample_rate)
    values = distance, reference.silence_distance_db
    return dict(zip(names, values, strict=True)), SILENT_REFERENCE


def _against_truth(samples: Samples, sample_rate: int, truth: SceneTruth | None) -> ValuesAndReason:
    if truth is None:
        return dict.fromkeys(("pitch", "level_error_db")), NO_TRUTH
    frame_times = truth.clock.frame_times(truth.frame_count + 1)
    bounds = Clock(truth.clock.fps, sample_rate).sample_bounds(truth.frame_count)
    return {
        "pitch": pitch_accuracy(samples, sample_rate, truth.pitch_hz, frame_times),
        "level_error_db": level_error_db(samples, truth.loudness_db, bounds),
    }, "not in the truth"


def _frame_rate_hum(
    samples: Samples, sample_rate: int, fps: Fraction, reference: Reference | None
) -> ValuesAndReason:
    values: dict[str, Any] = dict.fromkeys(
        ("line_comb_db", "tremolo_comb_db", "line_comb_above_db", "tremolo_comb_above_db", "combs")
    )
    hum = frame_rate_hum(samples, sample_rate, fps) if fps <= sample_rate // 8 else None
    if hum is None:
        return values, "the sound is silent or too short, or the frame rate is too high"
    values |= {"combs": hum, "line_comb_db": hum.line_db, "tremolo_comb_db": hum.tremolo_db}
    if reference is None:
        return values, NO_REFERENCE
    theirs = reference.frame_rate_hum
    if theirs is not None:
        values["line_comb_above_db"] = _max_above(hum.line, theirs.line)
        values["tremolo_comb_above_db"] = _max_above(hum.tremolo, theirs.tremolo)
    return values, "the reference is silent or too short"


def _max_above(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """Return the largest difference of any band, in dB; bands below 0 dB in ``theirs`` count as 0.

    Bands that ``theirs`` lacks count as 0 dB too.
    """
    return max(height - max(theirs.get(band, 0.0), 0.0) for band, height in ours.items())
