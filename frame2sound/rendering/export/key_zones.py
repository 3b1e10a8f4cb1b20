"""Where on a keyboard sounds play in tune: at their note, and transposed around it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.export.event_log import measure_pitch_hz

MAX_TRANSPOSITION = 12
"""A sound is transposed by at most so many semitones."""


@dataclass(frozen=True)
class KeyZone:
    """Keys that play the sounds whose pitch is nearest to one note.

    Attributes
    ----------
    note, low, high : int
        MIDI notes, 0 to 127: where the sounds are not transposed, and the outermost keys.
    cents : mapping of int to float
        By how much each sound, a unit, is raised to be in tune at its note.
    """

    note: int
    low: int
    high: int
    cents: Mapping[int, float]


def key_zones(units: EventUnits, own: NDArray[np.int64]) -> list[KeyZone]:
    """Return the zones of those of a film's sounds that have a pitch, from low to high.

    A zone ends half-way to the next, and `MAX_TRANSPOSITION` from its note.
    """
    notes: dict[int, dict[int, float]] = {}
    for unit in own.tolist():
        pitch_hz = measure_pitch_hz(units.sound(unit)[units.lead(unit) :], units.sample_rate)
        if pitch_hz is not None:
            note = 69 + 12 * math.log2(pitch_hz / 440)
            notes.setdefault(round(note), {})[unit] = 100 * (round(note) - note)
    ordered = sorted(notes)
    middles = [(low + high) // 2 for low, high in pairwise(ordered)]
    return [
        KeyZone(
            note,
            max(note - MAX_TRANSPOSITION, before + 1, 0),
            min(note + MAX_TRANSPOSITION, after, 127),
            notes[note],
        )
        for note, before, after in zip(ordered, [-1, *middles], [*middles, 127], strict=False)
    ]
