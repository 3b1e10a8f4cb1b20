"""Find the events of a film by frame or by sample."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.film.drawing.stereo import place_gains


class Event(Protocol):
    """Something that is visible and audible in a range of frames."""

    @property
    def start(self) -> int:
        """The first frame that shows it."""

    @property
    def stop(self) -> int:
        """The frame after the last that shows it."""


E = TypeVar("E", bound=Event)


class Timeline(Generic[E]):
    """The events of a film, sorted by start.

    Parameters
    ----------
    events : iterable of Event
        In any order.
    clock : Clock
        The film's.
    """

    def __init__(self, events: Iterable[E], clock: Clock) -> None:
        self.events = tuple(sorted(events, key=lambda event: event.start))
        self.clock = clock
        self._starts = [event.start for event in self.events]
        self._longest = max((event.stop - event.start for event in self.events), default=0)

    def events_between(self, first: int, stop: int) -> list[E]:
        """Return the events that are visible in any frame of ``[first, stop)``."""
        low = bisect_right(self._starts, first - self._longest)
        high = bisect_left(self._starts, stop)
        return [event for event in self.events[low:high] if event.stop > first]

    def events_at(self, frame: int) -> list[E]:
        """Return the events that a frame shows."""
        return self.events_between(frame, frame + 1)

    @cached_property
    def onsets(self) -> tuple[int, ...]:
        """First frames of the events, ascending and without duplicates."""
        return tuple(sorted(set(self._starts)))

    def pitches_hz(
        self, frame_count: int, event_hz: Callable[[E], float | None]
    ) -> tuple[float | None, ...]:
        """Return the pitch of each frame's only event; None for frames with none or several."""
        pitches: list[float | None] = []
        for frame in range(frame_count):
            events = self.events_at(frame)
            pitches.append(event_hz(events[0]) if len(events) == 1 else None)
        return tuple(pitches)

    def mix(
        self,
        start: int,
        stop: int,
        synthesise_event: Callable[[E, NDArray[np.int64]], NDArray[np.floating]],
    ) -> NDArray[np.float64]:
        """Return the sum of all events' sounds in the samples ``[start, stop)``.

        Parameters
        ----------
        synthesise_event : function
            Takes an event and consecutive sample numbers since its start; returns these samples.
            It is called only for samples of frames that show the event.
        """
        mixed = np.zeros(max(0, stop - start))
        for _, where, samples in self._sounds(start, stop, synthesise_event):
            mixed[where] += samples
        return mixed

    def mix_stereo(
        self,
        start: int,
        stop: int,
        synthesise_event: Callable[[E, NDArray[np.int64]], NDArray[np.floating]],
        event_x: Callable[[E], float],
    ) -> NDArray[np.float64]:
        """Return the same in stereo, ``(2, n)``, each event at its horizontal place on the stage.

        See `mix` and `frame2sound.film.drawing.stereo.place_gains`.
        """
        mixed = np.zeros((2, max(0, stop - start)))
        for event, where, samples in self._sounds(start, stop, synthesise_event):
            mixed[:, where] += place_gains(event_x(event))[:, None] * samples
        return mixed

    def _sounds(
        self,
        start: int,
        stop: int,
        synthesise_event: Callable[[E, NDArray[np.int64]], NDArray[np.floating]],
    ) -> Iterator[tuple[E, slice, NDArray[np.floating]]]:
        """Yield the events in samples ``[start, stop)``, where they are in these, their sound."""
        frames_per_sample = self.clock.fps / self.clock.sample_rate
        first = math.floor(start * frames_per_sample) - 1
        for event in self.events_between(first, math.ceil(stop * frames_per_sample) + 1):
            begin = self.clock.start_sample(event.start)
            low, high = max(start, begin), min(stop, self.clock.start_sample(event.stop))
            if low < high:
                age = np.arange(low - begin, high - begin)
                yield event, slice(low - start, high - start), synthesise_event(event, age)


def recording_samples(
    recording: NDArray[np.floating], ages: NDArray[np.int64]
) -> NDArray[np.floating]:
    """Return samples of a recorded sound at consecutive ages, with silence after its end."""
    piece = recording[ages[0] : ages[-1] + 1]
    return np.concatenate([piece, np.zeros(len(ages) - len(piece), dtype=recording.dtype)])
