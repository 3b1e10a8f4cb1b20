"""Pictures of all kinds, and films that tools have made longer, shorter or of another rate."""

from itertools import pairwise

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

import frame2sound as f2s
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.picture_process import _pack, _Shown, _unpack
from frame2sound.carriers.sound_input import open_sound
from frame2sound.errors import CarrierError
from tests.carriers.sounds import RATE, bells, bytes_of, heard, pages, parameters, snr_db
from tests.carriers.test_round_trip import scrolling


@pytest.fixture(scope="module")
def page():
    sound = bells(1)
    drawn = parameters(sound, columns=90)
    return sound, bytes_of(pages(sound, drawn)[0])


def through_format(image, name):
    """A picture in one of FFmpeg's pixel formats, as the decoding process hands it over."""
    frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=name)
    return _unpack(_pack(frame))


@pytest.mark.parametrize(
    ("name", "least_db", "bits"),
    [
        ("gbrp", 40, 8),
        ("rgba", 40, 8),
        ("rgb48be", 36, 16),
        ("gbrp10le", 36, 10),
        ("rgba64le", 36, 16),
        ("yuv444p", 30, 8),
        ("yuvj444p", 30, 8),
        ("yuv444p10le", 32, 10),
        ("yuva444p10le", 32, 10),
        ("yuv444p12be", 32, 12),
    ],
)
def test_pixel_formats_of_all_depths_are_read(page, name, least_db, bits):
    sound, image = page
    picture = through_format(image, name)
    assert picture.bits == bits
    again, _ = heard([picture.rgb], bits)
    assert snr_db(sound, again) > least_db


def test_sixteen_bits_are_sixteen_in_any_order_of_bytes_and_with_alpha():
    words = np.random.default_rng(0).integers(0, 1 << 16, (16, 24), np.uint16)
    grey = av.VideoFrame.from_ndarray(words, "gray16le")
    for name in ("gray16le", "gray16be", "ya16le", "ya16be", "gbrp16le", "rgb48be"):
        picture = _unpack(_pack(grey.reformat(format=name)))
        assert picture.bits == 16
        np.testing.assert_array_equal(np.rint(picture.rgb[..., 0] * 257), words, err_msg=name)


def test_cmyk_and_a_tint_of_half_a_level_are_put_right(page):
    sound, image = page
    cmyk = np.asarray(Image.fromarray(image).convert("CMYK").convert("RGB"))
    again, _ = heard([cmyk])
    assert snr_db(sound, again) > 36
    darker, found = heard([image.astype(np.float32) * (256 / 257)])
    assert snr_db(sound, darker) > 36
    assert not found.levels_changed  # too little to tell


def test_a_grey_copy_is_heard_with_guessed_phases_and_says_so(page):
    sound, image = page
    grey = np.asarray(Image.fromarray(image).convert("L").convert("RGB"))
    again, found = heard([grey])
    assert found.colourless == 1
    spectra = [np.abs(np.fft.rfft(each[:, 0].reshape(-1, 400), axis=1)) for each in (sound, again)]
    assert np.linalg.norm(spectra[1] - spectra[0]) < 0.35 * np.linalg.norm(spectra[0])
    assert heard([image])[1].colourless == 0


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        (lambda image: image[::-1, ::-1], "turned"),
        (lambda image: np.rot90(image), "turned"),
        (lambda image: np.rot90(image, 3), "turned"),
        (lambda image: image[:, ::-1], "mirrored"),
    ],
    ids=["180", "90", "270", "mirrored"],
)
def test_a_picture_that_lies_otherwise_is_told(page, turn, says):
    with pytest.raises(ValueError, match=f"corner marks that are {says}"):
        heard([np.ascontiguousarray(turn(page[1]))])


@pytest.mark.parametrize("cut", [((1, 0), (0, 1)), ((3, 4), (5, 2))])
def test_odd_sizes_are_read(page, cut):
    sound, image = page
    (top, bottom), (left, right) = cut
    odd = image[top : image.shape[0] - bottom, left : image.shape[1] - right]
    assert odd.shape[0] % 2 or odd.shape[1] % 2
    assert snr_db(sound, heard([odd])[0]) > 40


def test_a_canvas_that_was_enlarged_is_read(page):
    sound, image = page
    larger = np.pad(image, ((0, 21), (0, 333), (0, 0)), constant_values=60)
    assert snr_db(sound, heard([larger])[0]) > 40


