"""Losses equal explicit sums, and tell what is alike from what is not."""

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


def slow_multi_resolution(given, wanted):
    total = []
    for length in [x for x in (64, 128, 256, 512) if x <= max(given.shape[1], 64)]:
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        sides = []
        for side in (given, wanted):
            padded = np.pad(side, [(0, 0), (length // 2, length // 2)])
            magnitude = [
                np.abs(np.fft.rfft(padded[:, at : at + length] * window))
                for at in range(0, padded.shape[1] - length + 1, length // 4)
            ]
            sides.append(np.hypot(np.array(magnitude), 1e-4 * length / 2))
        ours, theirs = sides
        convergence = np.sqrt(((ours - theirs) ** 2).sum() / (theirs**2).sum())
        total.append(convergence + np.abs(np.log(ours / theirs)).mean())
    return np.mean(total)


@pytest.mark.parametrize("length", [3, 34, 100, 267, 600])
def test_multi_resolution_equals_a_slow_reference(length):
    given, wanted = np.random.default_rng(0).normal(size=(2, 4, length))
    loss = multi_resolution_stft_loss(torch.tensor(given).float(), torch.tensor(wanted).float())
    assert loss.item() == pytest.approx(slow_multi_resolution(given, wanted), rel=1e-4)


@pytest.mark.parametrize("at", [0, 1, 366, 734])
def test_multi_resolution_hears_every_sample(at):
    wanted = torch.zeros(1, 735)
    given = wanted.clone()
    given[0, at] = 1
    assert multi_resolution_stft_loss(given, wanted) > 0.1
    given.requires_grad_()
    multi_resolution_stft_loss(given, wanted).backward()
    assert torch.isfinite(given.grad).all()
    assert given.grad[0, at] > 0


def test_multi_resolution_is_deaf_to_a_sign_and_bears_silence():
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
    excerpts = np.random.default_rng(1).normal(0, 0.1, (2, 4, target.extent))
    given, wanted = (target.wanted(torch.tensor(side).float()) for side in excerpts)
    if loss == "mse":
        expected = np.mean((given.double().numpy() - wanted.double().numpy()) ** 2)
    else:
        sides = [target.log_magnitude(side).double().numpy() for side in (given, wanted)]
        expected = np.mean(np.abs(sides[0] - sides[1]))
    found = make_loss(TrainingConfig(loss=loss), target)
    assert found(given, wanted).item() == pytest.approx(expected, rel=1e-5)
    assert found(wanted, wanted) == 0
    assert found(torch.full_like(wanted, target.silent), wanted) > 1e-3


def test_multi_resolution_is_of_sound_not_of_outputs():
    half = TARGETS[1]
    given, wanted = torch.randn(2, 4, 267, generator=torch.Generator().manual_seed(0)).unbind()
    found = make_loss(TrainingConfig(loss="multi-resolution"), half)
    expected = multi_resolution_stft_loss(given, wanted)
    torch.testing.assert_close(found(given + 0.5, wanted + 0.5), expected, rtol=1e-3, atol=1e-3)
    assert torch.isfinite(found(torch.full_like(wanted, half.silent), wanted))
