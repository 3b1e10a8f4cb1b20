"""Notes as MIDI files, with pitch bends for tones that are not of twelve-tone equal temperament."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from frame2sound.listening.notes import Note
from frame2sound.rendering.export.midi import (
    Message,
    note_of,
    save_messages,
    tick_of,
    velocity_of,
)
from frame2sound.sound.scale import CONCERT_PITCH_HZ

BEND_SEMITONES = 2
"""The range of a full bend up or down: what synthesisers assume, and what the file sets."""

_FULL_BEND = 8192
_ORDER = {"note_off": 0, "control_change": 1, "pitchwheel": 2, "note_on": 3}


def write_notes(path: Path, notes: Sequence[Note], *, overwrite: bool = False) -> None:
    """Write notes of one voice to a MIDI file; time 0 is the beginning of the sound.

    The velocity tells the level. Where a pitch is no tone of 12-tet at A4 = 440 Hz, the nearest one
    is bent, to a hundredth of a cent; without such pitches the file holds no bends.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    MissingPackageError
        mido is not installed.
    """
    save_messages(path, _messages(notes), overwrite=overwrite)


def _messages(notes: Sequence[Note]) -> list[Message]:
    """Return the messages by tick; at one tick, notes end before pitches bend and others begin."""
    bends = [_bend(note.hz) for note in notes]
    messages: list[Message] = _bend_range() if any(bends) else []
    for note, bend in zip(notes, bends, strict=True):
        start, end, number = (
            tick_of(note.start_seconds),
            tick_of(note.end_seconds),
            note_of(note.hz),
        )
        if any(bends):
            messages.append((start, "pitchwheel", {"pitch": bend}))
        velocity = velocity_of(note.level_db)
        messages.append((start, "note_on", {"note": number, "velocity": velocity}))
        messages.append((max(end, start + 1), "note_off", {"note": number, "velocity": 0}))
    return sorted(messages, key=lambda message: (message[0], _ORDER[message[1]]))


def _bend(hz: float) -> int:
    """Return how far the nearest note is bent, from -8192 to 8191; 0 within a tenth of a cent."""
    off = 69 + 12 * math.log2(hz / CONCERT_PITCH_HZ) - note_of(hz)
    bend = round(_FULL_BEND * off / BEND_SEMITONES)
    return 0 if abs(off) < 1e-3 else min(max(bend, -_FULL_BEND), _FULL_BEND - 1)


def _bend_range() -> list[Message]:
    """Return the messages that set the range of bends (registered parameter 0)."""
    values = ((101, 0), (100, 0), (6, BEND_SEMITONES), (38, 0), (101, 127), (100, 127))
    return [(0, "control_change", {"control": number, "value": v}) for number, v in values]
