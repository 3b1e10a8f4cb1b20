"""Blocks are the samples around a frame's start, scaled and scaled back."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.recipe import Pcm
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock

CLOCKS = [
    Clock(Fraction(30), 22050),
    Clock(Fraction(24), 22050),
    Clock(Fraction(30000, 1001), 8000),
]


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize(("seconds", "leads"), [(0.0, [0, 0, 0]), (0.008, [176, 176, 64])])
def test_a_block_is_its_lead_and_the_longest_slice(clock, seconds, leads):
    target = PcmBlocks.of(Pcm(lead_seconds=seconds), clock)
    assert target.lead == leads[CLOCKS.index(clock)]
    assert target.length - target.lead == int(np.diff(clock.bounds(10_000)).max())


@pytest.mark.parametrize("lead", [0, 5])
def test_blocks_equal_a_slow_reference(lead):
    sound = np.random.default_rng(0).normal(size=100).astype(np.float32)
    target = PcmBlocks(lead, lead + 7)
    starts = np.array([lead, 50, 93, 50])
    slow = [[sound[start - lead + at] for at in range(lead + 7)] for start in starts]
    np.testing.assert_array_equal(target.cut(sound, starts), np.array(slow))


@pytest.mark.parametrize(
    ("scaling", "rms", "pairs"),
    [
        ("half", 0.1, [(-1, 0), (0, 0.5), (1, 1)]),
        ("rms", 0.1, [(-1, -10), (0, 0), (1, 10)]),
        ("rms", 0.5, [(0.25, 0.5)]),
    ],
)
def test_scaling_is_as_the_recipe_says(scaling, rms, pairs):
    target = PcmBlocks.of(Pcm(scaling=scaling), CLOCKS[0], rms)
    sound, output = (np.array(side, np.float32) for side in zip(*pairs, strict=True))
    np.testing.assert_allclose(target.to_output(sound), output, rtol=1e-6)
    np.testing.assert_allclose(target.to_sound(output), sound, rtol=1e-6)


@pytest.mark.parametrize("scaling", ["half", "rms"])
def test_sound_comes_back_from_its_scaling(scaling):
    sound = np.random.default_rng(0).uniform(-1, 1, (20, 50)).astype(np.float32)
    target = PcmBlocks.of(Pcm(scaling=scaling), CLOCKS[0], rms=0.123)
    again = target.to_sound(target.to_output(sound))
    assert again.dtype == np.float32
    # Two roundings of numbers up to 1 in single precision.
    np.testing.assert_allclose(again, sound, atol=2e-7)
