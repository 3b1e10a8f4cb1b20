"""Frame features whiten the frames they were fitted to, and are the same for past frames."""

import numpy as np
import pytest
import torch

from frame2sound.brain.config import Eigenframes
from frame2sound.brain.features import MIN_STANDARD_DEVIATION, FrameFeatures, fit_eigenframes
from frame2sound.brain.frame_encoding import (
    BRIGHTNESS_COUNT,
    PIXELS,
    PROFILE_COUNT,
    brightness_features,
    brightness_profiles,
    encode_frames,
    input_size,
    pixels,
)


def test_eigenframes_are_white():
    random = np.random.default_rng(0)
    # Twelve directions, of deviations from 3 down to 0.02, in pictures of 4096 pixels.
    directions = np.linalg.qr(random.standard_normal((4096, 12)))[0].T
    inputs = 0.5 + random.standard_normal((600, 12)) * np.geomspace(3, 0.02, 12) @ directions
    inputs = torch.tensor(inputs, dtype=torch.float32)
    weight, bias = fit_eigenframes(inputs, 12, 1e-6, seed=0)
    actual = (inputs @ weight.T + bias).double()
    # The floor and a grey level's variance are 0.02 of the least component's.
    np.testing.assert_allclose(actual.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(actual.T, bias=True), np.eye(12), atol=0.05)


def test_a_floor_keeps_small_components_small():
    random = np.random.default_rng(1)
    inputs = torch.tensor(random.standard_normal((300, 40)) * np.geomspace(1, 1e-3, 40)).float()
    weight, bias = fit_eigenframes(inputs, 40, 0.1, seed=0)
    deviations = (inputs @ weight.T + bias).std(0)
    assert deviations[0] > 0.9
    assert deviations[-1] < 0.05


@pytest.mark.parametrize("frames", [1, 5])
def test_few_or_equal_pictures_leave_the_rest_zero(frames):
    weight, bias = fit_eigenframes(torch.full((frames, 4096), 0.25), 8, 0.01, seed=0)
    assert weight.shape == (8, 4096)
    assert torch.isfinite(weight).all()
    # Pictures without variance have zero features, whatever the components.
    assert (weight @ torch.full((4096,), 0.25) + bias).abs().max() < 1e-2


def test_eigenframes_repeat_and_leave_the_generator_alone():
    inputs = torch.rand(50, 4096)
    before = torch.random.get_rng_state()
    first, again = (fit_eigenframes(inputs, 8, 0.01, seed=3)[0] for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.random.get_rng_state(), before)


def slow_profiles(picture):
    """Return the profiles, computed in a loop."""
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
    actual = brightness_profiles(torch.from_numpy(pictures).reshape(3, -1))
    assert actual.shape == (3, PROFILE_COUNT) == (3, 340)
    expected = [slow_profiles(picture.astype(np.float64)) for picture in pictures]
    # Means of 64 numbers up to 4 in single precision.
    np.testing.assert_allclose(actual, expected, atol=2e-6)
    assert brightness_profiles(torch.empty(0, PIXELS)).shape == (0, PROFILE_COUNT)


def test_a_bright_column_is_told_from_a_bright_row():
    pictures = torch.zeros(2, 64, 64)
    pictures[0, :, 10] = 1
    pictures[1, 10] = 1
    column, row = brightness_profiles(pictures.reshape(2, -1))
    half = PROFILE_COUNT // 2
    assert torch.equal(column[:half], row[half:])
    assert torch.equal(column[half:], row[:half])
    assert column[10] == 1 == row[half + 10]
    assert column[:64].sum() == 1


def fitted(inputs, count=16, with_light=False, floor=1.0, **kind):
    extractor = FrameFeatures(Eigenframes(count=count, floor=floor, **kind), with_light)
    extractor.fit(inputs, seed=0)
    return extractor


def blobs(n=300):
    """Return pictures of a moving bright square, ``(n, 4096)``, grey 0 to 1."""
    random = np.random.default_rng(2)
    pictures = np.zeros((n, 64, 64), np.float32)
    for picture, (x, y) in zip(pictures, random.integers(0, 48, (n, 2)), strict=True):
        picture[y : y + 16, x : x + 16] = random.uniform(0.3, 1)
    return torch.from_numpy(pictures).reshape(n, -1)


