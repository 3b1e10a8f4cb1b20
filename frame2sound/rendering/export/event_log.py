"""Keep the events of a soundtrack and the films of its bed, and measure the pitches of events."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.events.event_list import BedSpan, Event
from frame2sound.rendering.sound_tap import SoundTap

PITCH_TIMES_SECONDS = 0.04, 0.07, 0.1, 0.13
"""When the pitch of a sound is measured, after its attack."""

MAX_SPREAD = 2 ** (0.5 / 12)
"""Pitches that lie further apart, as a ratio, are those of noise; half a semitone."""

MIN_FOUND = 3
"""A pitch must be found at so many of the times."""


class EventLog(SoundTap):
    """Keeps the events that are reported, the films of the bed and, on request, pitches.

    Parameters
    ----------
    with_pitches : bool

    Attributes
    ----------
    sample_rate : int
        Of the sounds, in Hz; to be set before the first.
    events : list of Event
    pitches_hz : list of float or None
        The pitch of each event, None without one; empty if pitches are not measured.
    """

    def __init__(self, *, with_pitches: bool = False) -> None:
        self.sample_rate = 0
        self.events: list[Event] = []
        self.pitches_hz: list[float | None] = []
        self.with_pitches = with_pitches
        self._bed: list[tuple[str, int, int]] = []
        self._pitch: float | None = None
        self._known: dict[tuple[str | None, float | None], float | None] = {}

    def add_event(self, event: Event, sound: NDArray[Any], lead: int, first_sample: int, /) -> None:
        """Measure the pitch of an event."""
        if not self.with_pitches:
            return
        unit = event.film, event.film_seconds
        if event.film is None or unit not in self._known:
            self._known[unit] = measure_pitch_hz(sound[lead:], self.sample_rate)
        self._pitch = self._known[unit]

    def add_bed(self, film: str, sound: NDArray[Any], first_sample: int, /) -> None:
        """Keep from which film a part of the bed is; what follows in one film is one part."""
        end = first_sample + len(sound)
        if self._bed and self._bed[-1][0] == film and first_sample <= self._bed[-1][2]:
            self._bed[-1] = film, self._bed[-1][1], max(end, self._bed[-1][2])
        elif len(sound):
            self._bed.append((film, first_sample, end))

    def bed_spans(self, start_seconds: float, stop_seconds: float) -> list[BedSpan]:
        """Return from which films the bed is between two times of the animation."""
        spans = (
            BedSpan(
                max(first / self.sample_rate, start_seconds),
                min(end / self.sample_rate, stop_seconds),
                film,
            )
            for film, first, end in self._bed
        )
        return [span for span in spans if span.time_seconds < span.end_seconds]

    def report(self, event: Event) -> None:
        """Keep an event, with the pitch that was measured last."""
        self.events.append(event)
        if self.with_pitches:
            self.pitches_hz.append(self._pitch)


def measure_pitch_hz(sound: NDArray[Any], sample_rate: int) -> float | None:
    """Return the pitch of a sound ``(n,)`` or ``(n, 2)`` after its attack, 60 to 2000 Hz, or None.

    It is the median of YIN's at `PITCH_TIMES_SECONDS`, if they agree.
    """
    from frame2sound.sound.pitch_detection import detect_pitch_hz

    mono = sound if sound.ndim == 1 else sound.mean(axis=1)
    found = detect_pitch_hz(mono, sample_rate, np.array(PITCH_TIMES_SECONDS))
    found = found[np.isfinite(found)]
    if len(found) < MIN_FOUND or found.max() > MAX_SPREAD * found.min():
        return None
    return float(np.median(found))
