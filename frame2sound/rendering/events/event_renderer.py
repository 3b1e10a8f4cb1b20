"""Render events over a bed, where a motion head or a person says when something sounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.events.event_mixer import EventMixer, EventSettings
from frame2sound.rendering.events.event_parts import EventPartsBuilder
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.renderer import Renderer, Synthesiser

Samples = NDArray[np.float32]


class EventRenderer:
    """Plays events over a bed where there are any, and else is the renderer that it wraps.

    There are events where the brain's motion head gives curves of them, or where they are given.

    Parameters
    ----------
    plain : Renderer
        Renders predictions without events.
    parts : EventPartsBuilder
        Builds what the sound of events is made with, if there are any.
    settings : EventSettings
    granulate : callable, optional
        Returns a renderer that makes grains of a synthesiser's sound.
    needed_by : tuple of str
        Options that were given and have no effect without events by the brain.

    Attributes
    ----------
    sample_rate, channels : int
        Those of the plain renderer.
    plain : Renderer
    """

    def __init__(
        self,
        plain: Renderer,
        parts: EventPartsBuilder,
        settings: EventSettings,
        granulate: Callable[[Synthesiser], Renderer] | None = None,
        needed_by: tuple[str, ...] = (),
    ) -> None:
        self.sample_rate, self.channels = plain.sample_rate, plain.channels
        self.plain = self._renderer = plain
        self._parts = parts
        self._settings = settings
        self._granulate = granulate
        self._needed_by = needed_by
        self._mixer: EventMixer | None = None
        self._sound = _SoundSource()
        self._has_begun = False

    @property
    def summary(self) -> str:
        """The renderer's summary, and how many events were played, in a line."""
        own, mixer = self._renderer.summary, self._mixer
        if mixer is None:
            return own
        events = f"{mixer.count} event{'' if mixer.count == 1 else 's'}"
        source = _source(self._settings)
        late = f" ({mixer.late_count} more begin after the end)" if mixer.late_count else ""
        return "; ".join(filter(None, [own, f"{events}, {source}{late}", mixer.parts.remark]))

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> Samples:
        """Return the sound that is ready.

        Raises
        ------
        SoundtrackError
            An option needs events by the brain, and its motion head does not speak.
        """
        if not self._has_begun:
            self._begin(int(bounds[0]), is_moved=frame_curves.events is not None)
        if self._mixer is None:
            return self._renderer.process(predictions, bounds, frame_curves)
        sound = self._mixer.process(predictions, bounds, frame_curves.events)
        if self._granulate is None:
            return sound
        return self._renderer.process(sound, bounds, frame_curves)

    def flush(self) -> Samples:
        """Return the rest."""
        if self._mixer is None:
            return self._renderer.flush()
        rest = self._mixer.flush()
        if self._granulate is None:
            return rest
        self._sound.rest = rest
        return self._renderer.flush()

    def _begin(self, first_sample: int, *, is_moved: bool) -> None:
        self._has_begun = True
        if not is_moved and self._needed_by:
            raise SoundtrackError(
                f"{self._needed_by[0]} does nothing: the sound of this brain's films does not "
                "follow motion, so it places no events; leave it out, or give a list as `events`"
            )
        if not is_moved and self._settings.given is None:
            return
        parts = self._parts.build(bed_is_levelled=is_moved)
        clock = Clock(self._parts.clock.fps, self.sample_rate)
        channels = self.channels if self._granulate is None else 1
        first_frame = clock.frame_at(first_sample)
        self._mixer = EventMixer(clock, parts, self._settings, channels, first_frame)
        if self._granulate is not None:
            self._renderer = self._granulate(self._sound)


def _source(settings: EventSettings) -> str:
    by_motion = "by the motion of the picture"
    if settings.given is None:
        return by_motion
    until = settings.picked_from_seconds
    return "as given" if until == math.inf else f"as given until {until:g} s, then {by_motion}"


class _SoundSource:
    """A synthesiser that takes sound in place of predictions, and returns it."""

    def __init__(self) -> None:
        self.rest = np.zeros(0, np.float32)

    def process(self, predictions: NDArray[Any], bounds: NDArray[np.int64], /) -> Samples:
        return predictions

    def flush(self) -> Samples:
        return self.rest
