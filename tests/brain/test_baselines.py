"""Baselines equal closed forms and the comparison of all pairs of frames."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from frame2sound.brain import baselines
from frame2sound.brain.baselines import LinearRegression, MeanPredictor, NearestNeighbour
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock

CLOCK = Clock(Fraction(30), 8000)
TARGET = PcmBlocks(0, CLOCK.max_samples_per_frame)


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64), np.uint8)


def random_outputs(count, seed=0):
    return torch.randn(count, TARGET.length, generator=torch.Generator().manual_seed(seed))


def through(weights, frames):
    return torch.tensor(frames.reshape(len(frames), -1) / 255).float() @ weights


@pytest.fixture
def true_weights():
    """Random weights from pixels to outputs of about 1."""
    return 0.05 * torch.randn(4096, TARGET.length, generator=torch.Generator().manual_seed(5))


def test_the_mean_predictor_ignores_the_picture():
    outputs = random_outputs(9)
    actual = MeanPredictor.fit(CLOCK, TARGET, outputs).predict(pictures(3))
    assert actual.shape == (3, TARGET.length)
    np.testing.assert_allclose(actual, outputs.mean(0).expand(3, -1), atol=1e-6)


def test_the_nearest_equals_that_of_comparing_all_pairs(monkeypatch):
    monkeypatch.setattr(baselines, "BLOCK_FRAMES", 7)  # neither count is a multiple of it
    known, queries = pictures(30), pictures(17, seed=1)
    difference = queries[:, None].astype(np.int64) - known[None]
    expected = np.square(difference).sum((2, 3)).argmin(1)
    nearest = NearestNeighbour(CLOCK, TARGET, known, random_outputs(30))
    np.testing.assert_array_equal(nearest.find_nearest(queries), expected)
    np.testing.assert_array_equal(nearest.predict(queries), random_outputs(30)[expected])


def test_the_nearest_distinguishes_one_grey_level():
    """Squares of 4096 pixels at 255 exceed the resolution of single precision."""
    known = np.full((4, 64, 64), 255, np.uint8)
    for number in range(4):
        known[number, 0, number] = 254
    assert NearestNeighbour(CLOCK, TARGET, known, random_outputs(4)).find_nearest(
        known
    ).tolist() == [
        0,
        1,
        2,
        3,
    ]


def test_of_equally_near_frames_the_first_is_chosen(monkeypatch):
    monkeypatch.setattr(baselines, "BLOCK_FRAMES", 2)
    known = np.repeat(pictures(1), 5, 0)
    assert (
        NearestNeighbour(CLOCK, TARGET, known, random_outputs(5)).find_nearest(known).tolist()
        == [0] * 5
    )


def test_ridge_regression_solves_the_normal_equations(true_weights):
    frames = pictures(40)
    outputs = through(true_weights, frames) + 0.1 * random_outputs(40)
    linear = LinearRegression.fit(CLOCK, TARGET, frames, outputs)
    queries = frames.reshape(40, -1) / 255
    centred = queries - queries.mean(0)
    power = np.linalg.svd(centred, compute_uv=False) ** 2
    ridge = baselines.PENALTY * power.mean()
    # Of 40 pictures: weights through the 40 x 40 system, which is equivalent.
    dual = np.linalg.solve(
        centred @ centred.T + ridge * np.eye(40), (outputs - outputs.mean(0)).numpy()
    )
    new = pictures(5, seed=2)
    expected = (new.reshape(5, -1) / 255 - queries.mean(0)) @ centred.T @ dual
    # Single precision, and a decomposition that is randomised.
    np.testing.assert_allclose(
        linear.predict(new), expected + outputs.mean(0).numpy(), atol=2e-3, rtol=1e-3
    )


def test_linear_regression_fits_linear_data_with_a_small_penalty(true_weights):
    plain = pictures(600).astype(np.float64)
    basis = plain[:8]
    share = np.random.default_rng(3).dirichlet(np.ones(8), 300)
    frames = np.einsum("nk,kyx->nyx", share, basis).astype(np.uint8)
    outputs = through(true_weights, frames)
    held_out = frames[250:], outputs[250:]
    linear = LinearRegression.fit(CLOCK, TARGET, frames[:250], outputs[:250], held_out)
    spread = float(held_out[1].var(0).mean())
    assert linear.error(*held_out) < 0.01 * spread
    assert linear.penalty < 1


def test_linear_regression_chooses_the_largest_penalty_for_noise():
    held_out = pictures(40, seed=1), random_outputs(40, seed=1)
    linear = LinearRegression.fit(CLOCK, TARGET, pictures(60), random_outputs(60), held_out)
    assert linear.penalty == max(baselines.PENALTIES)


def test_the_same_pairs_give_the_same_regression():
    first, second = (
        LinearRegression.fit(CLOCK, TARGET, pictures(30), random_outputs(30)) for _ in range(2)
    )
    assert torch.equal(first.projection, second.projection)


@pytest.mark.parametrize("shade", [0, 255])
def test_identical_pictures_give_the_mean(shade):
    frames = np.full((6, 64, 64), shade, np.uint8)
    actual = LinearRegression.fit(CLOCK, TARGET, frames, random_outputs(6)).predict(frames[:2])
    np.testing.assert_allclose(actual, random_outputs(6).mean(0).expand(2, -1), atol=1e-4)


@pytest.mark.parametrize("frames, outputs", [(3, 4), (0, 0)])
def test_refuses_unequal_numbers_of_frames_and_outputs(frames, outputs):
    with pytest.raises(ValueError, match="expected at least one frame and outputs of shape"):
        NearestNeighbour(CLOCK, TARGET, pictures(frames), random_outputs(outputs))
    with pytest.raises(ValueError, match="expected at least one frame and outputs of shape"):
        LinearRegression.fit(CLOCK, TARGET, pictures(frames), random_outputs(outputs))


def test_refuses_outputs_of_another_target():
    with pytest.raises(ValueError, match=rf"outputs of shape \(3, {TARGET.length}\)"):
        MeanPredictor.fit(CLOCK, TARGET, torch.zeros(3, TARGET.length + 1))
