"""What tools do to pictures is seen in the strip, and undone."""

import cv2
import numpy as np
import pytest

from frame2sound.carriers.colours import from_rgb, to_bytes, to_rgb
from frame2sound.carriers.layout import PageLayout
from frame2sound.carriers.locate import find_markers, find_page
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


def test_half_a_strip_is_enough(page):
    sound, _, image = page
    torn = image.copy()
    torn[: image.shape[0] // 8] = 90
    again, _ = heard([torn])
    assert len(again) == len(sound)
    assert find_page(torn.astype(np.float32))[0] == find_page(image.astype(np.float32))[0]


def test_markers_are_found_where_they_were_drawn(page):
    _, drawn, image = page
    found = find_markers(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32))
    for number, corners in enumerate(PageLayout.of(drawn).markers()):
        assert np.abs(found[number] - corners).max() < 0.75


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
