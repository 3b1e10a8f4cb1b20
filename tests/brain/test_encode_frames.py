"""Encoded frames have the order: current frame, past, motion; within each, red, green, blue."""

import numpy as np
import pytest
import torch

from frame2sound.brain.config import Eigenframes, Fft2, Pixels
from frame2sound.brain.frame_encoding import HALF, PIXELS, encode_frames, input_size, pixels
from frame2sound.film.small_frames import luma


def test_pixels_are_grey_values_over_255():
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    before = frames.copy()
    actual = pixels(torch.from_numpy(frames))
    assert actual.shape == (3, PIXELS)
    assert actual.dtype == torch.float32
    np.testing.assert_array_equal(actual.numpy(), frames.reshape(3, -1) / np.float32(255))
    np.testing.assert_array_equal(frames, before)


def test_black_is_0_and_white_is_1():
    frames = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None].expand(2, 64, 64)
    assert torch.equal(pixels(frames), torch.tensor([[0.0], [1.0]]).expand(2, PIXELS))


def test_no_frames_give_no_rows():
    assert pixels(torch.empty(0, 64, 64, dtype=torch.uint8)).shape == (0, PIXELS)


def drawn(kind, n=3, seed=0):
    """Return windows of noise, ``(n, 1 + past_frames, 64, 64)`` or in colour."""
    shape = (n, 1 + kind.past_frames, 64, 64, *([3] if kind.colour else []))
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def encode(noise_windows, kind):
    return encode_frames(torch.from_numpy(noise_windows), kind)


def of_frames(frames, kind):
    return encode(frames[:, None], kind)


def slow(noise_windows, kind):
    """Return the encoded frames, computed picture by picture."""
    rows = []
    for moment in noise_windows / 255:
        views = [moment[-1 - back] for back in range(kind.still_frames)]
        if kind.motion:
            views.append(moment[-1] - moment[-2])
        planes = [p for view in views for p in (np.moveaxis(view, 2, 0) if kind.colour else [view])]
        if isinstance(kind, Fft2):
            spectra = [np.fft.rfft2(plane) / 64 for plane in planes]
            for spectrum in spectra:
                spectrum[0, 0] /= 64
            planes = [part for spectrum in spectra for part in (spectrum.real, spectrum.imag)]
        rows.append(np.concatenate([plane.ravel() for plane in planes]))
    return np.stack(rows)


KINDS = [Pixels, Eigenframes, Fft2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(("history", "motion"), [(0, False), (2, False), (0, True), (3, True)])
def test_encoded_frames_equal_a_slow_reference(kind, colour, history, motion):
    kind = kind(colour=colour, history=history, motion=motion)
    noise_windows = drawn(kind)
    before = noise_windows.copy()
    encoded = encode(noise_windows, kind)
    assert encoded.dtype == torch.float32
    # Sums of 4096 numbers in single precision, where there are any.
    np.testing.assert_allclose(encoded, slow(noise_windows, kind), atol=3e-6)
    np.testing.assert_array_equal(noise_windows, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    ("history", "motion", "views"), [(0, 0, 1), (5, 0, 6), (0, 1, 2), (5, 1, 7)]
)
def test_encoded_frames_have_the_input_size(kind, colour, history, motion, views):
    kind = kind(colour=colour, history=history, motion=bool(motion))
    plane = 2 * 64 * HALF if isinstance(kind, Fft2) else PIXELS
    assert input_size(kind) == plane * views * (3 if colour else 1)
    assert kind.past_frames == max(history, motion)
    for n in (2, 0):
        assert encode(drawn(kind, n), kind).shape == (n, input_size(kind))


def test_the_current_frame_comes_first_and_the_latest_past_frame_next():
    noise_windows = (
        np.arange(5, dtype=np.uint8)[None, :, None, None].repeat(64, 2).repeat(64, 3) * 51
    )
    encoded = encode(noise_windows, Pixels(history=4)).reshape(5, PIXELS)
    torch.testing.assert_close(encoded[:, 0], torch.tensor([0.8, 0.6, 0.4, 0.2, 0.0]))
    assert (encoded == encoded[:, :1]).all()


@pytest.mark.parametrize("history", [0, 1, 4])
def test_motion_is_the_difference_to_the_frame_before(history):
    noise_windows = drawn(Pixels(history=history, motion=True))
    encoded = encode(noise_windows, Pixels(history=history, motion=True))[:, -PIXELS:]
    now, before = (noise_windows[:, at].reshape(3, -1) / 255 for at in (-1, -2))
    np.testing.assert_allclose(encoded, now - before, atol=1e-7)
    assert encoded.min() < -0.9
    assert encoded.max() > 0.9


def test_planes_of_colour_are_red_then_green_then_blue():
    red = np.zeros((1, 64, 64, 3), np.uint8)
    red[..., 0], red[..., 2] = 255, 51
    planes = of_frames(red, Pixels(colour=True)).reshape(3, PIXELS)
    torch.testing.assert_close(planes[:, 0], torch.tensor([1.0, 0.0, 0.2]))


@pytest.mark.parametrize("kind", [Pixels(), Pixels(history=2, motion=True)], ids=str)
def test_colour_frames_become_grey_for_grey_inputs(kind):
    coloured = drawn(Pixels(colour=True, history=kind.history, motion=kind.motion))
    encoded = encode(coloured, kind)
    assert encoded.shape == (3, input_size(kind))
    # OpenCV rounds grey to levels; motion is the difference of two such values.
    grey = np.stack([luma(moment) for moment in coloured])
    np.testing.assert_allclose(encoded, encode(grey, kind), atol=1.01 / 255)


@pytest.mark.parametrize("level", [0, 255])
def test_grey_of_black_and_white_is_exact(level):
    screens = np.full((2, 64, 64, 3), level, np.uint8)
    torch.testing.assert_close(
        of_frames(screens, Pixels()), torch.full((2, PIXELS), level / 255), rtol=0, atol=1e-6
    )


def test_grey_frames_are_refused_by_colour_inputs():
    with pytest.raises(ValueError, match="got grey frames, expected colour"):
        of_frames(np.zeros((2, 64, 64), np.uint8), Pixels(colour=True))


def fft2(frames):
    return of_frames(frames, Fft2())


def test_the_fourier_transform_is_numpys():
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    spectra = np.fft.rfft2(frames / 255) / 64
    spectra[:, 0, 0] = (frames / 255).mean(axis=(1, 2))
    real, imaginary = fft2(frames).reshape(3, 2, 64, 33).double().unbind(1)
    # Sums of 4096 numbers in single precision.
    np.testing.assert_allclose(real, spectra.real, atol=2e-6)
    np.testing.assert_allclose(imaginary, spectra.imag, atol=2e-6)


def test_the_transform_of_a_screen_is_its_mean():
    screens = np.array([0, 255], np.uint8)[:, None, None].repeat(64, 1).repeat(64, 2)
    actual = fft2(screens)
    torch.testing.assert_close(actual[:, 0], torch.tensor([0.0, 1.0]))
    assert actual[:, 1:].abs().max() < 1e-6


def test_the_transform_of_motion_is_the_difference_of_transforms():
    kind = Fft2(history=1, motion=True)
    now, before, motion = encode(drawn(kind), kind).chunk(3, 1)
    torch.testing.assert_close(motion, now - before, rtol=0, atol=5e-6)
