"""All measures of one soundtrack at once: against its picture, the film's own sound, the truth."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock, sample_at
from frame2sound.evaluation import measures
from frame2sound.evaluation.combs import combs
from frame2sound.evaluation.figures import Figures, Reference, Screen
from frame2sound.evaluation.levels import INAUDIBLE_DB, Levels, dark_level_db, level_error_db
from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.evaluation.spectra import log_spectral_distance
from frame2sound.film.scene import Truth

Sound = NDArray[np.floating]

__all__ = ["Figures", "Reference", "Screen", "baselines", "measure_sound", "shuffled"]

NO_REFERENCE, NO_TRUTH = "needs a reference", "needs the truth"
NO_PICTURE, NEVER_BLACK = "needs the picture", "no frame has been black for 200 ms"
NO_EVENTS = "needs a reference or the truth"

_MOST_DRAWS, _GUESSES = 200, 100_000


def measure_sound(
    sound: Sound,
    sample_rate: int,
    fps: Fraction,
    *,
    seconds: Fraction | None = None,
    screen: Screen | None = None,
    reference: Reference | None = None,
    truth: Truth | None = None,
    levels: Levels | None = None,
) -> Figures:
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
    if sound.ndim != 1:
        raise ValueError(f"got sound of shape {sound.shape}, expected (samples,)")
    if reference is not None and (reference.sample_rate, reference.fps) != (sample_rate, fps):
        raise ValueError(
            f"got a reference of {reference.sample_rate} Hz and {reference.fps} fps, "
            f"expected {sample_rate} Hz and {fps} fps"
        )
    levels = levels or Levels.of(sound, sample_rate)
    found: dict[str, Any] = {
        "loudness_lufs": levels.loudness,
        "true_peak_dbtp": levels.true_peak,
        "clipped": levels.clipped,
    }
    why: dict[str, str] = {}
    for figures, reason in (
        _against_picture(sound, sample_rate, seconds, screen),
        _in_the_dark(sound, sample_rate, screen, reference),
        _against_events(sound, sample_rate, reference, truth),
        _against_reference(sound, sample_rate, reference),
        _against_truth(sound, sample_rate, truth),
        _hum(sound, sample_rate, fps, reference),
    ):
        found |= figures
        why |= {name: reason for name, value in figures.items() if value is None}
    why.pop("combs", None)
    return Figures(**found, why=why)


def baselines(
    sound: Sound,
    sample_rate: int,
    fps: Fraction,
    *,
    screen: Screen | None = None,
    reference: Reference | None = None,
    truth: Truth | None = None,
) -> dict[str, Figures]:
    """Return the figures of sounds that do not look: silence, and shuffled seconds.

    The seconds are those of the reference, or of the sound itself where there is none. Without
    reference and truth no baseline means anything, and there is none.
    """
    if reference is None and truth is None:
        return {}
    own = sound if reference is None else reference.sound
    blind = {
        "silence": np.broadcast_to(np.float32(0), own.shape),
        "shuffled": shuffled(own, sample_rate),
    }
    return {
        name: measure_sound(
            other, sample_rate, fps, screen=screen, reference=reference, truth=truth
        )
        for name, other in blind.items()
    }


def shuffled(sound: Sound, sample_rate: int, seed: int = 0) -> Sound:
    """Return a sound with none of its whole seconds in its place; what is left over stays last."""
    whole = len(sound) // sample_rate * sample_rate
    seconds = sound[:whole].reshape(-1, sample_rate)
    round_trip = np.random.default_rng(seed).permutation(len(seconds))
    elsewhere = np.empty_like(seconds)
    elsewhere[round_trip] = seconds[np.roll(round_trip, 1)]
    return np.concatenate([elsewhere.ravel(), sound[whole:]])


Found = tuple[dict[str, Any], str]
"""Figures, and why those that are None are."""


def _against_picture(
    sound: Sound, sample_rate: int, seconds: Fraction | None, screen: Screen | None
) -> Found:
    found: dict[str, Any] = {"black_db": None}
    if seconds is not None:
        found["length_samples"] = len(sound) - sample_at(seconds, sample_rate)
    if screen is None:
        return found, NO_PICTURE
    found["black_db"] = dark_level_db(sound, sample_rate, screen.times, screen.dark)
    return found, NEVER_BLACK


def _in_the_dark(
    sound: Sound, sample_rate: int, screen: Screen | None, reference: Reference | None
) -> Found:
    name = "black_above_db"
    if reference is None:
        return {name: None}, NO_REFERENCE
    if screen is None:
        return {name: None}, NO_PICTURE
    ours, theirs = (
        dark_level_db(each, sample_rate, screen.times, screen.dark)
        for each in (sound, reference.sound)
    )
    if ours is None or theirs is None:
        return {name: None}, NEVER_BLACK
    return {name: max(ours, INAUDIBLE_DB) - max(theirs, INAUDIBLE_DB)}, ""


def _against_events(
    sound: Sound, sample_rate: int, reference: Reference | None, truth: Truth | None
) -> Found:
    names = "onset_f", "onset_chance", "in_sync"
    if truth is not None:
        events = np.array(truth.onsets)
    elif reference is not None:
        events = reference.onsets
    else:
        return dict.fromkeys(names), NO_EVENTS
    heard = measures.onsets(sound, sample_rate)
    draws = int(np.clip(_GUESSES // max(1, len(heard) + len(events)), 5, _MOST_DRAWS))
    seconds = max(len(sound), 1) / sample_rate
    values = (
        measures.onset_scores(heard, events).f_measure,
        measures.onset_chance(len(heard), events, seconds, draws),
        measures.in_sync(sound, events, sample_rate),
    )
    return dict(zip(names, values, strict=True)), "nothing begins to sound"


def _against_reference(sound: Sound, sample_rate: int, reference: Reference | None) -> Found:
    names = (
        "lag_start_ms",
        "lag_end_ms",
        "envelope_correlation",
        "envelope_error",
        "spectral_distance_db",
    )
    if reference is None:
        return dict.fromkeys(names), NO_REFERENCE
    late = measures.lag(sound, reference.sound, sample_rate)
    envelope = measures.envelope_scores(sound, reference.sound, sample_rate)
    values = (
        None if late.start is None else 1000 * late.start,
        None if late.end is None else 1000 * late.end,
        envelope.correlation,
        envelope.mean_absolute_error,
        log_spectral_distance(sound, reference.sound, sample_rate),
    )
    return dict(zip(names, values, strict=True)), "nothing begins to sound there"


def _against_truth(sound: Sound, sample_rate: int, truth: Truth | None) -> Found:
    if truth is None:
        return dict.fromkeys(("pitch", "level_error_db")), NO_TRUTH
    times = truth.clock.times(truth.frames + 1)
    bounds = Clock(truth.clock.fps, sample_rate).bounds(truth.frames)
    return {
        "pitch": pitch_accuracy(sound, sample_rate, truth.pitch_hz, times),
        "level_error_db": level_error_db(sound, truth.loudness_db, bounds),
    }, "the truth has none"


def _hum(sound: Sound, sample_rate: int, fps: Fraction, reference: Reference | None) -> Found:
    found: dict[str, Any] = dict.fromkeys(
        ("line_comb_db", "tremolo_comb_db", "line_comb_above_db", "tremolo_comb_above_db", "combs")
    )
    heard = combs(sound, sample_rate, fps) if fps <= sample_rate // 8 else None
    if heard is None:
        return found, "silent, too short, or of too many frames a second"
    found |= {
        "combs": heard,
        "line_comb_db": heard.line_db,
        "tremolo_comb_db": heard.tremolo_db,
    }
    if reference is None:
        return found, NO_REFERENCE
    theirs = reference.combs
    if theirs is not None:
        found["line_comb_above_db"] = _most_above(heard.line, theirs.line)
        found["tremolo_comb_above_db"] = _most_above(heard.tremolo, theirs.tremolo)
    return found, "the reference is silent, or too short"


def _most_above(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """Return the worst difference of any band; one that the reference lacks has 0 dB there."""
    return max(height - max(theirs.get(band, 0.0), 0.0) for band, height in ours.items())
