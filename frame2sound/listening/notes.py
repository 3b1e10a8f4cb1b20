"""Notes of a monophonic sound: stretches of stable pitch, found as its pitch comes.

A note begins where a pitch begins, at an onset at which the level rises, or where the pitch moves
on to another that lasts; a glide is cut half-way between the pitches that it joins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from frame2sound.listening.pitch_track import PitchTrack
from frame2sound.sound.scale import CONCERT_PITCH_HZ, Scale, nearest_tone_hz

FloatArray = NDArray[np.float64]

MIN_NOTE_SECONDS = 0.05
"""Shortest time for which the pitch of a note is within a quarter tone of its own."""

REPEAT_RISE_DB = 3.0
"""An onset within one pitch begins a new note if the level rises by this."""

_GRID_CENTS = 20.0  # between the pitches that are considered
_FULL_CENTS = 100.0  # deviation from which on a frame does not belong to a pitch at all
_FAR_COST = 0.02  # a semitone: of a wide glide, each half is nearer to its own end
_CHANGE_SECONDS = 0.055  # for how long another pitch must fit entirely to be worth a change
_STABLE_CENTS = 50.0
_ONSET_REACH_SECONDS = 0.06  # an onset moves the beginning of a note by at most this
_GAP_SECONDS = 0.025  # longer without pitch, a note ends
_LONGEST_SECONDS = 60.0  # pitch without a gap that is kept in memory
_DIP_SECONDS, _RISE_SECONDS = 0.03, 0.08  # before and after an onset, in which levels are compared


@dataclass(frozen=True)
class Note:
    """A note: when it begins and ends in seconds, its pitch in hertz, and its level in dBFS."""

    start_seconds: float
    end_seconds: float
    hz: float
    level_db: float


def tuned(notes: Iterable[Note], scale: Scale) -> list[Note]:
    """Return notes with the nearest tones of a scale as their pitches.

    >>> tuned([Note(0.0, 1.0, 452.0, -6.0)], Scale.equal(12, 440.0))[0].hz
    440.0
    """
    return [replace(note, hz=nearest_tone_hz(note.hz, scale)) for note in notes]


class NoteFinder:
    """Finds notes in a pitch track that comes in parts."""

    def __init__(self) -> None:
        self._parts: list[PitchTrack] = []
        self._onsets = np.zeros(0)

    def process(self, track: PitchTrack, onsets: FloatArray, known_seconds: float) -> list[Note]:
        """Take the next frames and onsets; return the notes that have ended.

        Parameters
        ----------
        track : PitchTrack
            The next frames.
        onsets : array of shape (n,)
            New onsets in seconds.
        known_seconds : float
            Up to when all onsets have been given.
        """
        self._parts.append(track)
        self._onsets = np.concatenate([self._onsets, onsets])
        held = PitchTrack.joined(self._parts)
        decided = int(np.searchsorted(held.seconds, known_seconds - 2 * _ONSET_REACH_SECONDS))
        gaps = _gap_ends(held)
        ends = gaps[gaps <= decided]
        too_long = decided > 1 and held.seconds[decided - 1] - held.seconds[0] > _LONGEST_SECONDS
        end = int(ends[-1]) if len(ends) else decided if too_long else 0
        return self._take(held, end)

    def flush(self) -> list[Note]:
        """Return the last notes."""
        if not self._parts:
            return []
        held = PitchTrack.joined(self._parts)
        return self._take(held, len(held))

    def _take(self, held: PitchTrack, end: int) -> list[Note]:
        self._parts = [_part(held, end, len(held))]
        done = _part(held, 0, end)
        notes = _notes(done, self._onsets) if end else []
        if end:
            self._onsets = self._onsets[self._onsets > done.seconds[-1] - _ONSET_REACH_SECONDS]
        return notes


def _notes(track: PitchTrack, onsets: FloatArray) -> list[Note]:
    """Return the notes of successive frames."""
    if len(track) < 2:
        return []
    hop = float(track.seconds[1] - track.seconds[0])
    notes: list[Note] = []
    for first, last in _voiced_runs(track):
        cents = 1200 * np.log2(track.hz[first:last] / CONCERT_PITCH_HZ)
        cents = _bridged(cents)
        changes = _changes(cents, _CHANGE_SECONDS / hop) + first
        begins = _with_repeats(changes, last, track, onsets, hop)
        for begin, end in zip(begins, [*begins[1:], last], strict=True):
            note = _note(track, cents[begin - first : end - first], begin, end, hop)
            notes += [] if note is None else [note]
    return _begun_at_onsets(notes, onsets)


def _note(track: PitchTrack, cents: FloatArray, begin: int, end: int, hop: float) -> Note | None:
    """Return the note of frames with one pitch; None if it is not stable for long enough."""
    stable = np.abs(cents - np.median(cents)) < _STABLE_CENTS
    first, last = _longest_run(stable)
    if (last - first) * hop < MIN_NOTE_SECONDS:
        return None
    pitch = CONCERT_PITCH_HZ * 2 ** (float(np.median(cents[first:last])) / 1200)
    start, stop = (float(track.seconds[0]) + (at - 0.5) * hop for at in (begin, end))
    return Note(max(start, 0.0), stop, pitch, float(track.level_db[begin:end].max()))


def _changes(cents: FloatArray, penalty: float) -> NDArray[np.int64]:
    """Return at which frames a new pitch begins, the first among them.

    The track is fitted by constant pieces: each frame costs its deviation, hardly more from a
    semitone on, and each change of pitch costs as much as so many frames that do not fit. The
    cheapest fit is found by dynamic programming (Potts' functional; see Friedrich et al.,
    "Complexity penalized M-estimation", 2008).
    """
    grid = np.arange(cents.min(), cents.max() + _GRID_CENTS, _GRID_CENTS)
    distances = np.abs(cents[:, None] - grid) / _FULL_CENTS
    costs = np.minimum(distances, 1) + _FAR_COST * distances
    total = costs[0].copy()
    came_from = np.full(costs.shape, -1, np.int32)  # -1: from the same pitch
    for at in range(1, len(cents)):
        best = int(total.argmin())
        change = total[best] + penalty < total
        came_from[at, change] = best
        total = np.minimum(total, total[best] + penalty) + costs[at]
    state, begins = int(total.argmin()), []
    for at in range(len(cents) - 1, 0, -1):
        if came_from[at, state] >= 0:
            begins.append(at)
            state = int(came_from[at, state])
    return np.array([0, *begins[::-1]], np.int64)


def _with_repeats(
    begins: NDArray[np.int64], last: int, track: PitchTrack, onsets: FloatArray, hop: float
) -> list[int]:
    """Return the beginnings of notes with those of repeated notes of one pitch."""
    kept = begins.tolist()
    frames = np.round((onsets - track.seconds[0]) / hop).astype(np.int64)
    reach = _ONSET_REACH_SECONDS / hop
    near, far = round(_DIP_SECONDS / hop), round(_RISE_SECONDS / hop)
    for frame in frames[(frames > kept[0]) & (frames < last)].tolist():
        dip = track.level_db[max(frame - near, kept[0]) : frame + 1].min()
        top = track.level_db[frame : min(frame + far, last) + 1].max()
        if min(abs(frame - at) for at in kept) > reach and top - dip > REPEAT_RISE_DB:
            kept.append(frame)
    return sorted(kept)


def _begun_at_onsets(notes: list[Note], onsets: FloatArray) -> list[Note]:
    """Return notes that begin at the nearest onset, if one is near."""
    moved: list[Note] = []
    for note in notes:
        near = onsets[np.abs(onsets - note.start_seconds) <= _ONSET_REACH_SECONDS]
        if len(near):
            start = float(near[np.abs(near - note.start_seconds).argmin()])
            note = replace(note, start_seconds=min(start, note.end_seconds - MIN_NOTE_SECONDS / 2))
        if moved and moved[-1].end_seconds > note.start_seconds:
            moved[-1] = replace(moved[-1], end_seconds=note.start_seconds)
        moved.append(note)
    return [note for note in moved if note.end_seconds > note.start_seconds]


def _voiced_runs(track: PitchTrack) -> list[tuple[int, int]]:
    """Return the first frames of stretches with pitch, and those after their last."""
    hop = float(track.seconds[1] - track.seconds[0])
    voiced = np.flatnonzero(np.isfinite(track.hz))
    if not len(voiced):
        return []
    splits = np.flatnonzero(np.diff(voiced) * hop > _GAP_SECONDS + hop / 2)
    firsts = voiced[np.concatenate([[0], splits + 1])].tolist()
    lasts = (voiced[np.concatenate([splits, [len(voiced) - 1]])] + 1).tolist()
    return list(zip(firsts, lasts, strict=True))


def _gap_ends(track: PitchTrack) -> NDArray[np.int64]:
    """Return the frames after which a long enough gap in the pitch has just been complete."""
    if len(track) < 2:
        return np.zeros(0, np.int64)
    width = int(_GAP_SECONDS / (track.seconds[1] - track.seconds[0])) + 2
    if len(track) < width:
        return np.zeros(0, np.int64)
    silent = np.lib.stride_tricks.sliding_window_view(np.isnan(track.hz), width).all(axis=1)
    return np.flatnonzero(silent) + width


def _bridged(cents: FloatArray) -> FloatArray:
    known = np.isfinite(cents)
    at = np.arange(len(cents))
    bridged: FloatArray = np.interp(at, at[known], cents[known])
    return bridged


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    if not len(edges):
        return 0, 0
    firsts, lasts = edges[::2], edges[1::2]
    longest = int((lasts - firsts).argmax())
    return int(firsts[longest]), int(lasts[longest])


def _part(track: PitchTrack, first: int, last: int) -> PitchTrack:
    return PitchTrack(track.seconds[first:last], track.hz[first:last], track.level_db[first:last])
