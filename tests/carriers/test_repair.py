"""What tools do to pictures is seen in the strip, and undone."""

import cv2
import numpy as np
import pytest

from frame2sound.carriers.calibration import Calibration, _rising
from frame2sound.carriers.colours import from_rgb, to_bytes, to_rgb
from frame2sound.carriers.deblur import Blur, find_blur
from frame2sound.carriers.layout import PageLayout
from frame2sound.carriers.locate import find_markers, find_page, rectify
from frame2sound.carriers.parameters import Kind
from tests.carriers.sounds import bells, bytes_of, heard, pages, parameters, snr_db


@pytest.fixture(scope="module")
def page():
    sound = bells()
    drawn = parameters(sound)
    return sound, drawn, bytes_of(pages(sound, drawn)[0])


def crop(image, share=0.03):
    down, across = (int(length * share) for length in image.shape[:2])
    return image[down:-down, across:-across]


def gamma(image, exponent=1.2):
    return to_bytes(255 * (image / 255) ** exponent)


def turn_chroma(image, degrees=20):
    planes = from_rgb(image.astype(float))
    turned = (planes[..., 1] + 1j * planes[..., 2]) * np.exp(1j * np.deg2rad(degrees))
    return to_bytes(to_rgb(np.stack([planes[..., 0], turned.real, turned.imag], axis=-1)))


def turn_hsv(image, degrees=20):
    hsv = cv2.cvtColor((image / 255).astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    return to_bytes(255 * cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def enlarge(image, scale=2.0):
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def there_and_back(image):
    return cv2.resize(enlarge(image), image.shape[1::-1], interpolation=cv2.INTER_AREA)


def limited(image):
    return to_bytes(16 + image.astype(float) * 219 / 255)


def move(image):
    return np.pad(image, ((37, 5), (11, 90), (0, 0)), constant_values=200)


@pytest.mark.parametrize(
    ("tool", "least_db"),
    [
        (crop, 40),
        (move, 40),
        (gamma, 30),
        (lambda image: gamma(image, 1 / 1.2), 30),
        (limited, 30),
        (turn_chroma, 30),
        (turn_hsv, 30),
        (enlarge, 30),
        (there_and_back, 30),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 0.7), 24),
        (lambda image: crop(gamma(turn_chroma(image))), 28),
    ],
    ids=[
        "crop",
        "move",
        "gamma",
        "inverse",
        "limited",
        "chroma",
        "hsv",
        "200%",
        "back",
        "blur",
        "all",
    ],
)
def test_what_the_strip_shows_is_undone(page, tool, least_db):
    sound, drawn, image = page
    again, found = heard([tool(image)])
    assert snr_db(sound, again) > least_db
    assert found.parameters == drawn


def test_what_was_undone_is_told(page):
    _, _, image = page
    _, found = heard([cv2.GaussianBlur(gamma(image), (0, 0), 0.7)])
    assert found.levels_changed
    assert found.blur == pytest.approx(0.7, abs=0.1)


def test_a_blur_that_was_undone_leaves_the_spectrum(page):
    """The log-spectral distance, over cells within 60 dB of the loudest, is at most 2 dB."""
    from frame2sound.sound.stft import Stft

    sound, drawn, image = page
    again, _ = heard([cv2.GaussianBlur(image, (0, 0), 0.7)])
    stft = Stft(drawn.n_fft, drawn.hop)
    levels = [
        20 * np.log10(stft.magnitude(each[:, 0], stft.centres(len(sound))) + 1e-9)
        for each in (sound, again)
    ]
    loud = levels[0] > levels[0].max() - 60
    assert np.sqrt(np.mean((levels[0] - levels[1])[loud] ** 2)) < 2


@pytest.mark.parametrize("pixels", [40, 64])
@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("tool", [lambda image: image, enlarge, turn_chroma])
def test_half_a_strip_is_enough(page, pixels, upper, tool):
    sound, drawn, image = page
    torn = image.copy()
    torn[: pixels if upper else None][0 if upper else -pixels :] = 90
    assert find_page(torn.astype(np.float32))[0] == drawn
    again, found = heard([tool(torn)])
    assert snr_db(sound, again) > 20
    assert found.hues_error < 3


def test_markers_are_found_where_they_were_drawn(page):
    _, drawn, image = page
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    for scale in (1, 2):
        found = find_markers(enlarge(grey, scale).astype(np.float32))
        away = np.stack([found[n] for n in range(4)]) - scale * PageLayout.of(drawn).markers()
        assert np.abs(away).max() < 0.75
        assert np.abs(away.mean(axis=(0, 1))).max() < 0.05  # not half a pixel beside


