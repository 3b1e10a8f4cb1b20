"""Channels mixed into one or two; where they would cancel each other, the loudest is taken."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF = 2**-0.5

_TO_STEREO = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (HALF, HALF),
    "LFE": (0.0, 0.0),
    "LFE2": (0.0, 0.0),
    "BC": (0.5, 0.5),
    "DL": (1.0, 0.0),
    "DR": (0.0, 1.0),
    "AMBI0": (1.0, 1.0),
    "AMBI1": (0.5, -0.5),
}
"""How loud each channel is in the left and the right of two, after ITU-R BS.775-3, annex 4.

Of ambisonics (order ACN), the sound from everywhere, and from the left minus from the right.
"""

_LEFT = ("BL", "SL", "FLC", "WL", "SDL", "SSL", "TFL", "TBL", "TSL", "TTL", "BFL")
_RIGHT = ("BR", "SR", "FRC", "WR", "SDR", "SSR", "TFR", "TBR", "TSR", "TTR", "BFR")
"""Other channels of one side: they are mixed into it as ITU-R BS.775-3 mixes the surrounds."""

BLOCK_SECONDS = 0.2
"""How often it is decided whether channels cancel."""

WINDOW = 5
"""Blocks before and after the present one whose energy decides."""

LOST = 0.25
"""Channels cancel if their mix has less of the energy that unlike channels would give it.

