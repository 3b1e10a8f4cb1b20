"""Blocks are the samples around a frame's start; scaling is reversible."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from frame2sound.brain.config import Pcm
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock

CLOCKS = [
    Clock(Fraction(30), 22050),
    Clock(Fraction(24), 22050),
    Clock(Fraction(30000, 1001), 8000),
]


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize(("seconds", "leads"), [(0.0, [0, 0, 0]), (0.008, [176, 176, 64])])
def test_a_block_has_its_lead_and_the_longest_frame(clock, seconds, leads):
    target = PcmBlocks.from_config(Pcm(lead_seconds=seconds), clock)
    assert target.lead == leads[CLOCKS.index(clock)]
    assert target.length - target.lead == int(np.diff(clock.sample_bounds(10_000)).max())


@pytest.mark.parametrize("lead", [0, 5])
def test_a_block_is_its_excerpt(lead):
    sound = np.random.default_rng(0).normal(size=100).astype(np.float32)
    target = PcmBlocks(lead, lead + 7)
    assert (target.lead_samples, target.excerpt_length, target.required_range) == (
        lead,
        lead + 7,
        (-lead, 7),
    )
    excerpts = torch.tensor(sound[: 4 * target.excerpt_length].reshape(4, -1))
    actual = target.encode(excerpts)
    assert actual.shape == (4, target.length)
    np.testing.assert_array_equal(target.decode(actual), excerpts.numpy())


@pytest.mark.parametrize(
    ("scaling", "rms", "pairs"),
    [
        ("half", 0.1, [(-1, 0), (0, 0.5), (1, 1)]),
        ("rms", 0.1, [(-1, -10), (0, 0), (1, 10)]),
        ("rms", 0.5, [(0.25, 0.5)]),
    ],
)
def test_scaling_follows_the_recipe(scaling, rms, pairs):
    target = PcmBlocks.from_config(Pcm(scaling=scaling), CLOCKS[0], rms)
    sound, output = (torch.tensor(side) for side in zip(*pairs, strict=True))
    np.testing.assert_allclose(target.encode(sound.float()), output, rtol=1e-6)
    np.testing.assert_allclose(target.decode(output.float()), sound, rtol=1e-6)
    assert target.encode(torch.zeros(1)).item() == target.silence_value


@pytest.mark.parametrize("scaling", ["half", "rms"])
def test_scaled_sound_decodes_to_itself(scaling):
    sound = np.random.default_rng(0).uniform(-1, 1, (20, 50)).astype(np.float32)
    target = PcmBlocks.from_config(Pcm(scaling=scaling), CLOCKS[0], rms=0.123)
    again = target.decode(target.encode(torch.from_numpy(sound)))
    assert again.dtype == np.float32
    # Two roundings of numbers up to 1 in single precision.
    np.testing.assert_allclose(again, sound, atol=2e-7)


@pytest.mark.parametrize("length", [1, 3, 40, 267])
@pytest.mark.parametrize("scaling", ["half", "rms"])
def test_log_magnitudes_equal_a_slow_reference(scaling, length):
    sound = np.random.default_rng(0).normal(0, 0.3, (3, length))
    target = replace(PcmBlocks.from_config(Pcm(scaling=scaling), CLOCKS[0], rms=0.3), length=length)
    n_fft = max(length // 4, 4)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    padded = np.pad(sound / target.scale, [(0, 0), (n_fft // 2, n_fft // 2)])
    slow = []
    for begin in range(0, padded.shape[1] - n_fft + 1, n_fft // 2):
        magnitude = np.abs(np.fft.rfft(padded[:, begin : begin + n_fft] * window))
        slow.append(np.log10(np.hypot(magnitude / (1e-4 * n_fft / 2), 1)))
    actual = target.log_magnitude(target.encode(torch.tensor(sound).float()))
    # Decades around 4, of sums in single precision; deep bins lose some more.
    np.testing.assert_allclose(actual.numpy(), np.stack(slow, -1), atol=2e-3)
    silence = target.log_magnitude(torch.full((1, length), target.silence_value))
    assert not silence.any()


@pytest.mark.parametrize("at", [0, 133, 266])
def test_every_sample_changes_the_loss(at):
    target = PcmBlocks(0, 267)
    click = torch.zeros(1, 267)
    click[0, at] = 1
    assert target.log_magnitude(click).max() > 1
