"""The short-time Fourier transform and its inverse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_BATCH_WINDOWS = 512
"""Windows that are transformed together."""

_MIN_WEIGHT = 1e-9
"""Lower bound of the summed window products by which the inverse divides."""


@dataclass(frozen=True)
class Stft:
    """A short-time Fourier transform with phases at window centres and magnitudes as amplitudes.

    A sine of amplitude 1 at a bin's frequency has magnitude 1 there; a cosine that peaks at the
    window's centre has phase 0.

    Parameters
    ----------
    n_fft : int
        Length of the transform in samples, even.
    hop : int
        Samples from one centre to the next, at most half the window.
    window : {"hann", "hamming"}
        Periodic.
    window_length : int, optional
        In samples, even, at most ``n_fft``, the default; zeros are added on both sides.

    Raises
    ------
    ValueError
        A length is odd or does not fit the others.
    """

    n_fft: int
    hop: int
    window: Literal["hann", "hamming"] = "hann"
    window_length: int | None = None

    def __post_init__(self) -> None:
        if self.n_fft < 4 or self.n_fft % 2:
            raise ValueError(f"got n_fft {self.n_fft}, expected an even number from 4")
        if not 4 <= self.window_size <= self.n_fft or self.window_size % 2:
            raise ValueError(
                f"got window_length {self.window_size}, expected an even number from 4 "
                f"to {self.n_fft}"
            )
        if not 1 <= self.hop <= self.window_size // 2:
            raise ValueError(
                f"got hop {self.hop}, expected 1 to {self.window_size // 2}, half a window"
            )
        if self.window not in ("hann", "hamming"):
            raise ValueError(f"got window {self.window!r}, expected 'hann' or 'hamming'")

    def __deepcopy__(self, memo: object) -> Stft:
        """Return itself, which never changes."""
        return self

    @property
    def bins(self) -> int:
        """The number of bins of a spectrum, from 0 to the Nyquist frequency."""
        return self.n_fft // 2 + 1

    @property
    def window_size(self) -> int:
        """The window's length in samples."""
        return self.n_fft if self.window_length is None else self.window_length

    @cached_property
    def analysis_window(self) -> NDArray[np.float64]:
        """The window, shape ``(n_fft,)``, 1 at its centre ``n_fft // 2``."""
        mean = 0.5 if self.window == "hann" else 0.54
        taper = mean - (1 - mean) * np.cos(
            2 * np.pi * np.arange(self.window_size) / self.window_size
        )
        return np.pad(taper, (self.n_fft - self.window_size) // 2 + np.zeros(2, int))[: self.n_fft]

    @property
    def synthesis_window(self) -> NDArray[np.float64]:
        """The window for overlap-add: the analysis window.

        It gives the least-squares estimate of the sound (Griffin and Lim 1984, equation 6).
        """
        return self.analysis_window

    @property
    def overlap_factor(self) -> int:
        """The largest number of successive blocks that share a sample."""
        return -(-self.n_fft // self.hop)

    @cached_property
    def amplitude_scale(self) -> float:
        """Half the window's sum: the unscaled magnitude of a sine of amplitude 1."""
        return float(self.analysis_window.sum()) / 2

    def analyse(
        self, samples: NDArray[np.floating[Any]], centres: NDArray[np.int64]
    ) -> NDArray[np.complexfloating[Any, Any]]:
        """Return the spectra at given centres of a mono sound, which is silent outside.

        Parameters
        ----------
        samples : float array, shape (n_samples,)
        centres : int array, shape (n,)
            The samples at the windows' centres, in any order.

        Returns
        -------
        complex array, shape (n, bins)
            In single precision if the sound is, else in double.
        """
        from scipy.fft import rfft  # of single precision, three times as fast as numpy's

        precision = np.float32 if samples.dtype == np.float32 else np.float64
        window: NDArray[np.floating[Any]] = (self.analysis_window / self.amplitude_scale).astype(
            precision
        )
        spectra = np.empty((len(centres), self.bins), np.result_type(precision, np.complex64))
        for first in range(0, len(centres), _BATCH_WINDOWS):
            batch = slice(first, first + _BATCH_WINDOWS)
            excerpts = (
                self._excerpts(samples.astype(precision, copy=False), centres[batch]) * window
            )
            spectra[batch] = rfft(np.fft.ifftshift(excerpts, axes=1), axis=1)
        return spectra

    def magnitude(
        self, samples: NDArray[np.floating[Any]], centres: NDArray[np.int64]
    ) -> NDArray[np.floating[Any]]:
        """Return the linear magnitude of the spectra of `analyse`, ``(n, bins)``."""
        magnitude: NDArray[np.floating[Any]] = np.abs(self.analyse(samples, centres))
        return magnitude

    def inverse_blocks(self, spectra: NDArray[np.complexfloating[Any, Any]]) -> NDArray[np.float32]:
        """Return the windowed excerpts, ``(n, n_fft)``, that have these spectra."""
        blocks = np.fft.irfft(spectra, self.n_fft, axis=1) * np.float32(self.amplitude_scale)
        shifted: NDArray[np.float32] = np.fft.fftshift(blocks, axes=1).astype(
            np.float32, copy=False
        )
        return shifted

    def centres(self, sample_count: int) -> NDArray[np.int64]:
        """Return centres a hop apart from sample 0 that cover a sound of a length."""
        return np.arange(-(-(sample_count + self.window_size // 2) // self.hop)) * self.hop

    def _excerpts(
        self, sound: NDArray[np.floating[Any]], centres: NDArray[np.int64]
    ) -> NDArray[np.floating[Any]]:
        starts = np.asarray(centres, np.int64) - self.n_fft // 2
        first, last = int(starts.min(initial=0)), int(starts.max(initial=0)) + self.n_fft
        part = sound[max(first, 0) : max(last, 0)]
        padded = np.pad(part, (max(-first, 0), max(last - max(first, 0) - len(part), 0)))
        excerpts: NDArray[np.floating[Any]] = np.lib.stride_tricks.sliding_window_view(
            padded, self.n_fft
        )[starts - first]
        return excerpts


class InverseStft:
    """The inverse transform by overlap-add of blocks a hop apart.

    The sum of the blocks under the synthesis window is divided by the sum of both windows'
    product. The first block's centre is sample 0, and the part before is cut. Unrelated blocks add
    in power only: the phase reconstructor compensates the loss of level.
    """

    def __init__(self, stft: Stft) -> None:
        self._stft = stft
        rows, hop = stft.overlap_factor, stft.hop
        spare = rows * hop - stft.n_fft
        self._taper = stft.synthesis_window.astype(np.float32)
        self._pad = spare
        product = np.pad(stft.analysis_window * stft.synthesis_window, (0, spare))
        weight = np.cumsum(product.reshape(rows, hop), axis=0)
        self._inverse_weight = (1 / np.maximum(weight, _MIN_WEIGHT)).astype(np.float32)
        left = weight[-1] - weight[:-1]
        self._tail_inverse_weight = (1 / np.maximum(left, _MIN_WEIGHT)).astype(np.float32)
        self._pending = np.zeros((rows - 1, hop), np.float32)
        self._rows = 0

    def process(self, spectra: NDArray[np.complexfloating[Any, Any]]) -> NDArray[np.float32]:
        """Take the next spectra, ``(n, bins)``; return the samples that are complete."""
        pieces = [
            self._add(spectra[first : first + _BATCH_WINDOWS])
            for first in range(0, len(spectra), _BATCH_WINDOWS)
        ]
        return np.concatenate([np.empty(0, np.float32), *pieces])

    def flush(self, fade_out: bool = True) -> NDArray[np.float32]:
        """Return the rest, half a window after the last centre.

        With ``fade_out`` it fades with the last windows; without, it is normalised, which inverts
        the analysis up to the end of the last window.
        """
        closing, self._pending = self._pending, np.zeros_like(self._pending)
        if not fade_out:
            closing *= self._tail_inverse_weight / self._inverse_weight[-1]
        return self._normalised(closing)

    def _add(self, spectra: NDArray[np.complexfloating[Any, Any]]) -> NDArray[np.float32]:
        stft, count = self._stft, len(spectra)
        tapered = stft.inverse_blocks(spectra) * self._taper
        if self._pad:
            tapered = np.pad(tapered, ((0, 0), (0, self._pad)))
        parts = tapered.reshape(count, stft.overlap_factor, stft.hop)
        rows = np.zeros((count + stft.overlap_factor - 1, stft.hop), np.float32)
        rows[: stft.overlap_factor - 1] = self._pending
        for place in range(stft.overlap_factor):
            rows[place : place + count] += parts[:, place]
        self._pending = rows[count:]
        return self._normalised(rows[:count])

    def _normalised(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        numbers = np.arange(self._rows, self._rows + len(rows))
        shares = self._inverse_weight[np.minimum(numbers, len(self._inverse_weight) - 1)]
        cut = max(self._stft.n_fft // 2 - self._rows * self._stft.hop, 0)
        self._rows += len(rows)
        return (rows * shares).ravel()[cut:]