Unlike (uncorrelated) channels keep all of it, equal ones have more. Two channels as loud as each
other have so little if they correlate by -0.75 or less.
"""

KEPT = 0.5
"""They no longer cancel if their mix has so much of it again."""

FAINT = 1e-4
"""What is 40 dB below the loudest so far changes no decision."""

LOUDER = 2.0
"""The channel that is taken changes if another has so much more energy: 3 dB."""

ABOUT_AS_LOUD = 1.25
"""To begin with, the first channel within 1 dB of the loudest is taken."""

FADE_SECONDS = 0.02

Matrix = NDArray[np.float32]
Products = NDArray[np.float64]
"""The sums of what each two channels are multiplied, shape ``(channels, channels)``."""


def weights(names: list[str], channels: int) -> Matrix:
    """Return how loud each channel is in a mix to one or two, shape ``(channels, names)``.

    One is the mean of the two: equal fronts stay as loud as they are, a centre comes out at 0.71.
    Channels without a known place are spread evenly.
    """
    stereo = np.array([_weight(name) for name in names], np.float32).T
    return stereo.mean(axis=0, keepdims=True) if channels == 1 else stereo


def _weight(name: str) -> tuple[float, float]:
    if name in _LEFT or name in _RIGHT:
        return (HALF, 0.0) if name in _LEFT else (0.0, HALF)
    return _TO_STEREO.get(name, (0.0, 0.0) if name.startswith("AMBI") else (0.5, 0.5))


def fold(planes: Matrix, names: list[str], channels: int) -> Matrix:
    """Mix channels, shape ``(n, samples)``, into one or two, by their `weights`."""
    if len(planes) == channels:
        return planes
    if len(planes) == 1:
        return np.repeat(planes, channels, axis=0)
    return np.stack([_weighted(row, planes) for row in weights(names, channels)])


def _weighted(row: Matrix, planes: Matrix) -> Matrix:
    """Return a weighted sum of planes; it is the same however the samples are cut into pieces."""
    total = np.zeros(planes.shape[1], np.float32)
    for weight, plane in zip(row, planes, strict=True):
        if weight:
            total += weight * plane
    return total


@dataclass
class _Output:
    """One channel of a mix: how it is made now, and what it is made of if that would cancel."""

    plain: Matrix
    rows: list[Matrix]
    cancelling: bool = False
    taken: int | None = None
    loudest: float = 0.0
    row: Matrix | None = None

    def decide(self, before: Products, now: Products, later: Products) -> Matrix:
        """Return the weights for a block, from the products of channels around it.

        Channels begin to cancel a block early, so that nothing is lost where they are turned.
        """
        after = now + later
        self.loudest = max(self.loudest, _unlike(self.plain, after))
        if self.cancelling:
            kept = self._keeps(KEPT, after) and self._keeps(KEPT, before + now)
            self.cancelling = not (kept and self._is_heard(after))
        else:
            self.cancelling = any(
                self._is_heard(products) and not self._keeps(LOST, products)
                for products in (after, later)
            )
        if self.cancelling and self._is_heard(after):
            self.taken = self._choose(after)
        return self.rows[self.taken or 0] if self.cancelling else self.plain

    def _is_heard(self, products: Products) -> bool:
        return _unlike(self.plain, products) > FAINT * self.loudest

    def _keeps(self, share: float, products: Products) -> bool:
        return _energy(self.plain, products) >= share * _unlike(self.plain, products)

    def _choose(self, products: Products) -> int:
        energies = np.array([_energy(row, products) for row in self.rows])
        if self.taken is not None and energies.max() <= LOUDER * energies[self.taken]:
            return self.taken
        return int(np.argmax(energies * ABOUT_AS_LOUD >= energies.max()))


class Mixer:
    """Mixes a sound's channels into one or two, block by block.

    It looks a second ahead, so that it gives what it takes with that delay. What it gives depends
    on the sound alone, not on the pieces in which it comes. Where the plain mix has lost most of
    the channels' energy, the louder of left and right is taken instead, or a single channel if
    that is louder still. It fades from one to the other.

    Parameters
    ----------
    names : list of str
        The channels', as FFmpeg has them: "FL", "FR".
    channels : int
        1 or 2 that are wanted.
    rate : int
        Samples a second.

    Attributes
    ----------
    cancelled : int
        In so many samples channels would have cancelled.
    first, last : int
        The first such sample, and the one after the last.
    """

    def __init__(self, names: list[str], channels: int, rate: int) -> None:
        self._names, self._channels = names, channels
        self._block = max(1, round(BLOCK_SECONDS * rate))
        self._fade = max(1, round(FADE_SECONDS * rate))
        self.cancelled = self.first = self.last = 0
        self._outputs = _outputs(names, channels)
        self._rest: list[Matrix] = []
        self._waiting: deque[tuple[Matrix, Products]] = deque()
        self._before: deque[Products] = deque(maxlen=WINDOW)
        self._given = 0

    def feed(self, planes: Matrix) -> Matrix:
        """Take samples ``(channels, n)``; return the mix ``(1 or 2, m)`` of what is decided."""
        if not self._outputs:
            return fold(planes, self._names, self._channels)
        self._rest.append(planes)
        if sum(piece.shape[1] for piece in self._rest) < self._block:
            return self._joined([])
        planes = np.concatenate(self._rest, axis=1)
        end = planes.shape[1] // self._block * self._block
        self._rest = [planes[:, end:]]
        ready = []
        for begin in range(0, end, self._block):
            ready += self._take(planes[:, begin : begin + self._block])
        return self._joined(ready)

    def finish(self) -> Matrix:
        """Return the rest."""
        if not self._outputs:
            return self._joined([])
        rest, self._rest = self._rest, []
        if any(piece.shape[1] for piece in rest):
            self._wait(np.concatenate(rest, axis=1))
        return self._joined([self._next() for _ in range(len(self._waiting))])

    def _joined(self, ready: list[Matrix]) -> Matrix:
        empty = np.empty((self._channels, 0), np.float32)
        return np.concatenate([empty, *ready], axis=1)

    def _take(self, block: Matrix) -> list[Matrix]:
        self._wait(block)
        return [self._next()] if len(self._waiting) > WINDOW else []

    def _wait(self, block: Matrix) -> None:
        self._waiting.append((block, (block @ block.T).astype(np.float64)))

    def _next(self) -> Matrix:
        block, now = self._waiting.popleft()
        nothing = np.zeros_like(now)
        later = sum((products for _, products in self._waiting), nothing)
        before = sum(self._before, nothing)
        self._before.append(now)
        rows = [output.decide(before, now, later) for output in self._outputs]
        mixed = [self._mixed(*pair, block) for pair in zip(self._outputs, rows, strict=True)]
        begin, self._given = self._given, self._given + block.shape[1]
        if any(each.cancelling for each in self._outputs):
            self.first = self.first if self.cancelled else begin
            self.last = self._given
            self.cancelled += block.shape[1]
        return mixed[0][None] if len(mixed) == 1 else np.stack(mixed)

    def _mixed(self, output: _Output, row: Matrix, block: Matrix) -> Matrix:
        last, output.row = output.row, row
        mixed = _weighted(row, block)
        if last is not None and last is not row:
            length = min(self._fade, len(mixed))
            new = np.linspace(0, 1, length, dtype=np.float32)
            old = _weighted(last, block[:, :length])
            mixed[:length] = new * mixed[:length] + (1 - new) * old
        return mixed


def _outputs(names: list[str], channels: int) -> list[_Output]:
    """Return the channels of a mix; none where nothing is mixed."""
    if len(names) <= channels:
        return []
    single = np.eye(len(names), dtype=np.float32)
    sides = weights(names, 2) if channels == 1 and len(names) > 2 else single[:0]
    return [_Output(plain, [*sides, *single[plain != 0]]) for plain in weights(names, channels)]


def _energy(row: Matrix, products: Products) -> float:
    """Return the energy of a mix."""
    return float(row @ products @ row)


def _unlike(row: Matrix, products: Products) -> float:
    """Return the energy of a mix if its channels were uncorrelated."""
    return float((row * row) @ products.diagonal())
