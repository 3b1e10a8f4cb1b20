"""Panning: places are where they should be, power is kept, nothing zips."""

from itertools import pairwise

import numpy as np
import pytest

from frame2sound.sound.panner import Panner

RATE = 22050


def frames(count, fps=24000 / 1001):
    return np.round(np.arange(count + 1) * RATE / fps).astype(np.int64)


def placed(position, sound=None, cuts=()):
    bounds = frames(len(position))
    sound = np.ones(bounds[-1], np.float32) if sound is None else sound
    pan, edges = Panner(), [0, *cuts, len(position)]
    return np.concatenate(
        [
            pan.process(sound[bounds[a] : bounds[b]], np.array(position[a:b]), bounds[a : b + 1])
            for a, b in pairwise(edges)
        ]
    )


@pytest.mark.parametrize(
    ("position", "gains"), [(-1, (1, 0)), (0, (0.5**0.5, 0.5**0.5)), (1, (0, 1)), (7, (0, 1))]
)
def test_a_held_position_has_its_gains(position, gains):
    out = placed([position] * 5)
    np.testing.assert_allclose(out, np.broadcast_to(gains, out.shape), atol=1e-7)


def test_power_is_kept_wherever_it_goes():
    sound = np.random.default_rng(0).normal(0, 1, frames(200)[-1]).astype(np.float32)
    out = placed(np.random.default_rng(1).uniform(-1, 1, 200), sound)
    np.testing.assert_allclose((out**2).sum(axis=1), sound**2, rtol=1e-5)


def test_a_move_is_over_when_the_next_frame_starts():
    out, bounds = placed([-1, 1, 1]), frames(3)
    angle = np.arctan2(out[:, 1], out[:, 0])
    assert not out[: bounds[1] + 1, 1].any()
    middle = (bounds[1] + bounds[2]) // 2
    assert angle[middle] == pytest.approx(np.pi / 4, abs=2e-3)
    np.testing.assert_allclose(out[bounds[2] :], [[0, 1]] * (bounds[3] - bounds[2]), atol=1e-7)
    np.testing.assert_allclose(np.diff(angle[bounds[1] : bounds[2]], 2), 0, atol=1e-6)


def test_no_step_is_larger_than_the_fastest_move():
    out = placed(np.tile([-1, 1], 50))
    # From end to end, a quarter turn, in a frame of 919 samples or more.
    assert np.abs(np.diff(out, axis=0)).max() <= np.pi / 2 / 919 + 1e-6


@pytest.mark.parametrize("cuts", [(1,), (1, 2, 3), (10, 10, 30)])
def test_pieces_give_what_the_whole_gives(cuts):
    position = np.random.default_rng(2).uniform(-1, 1, 40)
    np.testing.assert_array_equal(placed(position, cuts=cuts), placed(position))


def test_silence_and_no_frames_stay_so():
    assert not placed([0.3, -0.5], np.zeros(frames(2)[-1], np.float32)).any()
    empty = Panner().process(np.empty(0, np.float32), np.empty(0), np.array([5]))
    assert empty.shape == (0, 2)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="3 samples, 1 positions and 2 bounds"):
        Panner().process(np.zeros(3, np.float32), np.zeros(1), np.array([0, 4]))
    with pytest.raises(ValueError, match="not finite"):
        Panner().process(np.zeros(4, np.float32), np.array([np.nan]), np.array([0, 4]))
