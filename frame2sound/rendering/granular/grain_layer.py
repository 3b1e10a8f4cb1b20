"""A sound on its way through grains, and the sounds of films that go the same way."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.events.event_layer import EventLayer
from frame2sound.rendering.events.event_list import Event
from frame2sound.rendering.granular.bypass import EMPTY, Crossover, Samples
from frame2sound.rendering.sound_tap import SoundTap
from frame2sound.sound.grains import Grains, add_grains
from frame2sound.sound.panner import Panner


class GrainLayer:
    """A sound that grains read, what bypasses them, and the sum of the grains so far.

    Parameters
    ----------
    channels : int
        Of the grains.
    crossover : Crossover

    Attributes
    ----------
    source : array (n,)
        What the grains read.
    """

    def __init__(self, channels: int, crossover: Crossover) -> None:
        self.source = self._bypass = self._waiting = EMPTY
        self._out = np.empty((channels, 0), np.float32)
        self._crossover = crossover
        self._panner = Panner()

    def silent_copy(self, waiting: int) -> GrainLayer:
        """Return a layer as this would be if it had been silent; ``waiting`` samples have no gate.

        Its grains then are those of a part of this layer's sound.
        """
        copy = GrainLayer(len(self._out), self._crossover.silent_copy())
        copy.source, copy._bypass = np.zeros_like(self.source), np.zeros_like(self._bypass)
        copy._out, copy._waiting = np.zeros_like(self._out), np.zeros(waiting, np.float32)
        copy._panner = deepcopy(self._panner)
        return copy

    def store(self, transients: Samples, sound: Samples, *, last: bool = False) -> None:
        """Add sound at the end: transients, which bypass grains as low frequencies do, and rest."""
        bypass, source = self._crossover.process(transients, sound, last)
        self._bypass = np.concatenate([self._bypass, bypass])
        self.source = np.concatenate([self.source, source])

    def store_gated(self, sound: Samples, gate: NDArray[np.float64], *, last: bool = False) -> None:
        """Add sound, of which the first ``len(gate)`` samples that wait are split by a gate."""
        waiting = np.concatenate([self._waiting, sound])
        ready, self._waiting = waiting[: len(gate)], waiting[len(gate) :]
        transients = (ready * gate).astype(np.float32)
        self.store(transients, ready - transients, last=last)

    def add(
        self, grains: Grains, envelope: str, weight: Samples | None = None, power: int = 1
    ) -> None:
        """Add grains of the source to the sum, as long as ``weight``; see `add_grains`."""
        out = self._out if len(self._out) > 1 else self._out[0]
        add_grains(grains, self.source, envelope, out, weight, power)

    def grow(self, missing: int) -> None:
        """Add silence at the end of the sum."""
        self._out = np.pad(self._out, ((0, 0), (0, missing)))

    def finished(
        self,
        part: slice,
        divisor: Samples | None,
        positions: NDArray[np.float64],
        bounds: NDArray[np.int64],
    ) -> Samples:
        """Return the sum, divided, and what bypasses it, which is panned if there are channels."""
        sound = self._out[:, part].T
        if divisor is not None:
            sound = sound / divisor[:, None]
        bypass = self._bypass[part]
        if len(self._out) == 1:
            return sound[:, 0] + bypass
        return sound + self._panner.process(bypass, positions, bounds)

    def drop(self, count: int) -> None:
        """Forget the first samples."""
        self.source, self._bypass = self.source[count:], self._bypass[count:]
        self._out = self._out[:, count:]


class FilmsInGrains(SoundTap):
    """Tells what is heard of each film in grains, of the sounds of events before grains.

    Parameters
    ----------
    taps : tuple of SoundTap
        Are told.
    """

    def __init__(self, taps: tuple[SoundTap, ...] = ()) -> None:
        self.taps = taps
        self._events: list[tuple[str, NDArray[Any], int]] = []
        self._films: dict[str, EventLayer] = {}

    def add_event(self, event: Event, sound: NDArray[Any], lead: int, first_sample: int, /) -> None:
        """Keep the sound of an event, until grains are made of it."""
        if event.film is not None:
            self._events.append((event.film, sound, first_sample))

    def read(self, first: int, count: int) -> Iterator[tuple[str, Samples]]:
        """Yield each film that there is, and its next samples, of which the first has a number."""
        for film, sound, start in self._events:
            self._films.setdefault(film, EventLayer(position=first)).add(sound, start)
        self._events.clear()
        for film, layer in self._films.items():
            yield film, layer.pop_until(first + count).astype(np.float32)

    def tell(self, film: str, sound: Samples, first_sample: int) -> None:
        """Tell the taps what is heard of a film."""
        if sound.any():
            for tap in self.taps:
                tap.add_bed(film, sound, first_sample)


def through_grains(
    taps: tuple[SoundTap, ...],
) -> tuple[FilmsInGrains, tuple[SoundTap, ...]]:
    """Return what tells taps of films as heard in grains, and the taps to be told of events."""
    films = FilmsInGrains(tuple(tap for tap in taps if tap.hears_grains))
    others = tuple(tap for tap in taps if not tap.hears_grains)
    return films, (*others, films) if films.taps else others