@pytest.fixture(scope="module")
def scroll():
    sound = bells(1)
    return sound, [bytes_of(page).astype(np.float32) for page in pages(sound, scrolling(sound))]


def blended(frames):
    """Twice the frame rate, with the mean of two frames between them."""
    between = [(one + other) / 2 for one, other in pairwise(frames)]
    both = [frame for pair in zip(frames, between, strict=False) for frame in pair]
    return [*both, frames[-1]]


STRANGE = np.full((200, 300, 3), 90, np.float32)


@pytest.mark.parametrize(
    ("tool", "left_out", "repeated"),
    [
        (blended, 25, 0),
        (lambda frames: frames + [frames[-1]] * 9, 0, 9),
        (lambda frames: [*frames, *[0 * frames[0] + 90] * 4], 4, 0),
        (lambda frames: [*[0 * frames[0] + 90] * 3, *frames], 3, 0),
        (lambda frames: [STRANGE, *frames[:9], STRANGE, *frames[9:]], 2, 0),
    ],
    ids=["blends between", "longer", "title after", "title before", "another size"],
)
def test_frames_that_a_tool_added_are_left_out(scroll, tool, left_out, repeated):
    sound, frames = scroll
    again, found = heard(tool(frames))
    assert snr_db(sound, again) > 40
    assert (len(found.unreadable), found.repeated, found.missing) == (left_out, repeated, 0)


def wiped(image, drawn):
    from tests.carriers.test_round_trip import without_code

    return without_code(image, drawn)


def test_pages_without_a_code_fill_the_places_between_those_that_have_one():
    sound = bells(3)
    drawn = parameters(sound, columns=40)
    images = [bytes_of(page) for page in pages(sound, drawn)]
    assert len(images) >= 6
    for places in ([0], [0, 1], [2, 3], [len(images) - 1]):
        shown = [wiped(each, drawn) if n in places else each for n, each in enumerate(images)]
        again, found = heard(shown)
        assert snr_db(sound, again) > 30, places
        assert (found.missing, found.unreadable) == (0, [])


def test_pages_in_reverse_are_told():
    sound = bells(2)
    images = [bytes_of(page) for page in pages(sound, parameters(sound, columns=60))]
    _, found = heard(images[::-1])
    assert (found.missing, found.repeated) == (len(images) - 1, len(images) - 1)


def test_an_apng_is_read_and_an_animated_webp_is_named(tmp_path):
    sound = bells(2)
    drawn = parameters(sound, Kind.SPECTRUM, columns=90)
    first, *others = [Image.fromarray(bytes_of(page)) for page in pages(sound, drawn)]
    more = {"save_all": True, "append_images": others}
    first.save(tmp_path / "a.png", **more)
    found = f2s.to_sound(tmp_path / "a.png", tmp_path / "a.wav")
    again = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)[0]
    assert found.pictures == len(others) + 1 > 1
    assert snr_db(sound, again) > 40
    first.save(tmp_path / "a.webp", **more)
    with pytest.raises(CarrierError, match="is an animated WebP; save it as APNG"):
        f2s.to_sound(tmp_path / "a.webp", tmp_path / "b.wav")


def test_six_channels_are_mixed_to_stereo_as_a_films_are(tmp_path):
    channels = np.random.default_rng(0).uniform(-0.2, 0.2, (RATE, 6)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", channels, RATE, "FLOAT", format="WAVEX")
    sound = open_sound(tmp_path / "a.wav")
    assert (sound.channels, sound.samples) == (2, RATE)
    mixed = np.concatenate(list(sound.blocks()))
    left, right, centre, _, left_back, right_back = channels.T
    for got, side, back in ((mixed[:, 0], left, left_back), (mixed[:, 1], right, right_back)):
        expected = side + np.sqrt(0.5) * (centre + back)  # ITU-R BS.775
        np.testing.assert_allclose(got, expected, atol=1e-4)


def test_more_than_eight_channels_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((100, 9)), RATE, "PCM_16", format="WAVEX")
    with pytest.raises(CarrierError, match="has 9 channels, expected 1 to 8; mix it down"):
        open_sound(tmp_path / "a.wav")


def test_what_is_handed_over_says_its_depth():
    shown = _Shown(1, 1, 8, "u1", bytes([1, 2, 3]))
    np.testing.assert_array_equal(_unpack(shown).rgb, [[[1, 2, 3]]])
