"""Channels mixed into one or two; where they would cancel each other, the loudest is taken."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF_POWER = 2**-0.5

_TO_STEREO = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (HALF_POWER, HALF_POWER),
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

WINDOW_BLOCKS = 5
"""Blocks before and after the present one whose energy decides."""

CANCELLATION_RATIO = 0.25
"""Channels cancel if their mix has less of the energy that unlike channels would give it.

Unlike (uncorrelated) channels keep all of it, equal ones have more. Two channels as loud as each
other have so little if they correlate by -0.75 or less.
"""

RECOVERY_RATIO = 0.5
"""They no longer cancel if their mix has so much of it again."""

NEGLIGIBLE_RATIO = 1e-4
"""What is 40 dB below the loudest so far changes no decision."""

SWITCH_RATIO = 2.0
"""The channel that is taken changes if another has so much more energy: 3 dB."""

TIE_RATIO = 1.25
"""To begin with, the first channel within 1 dB of the loudest is taken."""

CROSSFADE_SECONDS = 0.02

Matrix = NDArray[np.float32]
GramMatrix = NDArray[np.float64]
"""The sums of what each two channels are multiplied, shape ``(channels, channels)``."""


def downmix_matrix(channel_names: list[str], channels: int) -> Matrix:
    """Return how loud each channel is in a mix to one or two, shape ``(channels, names)``.

    One is the mean of the two: equal fronts stay as loud as they are, a centre comes out at 0.71.
    Channels without a known place are spread evenly.
    """
    stereo = np.array([_stereo_weights(name) for name in channel_names], np.float32).T
    return stereo.mean(axis=0, keepdims=True) if channels == 1 else stereo


def _stereo_weights(name: str) -> tuple[float, float]:
    if name in _LEFT or name in _RIGHT:
        return (HALF_POWER, 0.0) if name in _LEFT else (0.0, HALF_POWER)
    return _TO_STEREO.get(name, (0.0, 0.0) if name.startswith("AMBI") else (0.5, 0.5))


def downmix(planes: Matrix, channel_names: list[str], channels: int) -> Matrix:
    """Mix channels, shape ``(n, samples)``, into one or two, by their `weights`."""
    if len(planes) == channels:
        return planes
    if len(planes) == 1:
        return np.repeat(planes, channels, axis=0)
    return np.stack([_weighted_sum(row, planes) for row in downmix_matrix(channel_names, channels)])


def _weighted_sum(row: Matrix, planes: Matrix) -> Matrix:
    """Return a weighted sum of planes; it is the same however the samples are cut into pieces."""
    total = np.zeros(planes.shape[1], np.float32)
    for weight, plane in zip(row, planes, strict=True):
        if weight:
            total += weight * plane
    return total


@dataclass
class _Output:
    """One channel of a mix: how it is made now, and what it is made of if that would cancel."""

    mix_weights: Matrix
    fallback_weights: list[Matrix]
    cancelling: bool = False
    chosen_fallback: int | None = None
    peak_energy: float = 0.0
    current_weights: Matrix | None = None

    def choose_weights(self, before: GramMatrix, now: GramMatrix, later: GramMatrix) -> Matrix:
        """Return the weights for a block, from the products of channels around it.

        Channels begin to cancel a block early, so that nothing is lost where they are turned.
        """
        after = now + later
        self.peak_energy = max(self.peak_energy, _uncorrelated_energy(self.mix_weights, after))
        if self.cancelling:
            kept = self._retains_energy(RECOVERY_RATIO, after) and self._retains_energy(
                RECOVERY_RATIO, before + now
            )
            self.cancelling = not (kept and self._is_audible(after))
        else:
            self.cancelling = any(
                self._is_audible(products)
                and not self._retains_energy(CANCELLATION_RATIO, products)
                for products in (after, later)
            )
        if self.cancelling and self._is_audible(after):
            self.chosen_fallback = self._choose_fallback(after)
        return (
            self.fallback_weights[self.chosen_fallback or 0]
            if self.cancelling
            else self.mix_weights
        )

    def _is_audible(self, products: GramMatrix) -> bool:
        return (
            _uncorrelated_energy(self.mix_weights, products) > NEGLIGIBLE_RATIO * self.peak_energy
        )

    def _retains_energy(self, ratio: float, products: GramMatrix) -> bool:
        return _energy(self.mix_weights, products) >= ratio * _uncorrelated_energy(
            self.mix_weights, products
        )

    def _choose_fallback(self, products: GramMatrix) -> int:
        energies = np.array([_energy(row, products) for row in self.fallback_weights])
        if (
            self.chosen_fallback is not None
            and energies.max() <= SWITCH_RATIO * energies[self.chosen_fallback]
        ):
            return self.chosen_fallback
        return int(np.argmax(energies * TIE_RATIO >= energies.max()))


class Downmixer:
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

    def __init__(self, channel_names: list[str], channels: int, sample_rate: int) -> None:
        self._channel_names, self._channels = channel_names, channels
        self._block_length = max(1, round(BLOCK_SECONDS * sample_rate))
        self._crossfade_length = max(1, round(CROSSFADE_SECONDS * sample_rate))
        self.cancelled_samples = self.cancelled_start = self.cancelled_end = 0
        self._outputs = _outputs(channel_names, channels)
        self._rest: list[Matrix] = []
        self._pending: deque[tuple[Matrix, GramMatrix]] = deque()
        self._previous: deque[GramMatrix] = deque(maxlen=WINDOW_BLOCKS)
        self._samples_returned = 0

    def process(self, planes: Matrix) -> Matrix:
        """Take samples ``(channels, n)``; return the mix ``(1 or 2, m)`` of what is decided."""
        if not self._outputs:
            return downmix(planes, self._channel_names, self._channels)
        self._rest.append(planes)
        if sum(piece.shape[1] for piece in self._rest) < self._block_length:
            return self._concatenate([])
        planes = np.concatenate(self._rest, axis=1)
        end = planes.shape[1] // self._block_length * self._block_length
        self._rest = [planes[:, end:]]
        ready = []
        for begin in range(0, end, self._block_length):
            ready += self._process_block(planes[:, begin : begin + self._block_length])
        return self._concatenate(ready)

    def flush(self) -> Matrix:
        """Return the rest."""
        if not self._outputs:
            return self._concatenate([])
        rest, self._rest = self._rest, []
        if any(piece.shape[1] for piece in rest):
            self._append_block(np.concatenate(rest, axis=1))
        return self._concatenate([self._mix_next_block() for _ in range(len(self._pending))])

    def _concatenate(self, ready: list[Matrix]) -> Matrix:
        empty = np.empty((self._channels, 0), np.float32)
        return np.concatenate([empty, *ready], axis=1)

    def _process_block(self, block: Matrix) -> list[Matrix]:
        self._append_block(block)
        return [self._mix_next_block()] if len(self._pending) > WINDOW_BLOCKS else []

    def _append_block(self, block: Matrix) -> None:
        self._pending.append((block, (block @ block.T).astype(np.float64)))

    def _mix_next_block(self) -> Matrix:
        block, now = self._pending.popleft()
        nothing = np.zeros_like(now)
        later = sum((products for _, products in self._pending), nothing)
        before = sum(self._previous, nothing)
        self._previous.append(now)
        rows = [output.choose_weights(before, now, later) for output in self._outputs]
        mixed = [self._mix_channel(*pair, block) for pair in zip(self._outputs, rows, strict=True)]
        begin, self._samples_returned = (
            self._samples_returned,
            self._samples_returned + block.shape[1],
        )
        if any(each.cancelling for each in self._outputs):
            self.cancelled_start = self.cancelled_start if self.cancelled_samples else begin
            self.cancelled_end = self._samples_returned
            self.cancelled_samples += block.shape[1]
        return mixed[0][None] if len(mixed) == 1 else np.stack(mixed)

    def _mix_channel(self, output: _Output, row: Matrix, block: Matrix) -> Matrix:
        last, output.current_weights = output.current_weights, row
        mixed = _weighted_sum(row, block)
        if last is not None and last is not row:
            length = min(self._crossfade_length, len(mixed))
            new = np.linspace(0, 1, length, dtype=np.float32)
            old = _weighted_sum(last, block[:, :length])
            mixed[:length] = new * mixed[:length] + (1 - new) * old
        return mixed


def _outputs(names: list[str], channels: int) -> list[_Output]:
    """Return the channels of a mix; none where nothing is mixed."""
    if len(names) <= channels:
        return []
    single = np.eye(len(names), dtype=np.float32)
    sides = downmix_matrix(names, 2) if channels == 1 and len(names) > 2 else single[:0]
    return [
        _Output(plain, [*sides, *single[plain != 0]]) for plain in downmix_matrix(names, channels)
    ]


def _energy(row: Matrix, products: GramMatrix) -> float:
    """Return the energy of a mix."""
    return float(row @ products @ row)


def _uncorrelated_energy(row: Matrix, products: GramMatrix) -> float:
    """Return the energy of a mix if its channels were uncorrelated."""
    return float((row * row) @ products.diagonal())
