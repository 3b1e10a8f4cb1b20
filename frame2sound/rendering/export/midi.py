"""MIDI files of events: one note an event, for samplers and instruments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.extras import import_extra
from frame2sound.rendering.export.markers import Marker

TICKS_PER_BEAT, TEMPO_MICROSECONDS = 1920, 500_000
"""120 beats a minute is what MIDI files and programs assume where no tempo is read."""

DEFAULT_NOTE = 60
"""The note of events without a pitch: middle C."""

NOTE_SECONDS = Fraction(1, 10)
"""The length of a note, unless the same note begins anew before."""

_TICKS_PER_SECOND = Fraction(TICKS_PER_BEAT * 1_000_000, TEMPO_MICROSECONDS)


def velocity_of(level_db: float | None) -> int:
    """Return the velocity, 1 to 127, whose level in a sampler is this one in dBFS.

    The level of a sampler's sound falls by 40 dB where the velocity falls to a tenth (Downloadable
    Sounds Level 2, MIDI Manufacturers Association).

    >>> velocity_of(0), velocity_of(-20), velocity_of(-40), velocity_of(-100)
    (127, 40, 13, 1)
    """
    if level_db is None:
        return 64
    return min(max(round(127 * 10 ** (level_db / 40)), 1), 127)


def note_of(pitch_hz: float | None) -> int:
    """Return the nearest note, 0 to 127, of a pitch; `DEFAULT_NOTE` if there is none.

    >>> note_of(440.0), note_of(261.6), note_of(None)
    (69, 60, 60)
    """
    if pitch_hz is None:
        return DEFAULT_NOTE
    return min(max(round(69 + 12 * math.log2(pitch_hz / 440)), 0), 127)


def write_midi(
    path: Path,
    markers: Sequence[Marker],
    pitches_hz: Sequence[float | None],
    *,
    overwrite: bool = False,
) -> None:
    """Write a MIDI file with a note for each marker; time 0 is the start of the delivered sound.

    Each time is rounded to a tick of 0.26 ms by itself, so that errors do not add up.

    Parameters
    ----------
    path : Path
    markers : sequence of N Marker
    pitches_hz : sequence of N
        The pitch of each; None where it has none.
    overwrite : bool

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    MissingPackageError
        mido is not installed.
    """
    save_messages(path, _messages(markers, pitches_hz), overwrite=overwrite)


Message = tuple[int, str, dict[str, Any]]
"""The tick, the kind and the fields of a message, as mido names them."""


def tick_of(seconds: float | Fraction) -> int:
    """Return the nearest tick of a time.

    >>> tick_of(0.5), tick_of(Fraction(1, 3))
    (1920, 1280)
    """
    return round(seconds * _TICKS_PER_SECOND)


def save_messages(path: Path, messages: Sequence[Message], *, overwrite: bool = False) -> None:
    """Write messages, in the order of their ticks, to a MIDI file; raises as `write_midi`."""
    mido = import_extra("mido", "exports", "`midi`")
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=TEMPO_MICROSECONDS)])
    tick = 0
    for at, name, fields in messages:
        track.append(mido.Message(name, time=at - tick, **fields))
        tick = at
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT, tracks=[track])
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        file.save(str(partial))


def _messages(markers: Sequence[Marker], pitches_hz: Iterable[float | None]) -> list[Message]:
    """Return the ticks, kinds and fields of messages in order; notes end before others begin."""
    begun: dict[int, list[int]] = {}
    messages: list[Message] = []
    for marker, pitch_hz in zip(markers, pitches_hz, strict=True):
        tick, note = tick_of(marker.seconds), note_of(pitch_hz)
        velocity = velocity_of(marker.event.level_db)
        begun.setdefault(note, []).append(tick)
        messages.append((tick, "note_on", {"note": note, "velocity": velocity}))
    length = tick_of(NOTE_SECONDS)
    for note, ticks in begun.items():
        ticks.sort()
        for tick, following in zip(ticks, [*ticks[1:], math.inf], strict=True):
            end = min(tick + length, following)
            messages.append((int(end), "note_off", {"note": note, "velocity": 0}))
    return sorted(messages, key=lambda message: (message[0], message[1] == "note_on"))
