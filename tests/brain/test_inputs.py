"""Pixels enter a network in reading order, black as 0 and white as 1."""

import numpy as np
import pytest
import torch

from frame2sound.brain.ingredients import Eigenframes, Fft2, Pixels
from frame2sound.brain.inputs import (
    FAINTEST,
    PIXELS,
    PROFILES,
    Eyes,
    eigenframes,
    fft2,
    pixels,
    profiles,
    see,
    size_of,
)


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


def slow_profiles(picture):
    """The brightest and four times the mean of columns, then rows, averaged over neighbours."""
    found = []
    for lines in (picture.T, picture):
        for measure in (lambda line: max(line), lambda line: 4 * sum(line) / 64):
            each = [measure(line.tolist()) for line in lines]
            for width in (1, 4, 16, 64):
                found += [sum(each[at : at + width]) / width for at in range(0, 64, width)]
    return found


def test_profiles_equal_a_slow_loop():
    pictures = np.random.default_rng(0).random((3, 64, 64)).astype(np.float32)
    pictures[1, :, 20:] = 0
    given = profiles(torch.from_numpy(pictures).reshape(3, -1))
    assert given.shape == (3, PROFILES) == (3, 340)
    expected = [slow_profiles(picture.astype(np.float64)) for picture in pictures]
    # Means of 64 numbers up to 4 in single precision.
    np.testing.assert_allclose(given, expected, atol=2e-6)
    assert profiles(torch.empty(0, PIXELS)).shape == (0, PROFILES)


def test_a_bright_column_is_told_from_a_bright_row():
    pictures = torch.zeros(2, 64, 64)
    pictures[0, :, 10] = 1
    pictures[1, 10] = 1
    column, row = profiles(pictures.reshape(2, -1))
    half = PROFILES // 2
    assert torch.equal(column[:half], row[half:])
    assert torch.equal(column[half:], row[:half])
    assert column[10] == 1 == row[half + 10]
    assert column[:64].sum() == 1


def opened(seen, count=16, with_profiles=True, floor=1.0):
    eyes = Eyes(count, with_profiles)
    eyes.open(seen, floor, seed=0)
    return eyes


def blobs(n=300):
    """Pictures of a bright square that wanders, ``(n, 4096)``, grey 0 to 1."""
    random = np.random.default_rng(2)
    pictures = np.zeros((n, 64, 64), np.float32)
    for picture, (x, y) in zip(pictures, random.integers(0, 48, (n, 2)), strict=True):
        picture[y : y + 16, x : x + 16] = random.uniform(0.3, 1)
    return torch.from_numpy(pictures).reshape(n, -1)


@pytest.mark.parametrize("floor", [1e-6, 1.0])
def test_eyes_whiten_what_they_were_opened_to(floor):
    seen = blobs()
    eyes = opened(seen, floor=floor)
    assert eyes.width == 16 + PROFILES
    given = eyes(seen).double()
    assert given.shape == (300, eyes.width)
    np.testing.assert_allclose(given.mean(0), 0, atol=1e-3)
    variance = given.var(0, correction=0)
    # Never more than one, but for single precision; eigenframes fall with their own variance.
    assert variance.max() < 1.001
    components = variance[:16]
    assert (components.diff() < 1e-3).all()
    if floor < 1:
        np.testing.assert_allclose(components, 1, atol=0.01)
    else:
        assert components[-1] < 0.9
    weight, bias = eigenframes(seen, 16, floor, seed=0)
    torch.testing.assert_close(eyes(seen)[:, :16], seen @ weight.T + bias)


def test_profiles_are_standardised_but_faint_ones_stay_faint():
    seen = blobs()
    plain = profiles(seen).double()
    deviation = plain.std(0, correction=0)
    given = opened(seen)(seen)[:, 16:].double()
    expected = (plain - plain.mean(0)) / (deviation + FAINTEST)
    np.testing.assert_allclose(given, expected, atol=1e-4)
    faint = opened(seen * 0.01)(seen * 0.01)[:, 16:]
    assert faint.std(0).max() < 0.01 * deviation.max() / FAINTEST


@pytest.mark.parametrize("frames", [1, 5])
def test_eyes_that_saw_one_grey_are_blind_but_safe(frames):
    seen = torch.full((frames, PIXELS), 0.25)
    eyes = opened(seen)
    # One part in 255**2 of grey, and sums of 4096 numbers in single precision.
    assert eyes(seen).abs().max() < 1e-2
    assert torch.isfinite(eyes(torch.rand(3, PIXELS))).all()
    # A picture of one other grey: a component may be as far away as one grey level is fine.
    assert eyes(torch.zeros(1, PIXELS)).abs().max() < 64 * 0.25 * 255


def test_eyes_may_do_without_profiles():
    eyes = opened(blobs(), with_profiles=False)
    assert eyes.width == 16
    assert eyes(blobs(3)).shape == (3, 16)


@pytest.mark.parametrize("with_profiles", [True, False])
def test_eyes_are_not_learned_by_descent(with_profiles):
    eyes = opened(blobs(), with_profiles=with_profiles)
    assert not any(weights.requires_grad for weights in eyes.parameters())
    assert {name for name, _ in eyes.named_parameters()} == {"weight", "bias", "gain", "mean"}
