"""How many of a drawn film's notes are found."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.scene import SceneTruth
from frame2sound.listening.notes import Note

TrueNote = tuple[float, float]
"""When a note begins, in seconds, and its pitch in hertz."""

ALONE_FRAMES = 4
"""Frames for which a note must be the only one, or stay at one semitone, to count."""

TOLERANCE_SECONDS, TOLERANCE_CENTS = 0.05, 50.0

_GLIDING = ("theremin", "machine")


def true_notes(truth: SceneTruth) -> list[TrueNote]:
    """Return the notes of a drawn film.

    In films of struck or sustained tones, a note begins at each onset from which on a single tone
    sounds for four frames: where several do, there is no one pitch. In films that glide, a note is
    a stretch of at least four frames whose pitch is nearest to one semitone, at A4 = 440 Hz; it
    begins where the pitch has come half-way from the note before, or with the sound.
    """
    return _gliding_notes(truth) if truth.film in _GLIDING else _struck_notes(truth)


def note_hits(truth: Sequence[TrueNote], found: Sequence[Note]) -> NDArray[np.bool_]:
    """Return which true notes are found within 50 ms and 50 cents; a note is found once."""
    free = list(found)
    hits = np.zeros(len(truth), bool)
    for number, (seconds, hz) in enumerate(truth):
        fitting = [
            note
            for note in free
            if abs(note.start_seconds - seconds) <= TOLERANCE_SECONDS
            and abs(1200 * math.log2(note.hz / hz)) <= TOLERANCE_CENTS
        ]
        if fitting:
            free.remove(min(fitting, key=lambda note: abs(note.start_seconds - seconds)))
            hits[number] = True
    return hits


def false_notes(truth: SceneTruth, found: Sequence[Note]) -> tuple[int, int]:
    """Return how many notes begin where a single tone sounds, and how many of them are wrong.

    A note is wrong if its pitch is off by more than 50 cents from those of all frames in which it
    sounds.
    """
    count = wrong = 0
    for note in found:
        first, last = (
            min(int(seconds * truth.clock.fps), truth.frame_count - 1)
            for seconds in (note.start_seconds, note.end_seconds)
        )
        if truth.pitch_hz[first] is not None:
            known = [hz for hz in truth.pitch_hz[first : last + 1] if hz is not None]
            off = min(abs(1200 * math.log2(note.hz / hz)) for hz in known)
            count, wrong = count + 1, wrong + (off > TOLERANCE_CENTS)
    return count, wrong


def _struck_notes(truth: SceneTruth) -> list[TrueNote]:
    notes = []
    for onset in truth.onsets:
        first = math.floor(onset * truth.clock.fps + 1e-6)
        pitches = truth.pitch_hz[first : first + ALONE_FRAMES]
        if len(pitches) == ALONE_FRAMES and pitches[0] is not None and len(set(pitches)) == 1:
            notes.append((onset, pitches[0]))
    return notes


def _gliding_notes(truth: SceneTruth) -> list[TrueNote]:
    fps = float(truth.clock.fps)
    pitches = [math.nan if hz is None else hz for hz in truth.pitch_hz]
    semitones = 12 * np.log2(np.array(pitches) / 440)
    nearest = np.round(semitones)
    changed = np.flatnonzero(np.append(True, nearest[1:] != nearest[:-1]))
    ends = np.append(changed[1:], len(nearest))
    notes: list[TrueNote] = []
    before: tuple[int, float] | None = None
    for first, last in zip(changed.tolist(), ends.tolist(), strict=True):
        if last - first < ALONE_FRAMES or np.isnan(nearest[first]):
            continue
        start = first / fps
        if before is not None and not np.isnan(semitones[before[0] : first]).any():
            half = (before[1] + nearest[first]) / 2
            start = _crossing(semitones, before[0] - 1, first, half) / fps
        notes.append((start, 440 * 2 ** (float(nearest[first]) / 12)))
        before = last, float(nearest[first])
    return notes


def _crossing(values: NDArray[np.float64], first: int, last: int, level: float) -> float:
    """Return where values at the middles of frames cross a level last, in frames."""
    part = values[first : last + 1] - level
    crossings = np.flatnonzero(part[:-1] * part[1:] <= 0)
    if not len(crossings):
        return float(last)
    at = int(crossings[-1])
    step = part[at + 1] - part[at]
    return first + at + 0.5 + (float(-part[at] / step) if step else 0.0)
