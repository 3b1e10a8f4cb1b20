"""Losses equal explicit sums."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from frame2sound.brain.config import LogMag, Mel, StftBoth, StftMag, StftReal, TrainingConfig
from frame2sound.brain.spectra import (
    LogMagnitudes,
    Magnitudes,
    MelMagnitudes,
    PolarSpectra,
    RealSpectra,
)
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock
from frame2sound.training.losses import make_loss, multi_resolution_stft_loss

CLOCK = Clock(Fraction(30), 8000)
TARGETS = [
    PcmBlocks(0, 267, scale=0.1),
    PcmBlocks(0, 267, offset=-1.0, scale=2.0),
    RealSpectra(StftReal(window_length=128), CLOCK, 0.1),
    Magnitudes(StftMag(window_length=128), CLOCK, 0.1),
    PolarSpectra(StftBoth(window_length=128), CLOCK, 0.1),
    LogMagnitudes(LogMag(window_length=128), CLOCK, 0.1),
    MelMagnitudes(Mel(window_length=128, bands=16), CLOCK, 0.1),
]


def slow_multi_resolution(estimate, reference):
    total = []
    for length in [x for x in (64, 128, 256, 512) if x <= max(estimate.shape[1], 64)]:
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        sides = []
        for side in (estimate, reference):
            padded = np.pad(side, [(0, 0), (length // 2, length // 2)])
            magnitude = [
                np.abs(np.fft.rfft(padded[:, at : at + length] * window))
                for at in range(0, padded.shape[1] - length + 1, length // 4)
            ]
            sides.append(np.hypot(np.array(magnitude), 1e-4 * length / 2))
        estimated, expected = sides
        convergence = np.sqrt(((estimated - expected) ** 2).sum() / (expected**2).sum())
        total.append(convergence + np.abs(np.log(estimated / expected)).mean())
    return np.mean(total)


@pytest.mark.parametrize("length", [3, 34, 100, 267, 600])
def test_multi_resolution_equals_a_slow_reference(length):
    estimate, reference = np.random.default_rng(0).normal(size=(2, 4, length))
    loss = multi_resolution_stft_loss(
        torch.tensor(estimate).float(), torch.tensor(reference).float()
    )
    assert loss.item() == pytest.approx(slow_multi_resolution(estimate, reference), rel=1e-4)


@pytest.mark.parametrize("at", [0, 1, 366, 734])
def test_multi_resolution_depends_on_every_sample(at):
    reference = torch.zeros(1, 735)
    estimate = reference.clone()
    estimate[0, at] = 1
    assert multi_resolution_stft_loss(estimate, reference) > 0.1
    estimate.requires_grad_()
    multi_resolution_stft_loss(estimate, reference).backward()
    assert torch.isfinite(estimate.grad).all()
    assert estimate.grad[0, at] > 0


def test_multi_resolution_ignores_the_sign_and_allows_silence():
    wave = torch.randn(3, 267, generator=torch.Generator().manual_seed(0))
    assert multi_resolution_stft_loss(-wave, wave) == 0
    silence = torch.zeros(3, 267)
    assert multi_resolution_stft_loss(silence, silence) == 0
    assert (
        1
        < multi_resolution_stft_loss(silence, wave)
        < multi_resolution_stft_loss(wave, silence)
        < np.inf
    )


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
@pytest.mark.parametrize("loss", ["mse", "log-magnitude"])
def test_losses_equal_slow_references(target, loss):
    excerpts = np.random.default_rng(1).normal(0, 0.1, (2, 4, target.excerpt_length))
    estimate, reference = (target.encode(torch.tensor(side).float()) for side in excerpts)
    if loss == "mse":
        expected = np.mean((estimate.double().numpy() - reference.double().numpy()) ** 2)
    else:
        sides = [target.log_magnitude(side).double().numpy() for side in (estimate, reference)]
        expected = np.mean(np.abs(sides[0] - sides[1]))
    found = make_loss(TrainingConfig(loss=loss), target)
    assert found(estimate, reference).item() == pytest.approx(expected, rel=1e-5)
    assert found(reference, reference) == 0
    assert found(torch.full_like(reference, target.silence_value), reference) > 1e-3


def test_multi_resolution_is_computed_on_sound_not_on_outputs():
    half = TARGETS[1]
    estimate, reference = torch.randn(
        2, 4, 267, generator=torch.Generator().manual_seed(0)
    ).unbind()
    found = make_loss(TrainingConfig(loss="multi-resolution"), half)
    expected = multi_resolution_stft_loss(estimate, reference)
    torch.testing.assert_close(
        found(estimate + 0.5, reference + 0.5), expected, rtol=1e-3, atol=1e-3
    )
    assert torch.isfinite(found(torch.full_like(reference, half.silence_value), reference))
