"""Targets encode with NumPy as with PyTorch, and reconstruct as they encode and decode."""

import numpy as np
import pytest
import torch

from frame2sound.brain.spectra import MAX_LOG_MAGNITUDE
from frame2sound.brain.targets import build_target

SPECTRAL = {
    "stft-real": {"kind": "stft-real", "window_length": 256},
    "stft-mag": {"kind": "stft-mag", "window_length": 250, "windows_per_frame": 2},
    "stft-both": {"kind": "stft-both", "window_length": 256},
    "log-mag": {"kind": "log-mag", "window_length": 256},
    "log-mag, hamming": {"kind": "log-mag", "window_length": 256, "window": "hamming"},
    "mel": {"kind": "mel", "window_length": 256, "bands": 24},
}
TARGETS = SPECTRAL | {
    "pcm": {"kind": "pcm", "lead_seconds": 0.002},
    "pcm, half": {"kind": "pcm", "scaling": "half"},
}


def noise(target, count=7):
    """Return excerpts of noise, at levels from far below the floor to far above full scale."""
    random = np.random.default_rng(0)
    levels = 10.0 ** np.linspace(-9, 3, count)[:, None]
    excerpts = levels * random.standard_normal((count, target.excerpt_length))
    return excerpts.astype(np.float32)


@pytest.mark.parametrize("kind", TARGETS)
def test_numpy_encodes_as_pytorch_does(small, kind):
    target = build_target(small(target=TARGETS[kind]), 0.2)
    excerpts = noise(target)
    actual, expected = target.encode(excerpts), target.encode(torch.from_numpy(excerpts)).numpy()
    assert actual.dtype == expected.dtype == np.float32
    if kind == "stft-both":  # near half a turn, phases may differ by a turn
        bins = np.arange(actual.shape[1]) >= target.bins
        turned = np.abs(actual - expected)[:, bins]
        assert np.minimum(turned, 2 - turned).max() < 1e-3
        actual, expected = actual[:, ~bins], expected[:, ~bins]
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", TARGETS)
def test_no_excerpts_encode_as_none(small, kind):
    target = build_target(small(target=TARGETS[kind]), 0.2)
    nothing = np.zeros((0, target.excerpt_length), np.float32)
    assert target.encode(nothing).shape == (0, target.length)
    assert len(target.reconstruct(nothing)) == 0


@pytest.mark.parametrize("kind", TARGETS)
def test_reconstruction_equals_decoding_what_was_encoded(small, kind):
    target = build_target(small(target=TARGETS[kind]), 0.2)
    excerpts = noise(target)
    expected = target.decode(target.encode(excerpts))
    actual = target.reconstruct(excerpts)
    assert actual.dtype == expected.dtype
    largest = np.abs(expected).reshape(len(expected), -1).max(1)
    for got, wanted, most in zip(actual, expected, largest, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=max(3e-6 * most, 1e-9))


def test_levels_beyond_the_limits_are_reconstructed_as_they_decode(small):
    target = build_target(small(target=SPECTRAL["log-mag"]), 0.2)
    loudest = np.abs(target.reconstruct(noise(target))[-1]).max()
    assert loudest <= 0.2 * 10**MAX_LOG_MAGNITUDE
    silence = np.zeros((2, target.excerpt_length), np.float32)
    assert not target.reconstruct(silence).any()
