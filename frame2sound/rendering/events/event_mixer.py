"""Mix events with a bed: pick or take them, choose their units, and add their sounds."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from frame2sound.brain.event_curves import EventCurves
from frame2sound.clock import Clock
from frame2sound.rendering.events.bed import BedLeveller
from frame2sound.rendering.events.event_layer import EventLayer
from frame2sound.rendering.events.event_list import MAX_LEVEL_DB, MIN_LEVEL_DB, Event
from frame2sound.rendering.events.event_picker import (
    DEFAULT_SENSITIVITY,
    EventPicker,
    PickedEvent,
)
from frame2sound.rendering.events.event_synthesis import EventSynthesiser
from frame2sound.rendering.events.unit_choice import UnitChooser, UnitQuery
from frame2sound.rendering.renderer import Synthesiser
from frame2sound.rendering.sound_tap import SoundTap

Samples = NDArray[np.float32]
_Batch = tuple[int, NDArray[Any], EventCurves | None]

DEFAULT_LEVEL_DB = -20.0
"""The level of given events of which none has one, without a corpus."""

MAX_ATTACK_SECONDS = 0.01
"""No sound begins earlier than this before its event."""


@dataclass(frozen=True)
class EventSettings:
    """Which events are played.

    Attributes
    ----------
    sensitivity : float
        Moves the threshold, 0 to 1; see `EventPicker`.
    given : tuple of Event, optional
        The events to play, in the order of time, instead of those that are picked.
    picked_from_seconds : float
        From this time on, those that are picked are played instead of those that are given.
    on_event : callable
        Is called with each event as it is played, in the order of time.
    span_seconds : (float, float)
        Events outside are played where they reach in, but not counted and not reported.
    taps : tuple of SoundTap
        Are told the sounds of all events.
    """

    sensitivity: float = DEFAULT_SENSITIVITY
    given: tuple[Event, ...] | None = None
    picked_from_seconds: float = math.inf
    on_event: Callable[[Event], object] = field(default=lambda event: None)
    span_seconds: tuple[float, float] = (0.0, math.inf)
    taps: tuple[SoundTap, ...] = ()


@dataclass(frozen=True)
class EventParts:
    """What a soundtrack of events is made with.

    Attributes
    ----------
    bed : Synthesiser
        Of the predictions.
    events : EventSynthesiser
    leveller : BedLeveller
    chooser : UnitChooser, optional
        None without a corpus.
    remark : str
        A line for the user; may be empty.
    """

    bed: Synthesiser
    events: EventSynthesiser
    leveller: BedLeveller
    chooser: UnitChooser | None = None
    remark: str = ""


class EventMixer:
    """Adds the sounds of events to a bed; the size of batches makes no difference.

    The sum is purely additive: the samples outside of an event's sound do not depend on it.

    Parameters
    ----------
    clock : Clock
        The brain's frame rate, and the sample rate of the bed and the events.
    parts : EventParts
    settings : EventSettings
    channels : int
        Of the bed and the events.
    first_frame : int
        The number of the first frame.

    Attributes
    ----------
    count, late_count : int
        The events that were played, and given ones that begin after the end.
    """

    def __init__(
        self,
        clock: Clock,
        parts: EventParts,
        settings: EventSettings,
        channels: int = 1,
        first_frame: int = 0,
    ) -> None:
        self.clock = clock
        self.parts = parts
        self.settings = settings
        self.count = self.late_count = 0
        self._layer = EventLayer(channels, clock.start_sample(first_frame))
        self._bed = self._nothing = np.zeros((0,) if channels == 1 else (0, channels), np.float32)
        self._picker = EventPicker(clock.fps, settings.sensitivity, first_frame)
        begin = float(first_frame / clock.fps)
        self._picked_from = 0.0 if settings.given is None else settings.picked_from_seconds
        given = self._with_levels(settings.given or ())
        until = settings.picked_from_seconds
        self._pending = deque(event for event in given if begin <= event.time_seconds < until)
        self._recent = _RecentFrames(clock, first_frame)
        self._end = 0

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], curves: EventCurves | None
    ) -> Samples:
        """Take the predictions and curves of the next frames; return the sound that is ready."""
        self._recent.append(predictions, curves)
        if curves is not None:
            predictions = self.parts.leveller.process(predictions, curves.bed_db)
        self._bed = np.concatenate([self._bed, self.parts.bed.process(predictions, bounds)])
        self._end = int(bounds[-1])
        certain = float((self._recent.end - 1) / self.clock.fps)
        if curves is not None:
            picked = self._picker.process(curves)
            certain = self._picker.decided_seconds
            self._plan(picked)
        self._play_until(certain)
        self._recent.drop_before(certain)
        ahead = round(MAX_ATTACK_SECONDS * self.clock.sample_rate)
        return self._mix(int(certain * self.clock.sample_rate) - ahead)

    def flush(self) -> Samples:
        """Return the rest of the sound."""
        self._bed = np.concatenate([self._bed, self.parts.bed.flush()])
        self._plan(self._picker.flush())
        self._play_until(self._end / self.clock.sample_rate)
        self.late_count = len(self._pending)
        return self._mix(self._end)

    def _plan(self, picked: list[PickedEvent]) -> None:
        """Choose the units of picked events, in the order of frames; keep those to be played.

        Events that are not played count for the choice of others, which stay as they would be.
        """
        if self._picked_from == math.inf:
            return
        chosen = map(self._planned, picked)
        planned = [*self._pending, *(e for e in chosen if e.time_seconds >= self._picked_from)]
        self._pending = deque(sorted(planned, key=lambda event: event.time_seconds))

    def _planned(self, picked: PickedEvent) -> Event:
        level_db = min(max(picked.level_db, MIN_LEVEL_DB), MAX_LEVEL_DB)
        event = Event(picked.time_seconds, level_db)
        if self.parts.chooser is None:
            return event
        prediction = self._recent.prediction(picked.frame)
        query = UnitQuery(picked.time_seconds, level_db, picked.appearance, prediction)
        return _with_unit(event, self.parts.chooser, query, remember=True)

    def _play_until(self, seconds: float) -> None:
        """Play the pending events that begin before a time."""
        while self._pending and self._pending[0].time_seconds < seconds:
            self._play(self._pending.popleft())

    def _play(self, event: Event) -> None:
        frame = self._recent.frame_at(event.time_seconds)
        event, unit = self._with_its_unit(event, frame)
        assert event.level_db is not None
        prediction = self._recent.prediction(frame)
        sound = self.parts.events.sound(unit, event.level_db, prediction)
        onset = round(event.time_seconds * self.clock.sample_rate)
        self._layer.add(sound.samples, onset - sound.lead)
        for tap in self.settings.taps:
            tap.add_event(event, sound.samples, sound.lead, onset - sound.lead)
        start, stop = self.settings.span_seconds
        if start <= event.time_seconds < stop:
            self.count += 1
            self.settings.on_event(event)

    def _with_its_unit(self, event: Event, frame: int) -> tuple[Event, int | None]:
        """Return an event and its unit, which is chosen by the event alone if it is not given."""
        chooser = self.parts.chooser
        if chooser is None:
            return event, None
        if event.film is None or event.film_seconds is None:
            appearance, prediction = self._recent.appearance(frame), self._recent.prediction(frame)
            query = UnitQuery(
                event.time_seconds, event.level_db, appearance, prediction, event.film
            )
            event = _with_unit(event, chooser, query, remember=False)
        assert event.film is not None
        assert event.film_seconds is not None
        return event, chooser.units.find(event.film, event.film_seconds)

    def _mix(self, until: int) -> Samples:
        start = self._layer.position
        count = min(until - start, len(self._bed))
        if count <= 0:
            return self._nothing
        bed, self._bed = self._bed[:count].astype(np.float64), self._bed[count:]
        return (bed + self._layer.pop_until(start + count)).astype(np.float32)

    def _with_levels(self, events: tuple[Event, ...]) -> list[Event]:
        """Return events that all have a level: the median of the others, if it was not given."""
        levels = [event.level_db for event in events if event.level_db is not None]
        if not levels and self.parts.chooser is not None:
            levels = self.parts.chooser.units.levels_db.tolist()
        default = float(np.median(levels)) if levels else DEFAULT_LEVEL_DB
        return [
            e if e.level_db is not None else structs.replace(e, level_db=default) for e in events
        ]


def _with_unit(event: Event, chooser: UnitChooser, query: UnitQuery, *, remember: bool) -> Event:
    unit, units = chooser.choose(query, remember=remember), chooser.units
    return structs.replace(event, film=units.film(unit), film_seconds=units.film_seconds(unit))


class _RecentFrames:
    """The predictions and appearances of the last frames."""

    def __init__(self, clock: Clock, first_frame: int) -> None:
        self.clock = clock
        self.first = self.end = first_frame
        self._batches: list[_Batch] = []

    def append(self, predictions: NDArray[Any], curves: EventCurves | None) -> None:
        self._batches.append((self.end, predictions, curves))
        self.end += len(predictions)

    def frame_at(self, seconds: float) -> int:
        """Return the first frame that begins at or after a time, or the last."""
        frame = min(math.ceil(seconds * float(self.clock.fps) - 1e-6), self.end - 1)
        return max(frame, self.first)

    def prediction(self, frame: int) -> NDArray[Any]:
        first, predictions, _ = self._batch(frame)
        found: NDArray[Any] = predictions[frame - first]
        return found

    def appearance(self, frame: int) -> NDArray[np.float32] | None:
        first, _, curves = self._batch(frame)
        return None if curves is None else curves.appearance[frame - first]

    def drop_before(self, seconds: float) -> None:
        """Forget the batches that end before a time."""
        frame = int(seconds * float(self.clock.fps)) - 1
        while len(self._batches) > 1 and self._batches[1][0] <= frame:
            self._batches.pop(0)

    def _batch(self, frame: int) -> _Batch:
        """Return the batch that holds a frame; of forgotten frames, the first that is left."""
        holding = (batch for batch in reversed(self._batches) if batch[0] <= frame)
        return next(holding, self._batches[0])
