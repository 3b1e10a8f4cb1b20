"""Mix channels into one or two; where they would cancel, use the loudest channel instead."""

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
"""Gain of each channel in left and right, by ITU-R BS.775-3, annex 4.

Of ambisonics (ACN order), the omnidirectional channel and the left-right one are used.
"""

_LEFT = ("BL", "SL", "FLC", "WL", "SDL", "SSL", "TFL", "TBL", "TSL", "TTL", "BFL")
_RIGHT = ("BR", "SR", "FRC", "WR", "SDR", "SSR", "TFR", "TBR", "TSR", "TTR", "BFR")
"""Other channels of either side, mixed as ITU-R BS.775-3 mixes the surround channels."""

BLOCK_SECONDS = 0.2
"""Interval at which it is decided whether channels cancel."""

WINDOW_BLOCKS = 5
"""Blocks before and after the current one whose energy decides."""

CANCELLATION_RATIO = 0.25
"""Channels cancel if their mix has less than this share of the energy of uncorrelated channels.

Two channels of equal energy cancel if their correlation is -0.75 or less.
"""

RECOVERY_RATIO = 0.5
"""Channels no longer cancel once their mix has this share of the energy."""

NEGLIGIBLE_RATIO = 1e-4
"""Energy 40 dB below the highest so far changes no decision."""

SWITCH_RATIO = 2.0
"""The used channel changes if another has this much more energy, 3 dB."""

TIE_RATIO = 1.25
"""At first, the first channel within 1 dB of the loudest is used."""

CROSSFADE_SECONDS = 0.02

Matrix = NDArray[np.float32]
GramMatrix = NDArray[np.float64]
"""Inner products of all pairs of channels, shape ``(channels, channels)``."""


def downmix_matrix(channel_names: list[str], channels: int) -> Matrix:
    """Return the gain of each input in each output channel, shape ``(channels, names)``.

    Mono is the mean of left and right: a centre channel has a gain of 0.71. Channels of unknown
    position are mixed evenly into both sides.
    """
    stereo = np.array([_stereo_weights(name) for name in channel_names], np.float32).T
    return stereo.mean(axis=0, keepdims=True) if channels == 1 else stereo


def _stereo_weights(name: str) -> tuple[float, float]:
    if name in _LEFT or name in _RIGHT:
        return (HALF_POWER, 0.0) if name in _LEFT else (0.0, HALF_POWER)
    return _TO_STEREO.get(name, (0.0, 0.0) if name.startswith("AMBI") else (0.5, 0.5))


def downmix(planes: Matrix, channel_names: list[str], channels: int) -> Matrix:
    """Mix channels, shape ``(n, samples)``, into one or two; see `downmix_matrix`."""
    if len(planes) == channels:
        return planes
    if len(planes) == 1:
        return np.repeat(planes, channels, axis=0)
    return np.stack([_weighted_sum(row, planes) for row in downmix_matrix(channel_names, channels)])


def _weighted_sum(row: Matrix, planes: Matrix) -> Matrix:
    """Return a weighted sum of planes, the same however the samples are divided into blocks."""
    total = np.zeros(planes.shape[1], np.float32)
    for weight, plane in zip(row, planes, strict=True):
        if weight:
            total += weight * plane
    return total


@dataclass
class _Output:
    """One output channel: its mix, the alternatives if that would cancel, and which is used."""

    mix_weights: Matrix
    fallback_weights: list[Matrix]
    cancelling: bool = False
    chosen_fallback: int | None = None
    peak_energy: float = 0.0
    current_weights: Matrix | None = None

    def choose_weights(self, before: GramMatrix, now: GramMatrix, later: GramMatrix) -> Matrix:
        """Return the weights of a block, given the Gram matrices around it.

        The switch happens one block before channels begin to cancel.
        """
        after = now + later
        self.peak_energy = max(self.peak_energy, _uncorrelated_energy(self.mix_weights, after))
        if self.cancelling:
            recovered = self._retains_energy(RECOVERY_RATIO, after) and self._retains_energy(
                RECOVERY_RATIO, before + now
            )
            self.cancelling = not (recovered and self._is_audible(after))
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
    """Mixes channels into one or two, block by block, with a delay of one second.

    Where the mix has lost most of the channels' energy, the louder of left and right is used
    instead, or a single channel if that is louder still, with a crossfade. The result does not
    depend on how the samples are divided into calls.

    Parameters
    ----------
    channel_names : list of str
        FFmpeg's names of the input channels, such as "FL" and "FR".
    channels : int
        Number of output channels, 1 or 2.
    sample_rate : int
        In Hz.

    Attributes
    ----------
    cancelled_samples : int
        Number of samples in which channels would have cancelled.
    cancelled_start, cancelled_end : int
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
        """Add samples ``(channels, n)``; return mixed samples ``(1 or 2, m)`` that are ready."""
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
        """Return the remaining samples."""
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
        begin = self._samples_returned
        self._samples_returned += block.shape[1]
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


def cancellation_note(seconds: float, start_seconds: float, end_seconds: float) -> str:
    """Return what a person should know where channels cancel, for so many seconds in all."""
    return (
        f"its channels cancel each other in {seconds:.2f} s of its sound, from {start_seconds:.2f} "
        f"s to {end_seconds:.2f} s; used the loudest channel there"
    )


def _outputs(names: list[str], channels: int) -> list[_Output]:
    """Return the output channels; none if the inputs need no mixing."""
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
