"""Overlap-add: what is cut into blocks comes back, on time, however it is fed."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frame2sound.clock import Clock
from frame2sound.evaluation.frame_rate_hum import tremolo_comb_db
from frame2sound.sound.block_crossfader import BlockCrossfader
from frame2sound.sound.windows import hann_fade_in

RATE = 22050
FRAMES = 40
each_fps = pytest.mark.parametrize(
    "fps", [Fraction(f) for f in ("24", "24000/1001", "25", "30000/1001", "30")], ids=str
)


def sounding(kind, length):
    if kind == "noise":
        return np.random.default_rng(3).uniform(-1, 1, length).astype(np.float32)
    return np.sin(2 * np.pi * 441.3 * np.arange(length) / RATE).astype(np.float32)


def cut(sound, clock, lead, frames=FRAMES):
    """Blocks of a sound that is silent before its start and after its end."""
    starts = clock.sample_bounds(frames)[:-1]
    padded = np.pad(sound, (lead, clock.max_samples_per_frame))
    return np.stack([padded[s : s + lead + clock.max_samples_per_frame] for s in starts])


def join(blocks, bounds, lead, overlap, sizes=(), law="amplitude"):
    """Feed blocks in batches of the given sizes, and the rest at once."""
    joined, pieces = BlockCrossfader(lead, overlap, law), []
    marks = np.unique(np.clip(np.cumsum([0, *sizes, len(blocks)]), 0, len(blocks)))
    for first, last in pairwise(marks):
        pieces.append(joined.process(blocks[first:last], bounds[first : last + 1]))
    return np.concatenate([*pieces, joined.flush()])


@each_fps
@pytest.mark.parametrize("kind", ["tone", "noise"])
@pytest.mark.parametrize(("lead", "overlap"), [(0, 0), (110, 110), (300, 110), (700, 700)])
def test_what_was_cut_from_one_sound_comes_back(fps, kind, lead, overlap):
    clock = Clock(fps, RATE)
    bounds = clock.sample_bounds(FRAMES)
    sound = sounding(kind, bounds[-1])
    back = join(cut(sound, clock, lead), bounds, lead, overlap)
    assert back.dtype == np.float32
    assert len(back) == bounds[-1]
    # Each sample is the sum of two products in float32: three roundings of half 2**-23.
    np.testing.assert_allclose(back, sound, rtol=0, atol=2e-7)


def test_the_hard_cut_gives_back_the_very_samples():
    clock = Clock(Fraction(24000, 1001), RATE)
    bounds = clock.sample_bounds(FRAMES)
    blocks = np.random.default_rng(0).standard_normal((FRAMES, 5 + 920)).astype(np.float32)
    own = [blocks[i, 5 : 5 + n] for i, n in enumerate(np.diff(bounds))]
    np.testing.assert_array_equal(join(blocks, bounds, 5, 0), np.concatenate(own))


def slow_overlap_add(blocks, bounds, lead, overlap, law):
    """Sample by sample, in double precision, with mirrored beginnings."""
    exponent = {"amplitude": 2, "power": 1}[law]
    out = np.zeros(bounds[-1])
    for i, (start, end) in enumerate(pairwise(bounds)):
        shared = min(overlap, end - start)
        last = i == len(blocks) - 1
        for n in range(start, end):
            value = float(blocks[i, lead + n - start])
            into = n - (end - shared)
            if into >= 0 and not last:
                place = lead + n - end  # in the next block, which starts lead samples before end
                coming = float(blocks[i + 1, abs(place)])
                angle = np.pi * (into + 0.5) / (2 * shared)
                value = value * np.cos(angle) ** exponent + coming * np.sin(angle) ** exponent
            out[n] = value
    return out


@pytest.mark.parametrize("law", ["amplitude", "power"])
@pytest.mark.parametrize(("lead", "overlap"), [(0, 7), (3, 9), (3, 3), (5, 2), (30, 40)])
def test_against_a_slow_reference_where_the_overlap_may_exceed_lead_and_frame(lead, overlap, law):
    clock = Clock(Fraction(24000, 1001), 500)
    bounds = clock.sample_bounds(12)
    rng = np.random.default_rng(1)
    blocks = rng.uniform(-1, 1, (12, lead + clock.max_samples_per_frame)).astype(np.float32)
    expected = slow_overlap_add(blocks, bounds, lead, overlap, law)
    joined = join(blocks, bounds, lead, overlap, law=law)
    np.testing.assert_allclose(joined, expected, atol=2e-7)


@pytest.mark.parametrize(("lead", "overlap"), [(0, 110), (0, 735), (367, 367)])
def test_unrelated_blocks_keep_their_power_and_do_not_tremble(lead, overlap):
    clock = Clock(Fraction(30), RATE)
    frames = 20 * 30
    bounds = clock.sample_bounds(frames)
    noise = np.random.default_rng(7).normal(0, 0.1, (frames, lead + 735)).astype(np.float32)
    steady = np.random.default_rng(8).normal(0, 0.1, bounds[-1]).astype(np.float32)
    own = tremolo_comb_db(steady, RATE, Fraction(30))
    power, amplitude = (
        join(noise, bounds, lead, overlap, law=law) for law in ("power", "amplitude")
    )
    combs = [tremolo_comb_db(sound, RATE, Fraction(30)) for sound in (power, amplitude)]
    assert combs[0] < own + 3
    assert combs[1] > own + 6
    # The level of 440 000 unrelated samples is known to 0.1 %; mirrored ones count twice.
    assert power.std() == pytest.approx(0.1, rel=0.01)
    assert amplitude.std() < 0.0985


@given(
    sizes=st.lists(st.integers(0, 6), max_size=12),
    shape=st.sampled_from([(0, 0), (4, 4), (0, 7), (30, 30)]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_batches_of_any_size_give_the_same_bits(sizes, shape):
    clock = Clock(Fraction(24000, 1001), 500)  # frames of 20 and 21 samples
    bounds = clock.sample_bounds(FRAMES)
    blocks = sounding("noise", FRAMES * (shape[0] + 21)).reshape(FRAMES, -1)
    whole = join(blocks, bounds, *shape)
    np.testing.assert_array_equal(join(blocks, bounds, *shape, sizes=sizes), whole)


@pytest.mark.parametrize(("lead", "overlap"), [(0, 138), (100, 100), (400, 138)])
def test_a_click_on_a_frames_first_sample_stays_there_at_full_height(lead, overlap):
    clock = Clock(Fraction(24), RATE)
    bounds = clock.sample_bounds(5)
    blocks = np.zeros((5, lead + clock.max_samples_per_frame), np.float32)
    blocks[3, lead] = 1
    sound = join(blocks, bounds, lead, overlap)
    assert sound[bounds[3]] == 1
    assert not sound[bounds[3] + 1 :].any()


def test_the_crossing_ends_where_the_frame_starts():
    clock = Clock(Fraction(25), RATE)
    bounds = clock.sample_bounds(2)
    blocks = np.zeros((2, 100 + clock.max_samples_per_frame), np.float32)
    blocks[1] = 1
    sound = join(blocks, bounds, 100, 100)
    assert not sound[: bounds[1] - 100].any()
    np.testing.assert_allclose(sound[bounds[1] - 100 : bounds[1]], hann_fade_in(100), atol=1e-7)
    assert (sound[bounds[1] :] == 1).all()


def test_no_sample_of_a_complete_frame_is_held_back():
    clock = Clock(Fraction(25), RATE)
    joined = BlockCrossfader(10, 10)
    assert (
        len(joined.process(np.zeros((3, 10 + 882), np.float32), clock.sample_bounds(3))) == 2 * 882
    )
    assert len(joined.flush()) == 882
    assert len(joined.flush()) == 0


def test_blocks_too_short_for_their_frames_are_refused():
    bounds = Clock(Fraction(24), RATE).sample_bounds(3)
    with pytest.raises(ValueError, match="got frames of 919 samples, blocks hold 900"):
        BlockCrossfader(10, 0).process(np.zeros((3, 910), np.float32), bounds)