@pytest.mark.parametrize("floor", [1e-6, 1.0])
def test_fitted_features_are_white(floor):
    inputs = blobs()
    extractor = fitted(inputs, floor=floor)
    assert extractor.width == 16 + PROFILE_COUNT
    actual = extractor(inputs).double()
    assert actual.shape == (300, extractor.width)
    np.testing.assert_allclose(actual.mean(0), 0, atol=1e-3)
    variance = actual.var(0, correction=0)
    # Never more than one, but for single precision; eigenframes fall with their own variance.
    assert variance.max() < 1.001
    components = variance[:16]
    assert (components.diff() < 1e-3).all()
    if floor < 1:
        np.testing.assert_allclose(components, 1, atol=0.01)
    else:
        assert components[-1] < 0.9
    weight, bias = fit_eigenframes(inputs, 16, floor, seed=0)
    torch.testing.assert_close(extractor(inputs)[:, :16], inputs @ weight.T + bias)


def test_profiles_are_standardised_unless_they_hardly_vary():
    inputs = blobs()
    plain = brightness_profiles(inputs).double()
    deviation = plain.std(0, correction=0)
    actual = fitted(inputs)(inputs)[:, 16:].double()
    expected = (plain - plain.mean(0)) / (deviation + MIN_STANDARD_DEVIATION)
    np.testing.assert_allclose(actual, expected, atol=1e-4)
    faint = fitted(inputs * 0.01)(inputs * 0.01)[:, 16:]
    assert faint.std(0).max() < 0.01 * deviation.max() / MIN_STANDARD_DEVIATION


@pytest.mark.parametrize("frames", [1, 5])
def test_features_fitted_to_uniform_frames_are_finite(frames):
    inputs = torch.full((frames, PIXELS), 0.25)
    extractor = fitted(inputs)
    # One part in 255**2 of grey, and sums of 4096 numbers in single precision.
    assert extractor(inputs).abs().max() < 1e-2
    assert torch.isfinite(extractor(torch.rand(3, PIXELS))).all()
    # A picture of one other grey: a component may be as far away as one grey level is fine.
    assert extractor(torch.zeros(1, PIXELS)).abs().max() < 64 * 0.25 * 255


def test_profiles_are_optional():
    extractor = fitted(blobs(), profiles=False)
    assert extractor.width == 16
    assert extractor(blobs(3)).shape == (3, 16)


@pytest.mark.parametrize("with_profiles", [True, False])
def test_features_are_not_trained(with_profiles):
    extractor = fitted(blobs(), profiles=with_profiles)
    assert not any(weights.requires_grad for weights in extractor.parameters())
    names = {name for name, _ in extractor.named_parameters()}
    lines = {"still.profiles.gain", "still.profiles.mean"} if with_profiles else set()
    assert names == {"still.weight", "still.bias"} | lines


def test_brightness_is_the_mean_of_three_powers():
    grey = np.zeros((2, 64, 64), np.uint8)
    grey[1, :32] = 51  # a fifth of white, on half of the picture
    expected = [[0, 0, 0], [np.sqrt(0.2) / 2, 0.1, 0.02]]
    np.testing.assert_allclose(
        brightness_features(pixels(torch.from_numpy(grey))), expected, atol=1e-6
    )


def test_brightness_does_not_depend_on_position():
    grey = np.random.default_rng(0).integers(0, 256, (1, 64, 64)).astype(np.uint8)
    moved = np.roll(grey, (5, 9), (1, 2))
    inputs = [brightness_features(pixels(torch.from_numpy(picture))) for picture in (grey, moved)]
    torch.testing.assert_close(inputs[0], inputs[1])


def test_brightness_is_the_last_of_the_features():
    grey = np.random.default_rng(0).integers(0, 256, (9, 64, 64)).astype(np.uint8)
    inputs = pixels(torch.from_numpy(grey))
    with_light, without = fitted(inputs, 4, with_light=True), fitted(inputs, 4)
    assert with_light.width == without.width + BRIGHTNESS_COUNT
    torch.testing.assert_close(with_light(inputs)[:, :-BRIGHTNESS_COUNT], without(inputs))


