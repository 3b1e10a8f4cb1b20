"""Hindle's experiments of 2015: phases with a constant or a random advance at every hop.

His phases are those of the block's first sample, and he used one block per film frame.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.reconstructor import PhaseReconstructor, from_polar, incoherent_gain
from frame2sound.sound.stft import Stft

Angle = float | NDArray[np.float64]

HINDLE_STFT = Stft(n_fft=2048, hop=1024, window="hamming")
"""His transform; at 30 720 Hz the hop is a frame at 30 fps."""


class FixedAdvance:
    """Adds the same phases at every hop, independent of the sound, which hums.

    Where neighbouring bins have the same phase a block is a pulse at its edge, where the window is
    almost zero: it is up to 9 dB too quiet, as in the original.

    Parameters
    ----------
    stft : Stft
    start, advance : float or array of shape (bins,)
        Radians, at the first sample of the first block, and from each block to the next.
    """

    def __init__(self, stft: Stft, start: Angle = 0.0, advance: Angle = 0.0) -> None:
        self._phase = np.broadcast_to(_centre_phase(stft) + start, stft.bins)
        self._advance = np.broadcast_to(np.asarray(advance, np.float64), stft.bins)
        self._gain = np.float32(incoherent_gain(stft))
        self._hop = 0

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the magnitudes with the phases of their hops."""
        hops = self._hop + np.arange(len(magnitude))
        self._hop += len(magnitude)
        phase = np.mod(self._phase + hops[:, None] * self._advance, 2 * np.pi)
        return from_polar(magnitude * self._gain, phase)


class RandomWalk:
    """Adds fresh, normally distributed phases at every hop.

    Parameters
    ----------
    stft : Stft
    step : float
        Standard deviation of the phase step, in radians.
    start : float or array of shape (bins,)
        Radians, at the first sample of the first block.
    seed : int
    """

    def __init__(
        self, stft: Stft, step: float, start: Angle = 0.0, seed: int | list[int] = 0
    ) -> None:
        self._phase = np.broadcast_to(_centre_phase(stft) + start, stft.bins)
        self._step = step
        self._gain = np.float32(incoherent_gain(stft))
        self._rng = np.random.default_rng(seed)

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the magnitudes with the phases of the random walk."""
        steps = self._rng.normal(0, self._step, magnitude.shape)
        walk = np.cumsum(np.concatenate([self._phase[None], steps]), axis=0)
        self._phase = np.mod(walk[-1], 2 * np.pi)
        return from_polar(magnitude * self._gain, np.mod(walk[:-1], 2 * np.pi))


def _centre_phase(stft: Stft) -> NDArray[np.float64]:
    """Return the phase advance from the block's first sample to its centre."""
    return (np.arange(stft.bins) % 2) * np.float64(np.pi)


def _uniform(width: float, stft: Stft, seed: int) -> PhaseReconstructor:
    advance = np.random.default_rng(seed).uniform(-width, width, stft.bins)
    return FixedAdvance(stft, np.pi / 2, advance)


def _normal(deviation: float, start: float, stft: Stft, seed: int) -> PhaseReconstructor:
    advance = np.random.default_rng(seed).normal(0, deviation, stft.bins)
    return FixedAdvance(stft, start, advance)


def _ramp(first: float, last: float, stft: Stft, seed: int) -> PhaseReconstructor:
    return FixedAdvance(stft, np.pi / 2, np.linspace(first, last, stft.bins))


def _random_start(stft: Stft, seed: int) -> NDArray[np.float64]:
    start: NDArray[np.float64] = np.random.default_rng(seed).normal(np.pi / 2, np.pi, stft.bins)
    return start


def _tenth(stft: Stft, seed: int) -> PhaseReconstructor:
    return FixedAdvance(stft, _random_start(stft, seed), np.pi / 2)


def _eleventh(stft: Stft, seed: int) -> PhaseReconstructor:
    return RandomWalk(stft, np.pi / 10, _random_start(stft, seed), seed=[seed, 1])


HINDLE_STRATEGIES: dict[str, Callable[[Stft, int], PhaseReconstructor]] = {
    "hindle-1": partial(_uniform, np.pi / 100),
    "hindle-2": partial(_uniform, np.pi / 10),
    "hindle-3": partial(_normal, np.pi / 2, np.pi / 2),
    "hindle-4": partial(_normal, np.pi / 10, np.pi / 2),
    "hindle-5": partial(_normal, np.pi, np.pi / 2),
    "hindle-6": partial(_normal, np.pi / 2, 0.0),
    "hindle-7": partial(_uniform, np.pi / 2),
    "hindle-8": partial(_ramp, 0.0, np.pi / 2),
    "hindle-9": partial(_ramp, np.pi / 2, 0.0),
    "hindle-10": _tenth,
    "hindle-11": _eleventh,
}
"""His first eleven, each created from a transform and a seed; the twelfth is `PhaseFromAudio`."""
