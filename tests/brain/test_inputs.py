"""Pixels enter a network in reading order, black as 0 and white as 1."""

import numpy as np
import pytest
import torch

from frame2sound.brain.inputs import PIXELS, eigenframes, fft2, pixels, see, size_of
from frame2sound.brain.recipe import Eigenframes, Fft2, Pixels


def test_pixels_are_grey_values_over_255():
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    before = frames.copy()
    seen = pixels(torch.from_numpy(frames))
    assert seen.shape == (3, PIXELS)
    assert seen.dtype == torch.float32
    np.testing.assert_array_equal(seen.numpy(), frames.reshape(3, -1) / np.float32(255))
    np.testing.assert_array_equal(frames, before)


def test_black_is_0_and_white_is_1():
    frames = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None].expand(2, 64, 64)
    assert torch.equal(pixels(frames), torch.tensor([[0.0], [1.0]]).expand(2, PIXELS))


def test_no_frames_give_no_rows():
    assert pixels(torch.empty(0, 64, 64, dtype=torch.uint8)).shape == (0, PIXELS)


def test_eigenframes_are_white():
    random = np.random.default_rng(0)
    # Twelve directions, of deviations from 3 down to 0.02, in pictures of 4096 pixels.
    directions = np.linalg.qr(random.standard_normal((4096, 12)))[0].T
    seen = 0.5 + random.standard_normal((600, 12)) * np.geomspace(3, 0.02, 12) @ directions
    seen = torch.tensor(seen, dtype=torch.float32)
    weight, bias = eigenframes(seen, 12, 1e-6, seed=0)
    given = (seen @ weight.T + bias).double()
    # The floor and a grey level's variance are 0.02 of the least component's.
    np.testing.assert_allclose(given.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(given.T, bias=True), np.eye(12), atol=0.05)


def test_a_floor_keeps_small_components_small():
    random = np.random.default_rng(1)
    seen = torch.tensor(random.standard_normal((300, 40)) * np.geomspace(1, 1e-3, 40)).float()
    weight, bias = eigenframes(seen, 40, 0.1, seed=0)
    deviations = (seen @ weight.T + bias).std(0)
    assert deviations[0] > 0.9
    assert deviations[-1] < 0.05


@pytest.mark.parametrize("frames", [1, 5])
def test_few_or_equal_pictures_leave_the_rest_zero(frames):
    weight, bias = eigenframes(torch.full((frames, 4096), 0.25), 8, 0.01, seed=0)
    assert weight.shape == (8, 4096)
    assert torch.isfinite(weight).all()
    # Pictures without variance say nothing, whatever is projected on.
    assert (weight @ torch.full((4096,), 0.25) + bias).abs().max() < 1e-2


def test_eigenframes_repeat_and_leave_the_generator_alone():
    seen = torch.rand(50, 4096)
    before = torch.random.get_rng_state()
    first, again = (eigenframes(seen, 8, 0.01, seed=3)[0] for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("kind", [Pixels(), Eigenframes(), Fft2()], ids=type)
def test_what_enters_has_its_size(kind):
    frames = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    seen = see(frames, kind)
    assert seen.shape == (3, size_of(kind))
    assert torch.equal(seen, fft2(frames) if kind == Fft2() else pixels(frames))
    assert see(frames[:0], kind).shape == (0, size_of(kind))


def test_the_fourier_transform_is_numpys():
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    spectra = np.fft.rfft2(frames / 255) / 64
    spectra[:, 0, 0] = (frames / 255).mean(axis=(1, 2))
    real, imaginary = fft2(torch.from_numpy(frames)).reshape(3, 2, 64, 33).double().unbind(1)
    # Sums of 4096 numbers in single precision.
    np.testing.assert_allclose(real, spectra.real, atol=2e-6)
    np.testing.assert_allclose(imaginary, spectra.imag, atol=2e-6)


def test_screens_have_only_their_grey():
    screens = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None].expand(2, 64, 64)
    seen = fft2(screens)
    torch.testing.assert_close(seen[:, 0], torch.tensor([0.0, 1.0]))
    assert seen[:, 1:].abs().max() < 1e-6
