"""Grains: windowed excerpts of a sound, laid into another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import envelope


@dataclass(frozen=True)
class Grains:
    """A cloud of grains; every array has shape ``(n,)`` and counts samples.

    Attributes
    ----------
    onset : int64
        First sample of each grain in the sound that it is laid into.
    length : int64
        Samples of each grain.
    source : float64
        Where reading begins in the sound that it is taken from.
    rate : float64
        Samples read per sample laid: 1 keeps the pitch, 2 is an octave up.
    gain : float64
    """

    onset: NDArray[np.int64]
    length: NDArray[np.int64]
    source: NDArray[np.float64]
    rate: NDArray[np.float64]
    gain: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.onset)

    def peaks(self) -> NDArray[np.float64]:
        """Return when each envelope is highest, in samples: half-way through the grain."""
        return self.onset + self.length / 2


def lay(
    grains: Grains,
    source: NDArray[np.float32],
    shape: str,
    into: NDArray[np.float32],
    weight: NDArray[np.float32] | None = None,
    power: int = 1,
) -> None:
    """Add grains of ``source`` to ``into``; where they reach outside either, they are cut.

    Parameters
    ----------
    shape : str
        The envelope: ``hann`` or ``triangle``.
    weight : array like ``into``, optional
        The envelopes, raised to ``power``, are added up in it.
    """
    padded = np.pad(source, (0, 2))
    windows = {n: envelope(shape, n).astype(np.float32) for n in np.unique(grains.length).tolist()}
    ramp = np.arange(int(grains.length.max(initial=0)))
    columns = zip(
        grains.onset.tolist(),
        grains.length.tolist(),
        grains.source.tolist(),
        grains.rate.tolist(),
        grains.gain.tolist(),
        strict=True,
    )
    for onset, length, begin, rate, gain in columns:
        first, last = max(-onset, 0), min(length, len(into) - onset)
        if last <= first:
            continue
        window = windows[length][first:last] * np.float32(gain)
        taken = _read(padded, begin, rate, ramp[first:last])
        into[onset + first : onset + last] += taken * window
        if weight is not None:
            weight[onset + first : onset + last] += window**power


def _read(
    padded: NDArray[np.float32], begin: float, rate: float, ramp: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Read ``begin + ramp * rate`` with linear interpolation; outside there is silence.

    At rate 1 reading begins at the nearest sample, which is fast and keeps the treble.
    """
    end = len(padded) - 2
    if rate == 1:
        begin = math.floor(begin + 0.5)
        if begin + ramp[0] >= 0 and begin + ramp[-1] < end:
            return padded[begin + ramp[0] : begin + ramp[-1] + 1]
    place = begin + ramp * rate
    inside = (place >= 0) & (place <= end - 1)
    place = np.where(inside, place, 0.0)
    index = place.astype(np.int64)
    part = (place - index).astype(np.float32)
    between = padded[index] * (1 - part) + padded[index + 1] * part
    return np.where(inside, between, np.float32(0))
