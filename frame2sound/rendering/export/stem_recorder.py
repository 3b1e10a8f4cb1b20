"""Record what is heard of each film while a soundtrack is rendered."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.events.event_layer import EventLayer
from frame2sound.rendering.events.event_list import Event
from frame2sound.rendering.sound_tap import SoundTap
from frame2sound.sound.panner import Panner

Samples = NDArray[np.float32]


class StemRecorder(SoundTap):
    """Keeps the parts of a soundtrack in temporary files, and gives them back as one stem a film.

    Parameters
    ----------
    folder : Path
        Where the files are created: the folder of the output.

    Attributes
    ----------
    films : list of str
        The films that are heard, in the order in which they begin.
    mix : AudioSpool
        The soundtrack before any finishing, to be written by the caller; its first sample has the
        number that `read` is given.
    """

    hears_grains = True

    def __init__(self, folder: Path) -> None:
        self.films: list[str] = []
        self.folder = folder
        self.mix = AudioSpool(folder)
        self._parts = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._index = array("q")
        self._shape: tuple[int, ...] = ()
        self._gain = np.float32(1)
        self._places: list[tuple[NDArray[np.float64], NDArray[np.int64]]] = []

    def __enter__(self) -> StemRecorder:
        return self

    def __exit__(self, *failure: object) -> None:
        self._parts.close()
        self.mix.__exit__(*failure)

    def add_event(self, event: Event, sound: NDArray[Any], lead: int, first_sample: int, /) -> None:
        """Record the sound of an event; one of no film belongs to the rest."""
        if event.film is not None:
            self.add_bed(event.film, sound, first_sample)

    def add_bed(self, film: str, sound: NDArray[Any], first_sample: int, /) -> None:
        """Record a part of a film's sound."""
        if film not in self.films:
            self.films.append(film)
        self._shape = sound.shape[1:]
        self._index.extend([first_sample, len(sound), self.films.index(film), self._parts.tell()])
        self._parts.write(np.ascontiguousarray(sound, np.float32).data)

    def set_gain(self, gain: float, /) -> None:
        """Keep the gain of the whole."""
        self._gain = np.float32(gain)

    def pan(self, positions: NDArray[np.float64], bounds: NDArray[np.int64], /) -> None:
        """Keep the places of frames."""
        self._places.append((positions.copy(), bounds.copy()))

    def read(self, first_sample: int) -> Iterator[Samples]:
        """Yield the mix, each film and the rest beside each other.

        Chunks are ``(n, (films + 2) * channels)``: the channels of the mix, of each film, and of
        what comes from no film; those of the films and the rest add up to the mix.
        """
        parts = self._sorted_parts()
        layers = [EventLayer(1 + len(self._shape), first_sample) for _ in self.films]
        gains, following, position = _GainStream(self._places, first_sample), 0, first_sample
        for mix in self.mix.read():
            position += len(mix)
            while following < len(parts) and parts[following, 0] < position:
                start, length, film, offset = parts[following].tolist()
                layers[film].add(self._read_part(offset, length), start)
                following += 1
            stems = [layer.pop_until(position).astype(np.float32) for layer in layers]
            yield self._beside(mix, stems, gains.read(len(mix)))

    def _sorted_parts(self) -> NDArray[np.int64]:
        parts = np.frombuffer(self._index, np.int64).reshape(-1, 4)
        return parts[np.argsort(parts[:, 0], kind="stable")]

    def _read_part(self, offset: int, length: int) -> NDArray[np.float64]:
        self._parts.seek(offset)
        channels = self._shape[0] if self._shape else 1
        part = np.frombuffer(self._parts.read(4 * length * channels), np.float32)
        return part.reshape(length, *self._shape).astype(np.float64)

    def _beside(self, mix: Samples, stems: list[Samples], gains: Samples | None) -> Samples:
        placed = [
            stem * self._gain if gains is None else _mono(stem)[:, None] * gains for stem in stems
        ]
        planes = [each.reshape(len(mix), -1) for each in (mix, *placed)]
        rest = planes[0] - np.sum([np.zeros_like(planes[0]), *planes[1:]], axis=0)
        return np.concatenate([*planes, rest], axis=1)


class _GainStream:
    """The gains of two channels, sample by sample from one on; None if nothing is panned."""

    def __init__(
        self, places: list[tuple[NDArray[np.float64], NDArray[np.int64]]], first_sample: int
    ) -> None:
        panner = Panner()
        self._panned = (
            panner.process(np.ones(int(bounds[-1] - bounds[0]), np.float32), positions, bounds)
            for positions, bounds in places
        )
        self._is_panned = bool(places)
        self._surplus = first_sample - int(places[0][1][0]) if places else 0
        self._pending = np.empty((0, 2), np.float32)

    def read(self, count: int) -> Samples | None:
        """Return the gains ``(count, 2)`` of the next samples."""
        if not self._is_panned:
            return None
        end = self._surplus + count
        while len(self._pending) < end:
            self._pending = np.concatenate([self._pending, next(self._panned)])
        gains = self._pending[self._surplus : end]
        self._pending, self._surplus = self._pending[end:], 0
        return gains


def _mono(sound: Samples) -> Samples:
    mono: Samples = sound if sound.ndim == 1 else sound.mean(axis=1)
    return mono