def test_a_page_of_half_the_size_is_put_back_to_a_tenth_of_a_pixel(page):
    _, drawn, _ = page
    layout = PageLayout.of(drawn)
    height, width = layout.size
    y, x = np.mgrid[:height, :width]
    spot = np.exp(-((x - 201.3) ** 2 + (y - 155.8) ** 2) / 200).astype(np.float32)
    half = cv2.resize(spot, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    corners = dict(enumerate(layout.markers() / 2))
    back = rectify(np.repeat(100 * half[..., None], 3, axis=2), corners, layout)[..., 0]
    back = back * (back > 1) * (np.hypot(x - 201, y - 156) < 60)
    middle = [np.sum(back * each) / np.sum(back) for each in (x, y)]
    np.testing.assert_allclose(middle, [201.3, 155.8], atol=0.1)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.full((300, 400, 3), 90), "no corner marks and no code"),
        (np.random.default_rng(0).integers(0, 256, (300, 400, 3)), "no corner marks and no code"),
        (np.zeros((3, 2, 3)), "no corner marks and no code"),
    ],
    ids=["grey", "noise", "tiny"],
)
def test_a_picture_that_carries_nothing_is_refused(image, says):
    with pytest.raises(ValueError, match=says):
        heard([image])


def test_marks_without_a_code_are_told(page):
    _, drawn, image = page
    layout, torn = PageLayout.of(drawn), image.copy()
    for lower in (False, True):
        top, left = layout.band(lower)
        torn[top : top + 16, left : left + 320] = 128
    with pytest.raises(ValueError, match="4 of 4 corner marks and no code"):
        heard([torn])
    assert find_page(torn.astype(np.float32), drawn)[0] == drawn  # a file beside it says it


@pytest.mark.parametrize("kind", [Kind.SPECTRUM, Kind.MAGNITUDE])
@pytest.mark.parametrize("columns", [1, 37, 400])
def test_cells_and_marks_never_meet(kind, columns):
    drawn = parameters(bells(0.1), kind, columns=columns)
    layout = PageLayout.of(drawn)
    rows, across = layout.cells
    assert layout.margin + 40 == rows.start
    assert rows.stop <= layout.size[0] - layout.margin - 40
    assert across.stop <= layout.size[1] - layout.margin
    assert layout.margin >= 0.04 * max(layout.size) - 1
    assert not any(length % 8 for length in layout.size)


def blurred_page(page, width, noise=0.0):
    """A page of luma and chroma whose blur is to be found, its layout and its parameters."""
    _, drawn, image = page
    rgb = cv2.GaussianBlur(image, (0, 0), width).astype(float)
    rgb += np.random.default_rng(0).normal(0, noise, rgb.shape)
    return from_rgb(rgb), PageLayout.of(drawn), drawn


def test_a_blur_that_was_undone_keeps_the_mean(page):
    planes, layout, drawn = blurred_page(page, 1.0)
    blur = find_blur(planes, layout, drawn)
    even = np.full(planes.shape, 150.0)
    np.testing.assert_allclose(Blur(blur.kernel / blur.kernel.sum(), 60).undo(even), 150, rtol=1e-6)


def test_what_no_blur_explains_is_left_as_it_is(page):
    planes, layout, drawn = blurred_page(page, 0.7)
    assert find_blur(planes, layout, drawn).noise < 5
    noisy, _, _ = blurred_page(page, 0.4, noise=40)
    assert find_blur(noisy, layout, drawn) is None  # more noise than blur, which it would amplify


def test_a_curve_whose_steps_noise_has_swapped_still_rises():
    """Where a tool has clipped, noise swaps neighbours; interpolation needs places that rise."""
    known = np.arange(6.0)
    places, values = _rising(np.array([0, 10, 4, 8, 20, 20.01]), known)
    assert (np.diff(places) > 0).all()
    np.testing.assert_array_equal(places, [0, 10, 20])
    np.testing.assert_array_equal(values, [0, 1, 4])


@pytest.mark.parametrize("channels", [[0, 1, 2], [0]], ids=["all", "red"])
def test_a_negative_is_put_right(page, channels):
    _, drawn, image = page
    negative = image.astype(float)
    negative[..., channels] = 255 - negative[..., channels]
    calibration = Calibration(negative, PageLayout.of(drawn))
    assert calibration.changed
    expected = from_rgb(image.astype(float))
    np.testing.assert_allclose(calibration.apply(negative), expected, atol=2)


def test_wheels_of_hues_that_a_tool_has_bleached_give_finite_colours(page):
    _, drawn, image = page
    bleached = image.astype(float)
    bleached[bleached.max(axis=2) > 128] = 255
    calibration = Calibration(bleached, PageLayout.of(drawn))
    assert np.isfinite(calibration.apply(bleached)).all()
