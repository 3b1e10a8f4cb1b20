"""Shared by tests of spectral targets: clocks, sounds, and spectra computed as explicit sums."""

from fractions import Fraction

import numpy as np
import torch

from frame2sound.clock import Clock

CLOCKS = [Clock(Fraction(24), 8000), Clock(Fraction(30000, 1001), 8000)]
LENGTHS = [64, 266, 1024]
"""Windows shorter than a frame, about as long, and longer."""


def noise(target, n=3, seed=0):
    return np.random.default_rng(seed).normal(0, 0.2, (n, target.excerpt_length))


def tensor(array):
    return torch.tensor(array, dtype=torch.float32)


def window(kind, length):
    rise = {"hann": 0.5, "hamming": 0.54}[kind]
    return rise - (1 - rise) * np.cos(2 * np.pi * np.arange(length) / length)


def slow(target, excerpts, early=0):
    """Return the complex spectra, window by window, and the sound of each window.

    The windows stand ``early`` samples before the middles of the frame's parts.
    """
    recipe, clock = target.recipe, target.clock
    length = recipe.window_length
    shape = window(recipe.window, length)
    spectra, heard = [], []
    for excerpt in excerpts.astype(np.float64):
        for part in range(recipe.windows_per_frame):
            middle = (
                Fraction(2 * part + 1, 2 * recipe.windows_per_frame) / clock.fps * clock.sample_rate
            )
            begin = round(middle) - early - length // 2 + target.lead_samples
            windowed = excerpt[begin : begin + length] * shape
            assert len(windowed) == length
            heard.append(windowed)
            spectra.append(np.fft.rfft(windowed) * 2 / shape.sum())
    size = (len(excerpts), recipe.windows_per_frame, -1)
    return np.reshape(spectra, size), np.reshape(heard, size)