def noise_windows(kind, n=40, seed=0):
    """Return windows of noise for an input."""
    colours = [3] if kind.colour else []
    shape = (n, 1 + kind.past_frames, 64, 64, *colours)
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("with_profiles", [False, True])
def test_still_and_motion_have_components_of_their_own(colour, with_profiles):
    kind = Eigenframes(count=5, profiles=with_profiles, motion=True, history=1, colour=colour)
    inputs = encode_frames(noise_windows(kind), kind)
    extractor = FrameFeatures(kind)
    extractor.fit(inputs, seed=3)
    view = PIXELS * (3 if colour else 1)
    now, before, motion = inputs.split(view, 1)
    parts = [
        views @ weight.T + bias
        for of, each in ((now, (now, before)), (motion, (motion,)))
        for weight, bias in [fit_eigenframes(of, 5, kind.floor, 3)]
        for views in each
    ]
    actual = extractor(inputs)
    width = 5 + PROFILE_COUNT * with_profiles
    assert actual.shape == (40, extractor.width) == (40, 3 * width)
    for part, expected in zip(actual.split(width, 1), parts, strict=True):
        # Sums of as many products as there are pixels, in single precision.
        torch.testing.assert_close(part[:, :5], expected, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(extractor.still.weight, extractor.motion.weight, atol=1e-3)


def test_profiles_of_motion_are_those_of_its_absolute_value():
    kind = Eigenframes(count=2, motion=True)
    inputs = encode_frames(noise_windows(kind), kind)
    actual = fitted(inputs, 2, motion=True)(inputs)[:, -PROFILE_COUNT:]
    plain = brightness_profiles((inputs[:, PIXELS:]).abs())
    expected = (plain - plain.mean(0)) / (plain.std(0, correction=0) + MIN_STANDARD_DEVIATION)
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-4)


def test_profiles_of_colour_are_those_of_its_grey():
    kind = Eigenframes(count=2, colour=True)
    pictures = noise_windows(kind)
    inputs = encode_frames(pictures, kind)
    actual = fitted(inputs, 2, colour=True)(inputs)[:, 2:]
    grey = encode_frames(pictures, Eigenframes(count=2))
    torch.testing.assert_close(actual, fitted(grey, 2)(grey)[:, 2:], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("more", [{}, {"motion": True}, {"colour": True}], ids=str)
def test_past_frames_have_the_same_components(more):
    kind = Eigenframes(count=6, history=3, **more)
    pictures = noise_windows(kind)
    extractor = FrameFeatures(kind, with_brightness=True)
    extractor.fit(encode_frames(pictures, kind), seed=0)
    stills = slice(0, 4 * extractor.still.width)
    forwards, backwards = (
        extractor(encode_frames(order, kind))[:, stills].reshape(40, 4, -1)
        for order in (pictures, pictures.flip(1))
    )
    torch.testing.assert_close(forwards, backwards.flip(1))
    alone = FrameFeatures(Eigenframes(count=6, colour=kind.colour))
    alone.still = extractor.still
    torch.testing.assert_close(forwards[:, 2], alone(encode_frames(pictures[:, 1:2], alone.config)))


def test_brightness_is_that_of_the_current_frame():
    kind = Eigenframes(count=2, history=2, motion=True)
    pictures = noise_windows(kind)
    extractor = FrameFeatures(kind, with_brightness=True)
    extractor.fit(encode_frames(pictures, kind), seed=0)
    before = extractor(encode_frames(pictures, kind))[:, -BRIGHTNESS_COUNT:]
    darker = pictures.clone()
    darker[:, :2] //= 2
    torch.testing.assert_close(
        extractor(encode_frames(darker, kind))[:, -BRIGHTNESS_COUNT:], before
    )
    assert not torch.allclose(
        extractor(encode_frames(pictures // 2, kind))[:, -BRIGHTNESS_COUNT:], before
    )


def test_a_still_film_has_no_motion():
    kind = Eigenframes(count=4, motion=True)
    pictures = noise_windows(kind).clone()
    pictures[:, 0] = pictures[:, 1]
    inputs = encode_frames(pictures, kind)
    actual = fitted(inputs, 4, motion=True)(inputs)
    assert actual.shape == (40, 2 * (4 + PROFILE_COUNT))
    assert not actual[:, 4 + PROFILE_COUNT :].any()
    assert input_size(kind) == 2 * PIXELS
