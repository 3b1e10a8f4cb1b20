"""Small frames in colour: matrices, ranges, formats, orientation; and their grey."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.frame_resizer import FULL_RANGE, FrameResizer
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.small_frames import SIZE, luma
from tests.media_files import H264, Audio, VideoEncoding, grey_pictures, make_film, write_rotation

LIMITED_RANGE = 1
BT_709, UNKNOWN, BT_601, YCGCO, BT_2020 = 1, 2, 6, 8, 9

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
WHITE, BLACK, OLIVE = (255, 255, 255), (0, 0, 0), (128, 128, 0)

STORED = {
    ("601", "limited"): {
        RED: (81, 90, 240), GREEN: (145, 54, 34), BLUE: (41, 240, 110),
        WHITE: (235, 128, 128), BLACK: (16, 128, 128), OLIVE: (113, 72, 137),
    },
    ("601", "full"): {
        RED: (76, 85, 255), GREEN: (150, 44, 21), BLUE: (29, 255, 107),
        WHITE: (255, 128, 128), BLACK: (0, 128, 128), OLIVE: (113, 64, 138),
    },
    ("709", "limited"): {
        RED: (63, 102, 240), GREEN: (173, 42, 26), BLUE: (32, 240, 118),
        WHITE: (235, 128, 128), BLACK: (16, 128, 128), OLIVE: (118, 72, 133),
    },
    ("2020", "limited"): {
        RED: (74, 97, 240), GREEN: (164, 47, 25), BLUE: (29, 240, 119),
        WHITE: (235, 128, 128), BLACK: (16, 128, 128), OLIVE: (119, 72, 133),
    },
}  # fmt: skip
"""Luma and chroma of colours: E' in ITU-R BT.601, BT.709, BT.2020 and JFIF, in 8 bits."""

MATRIX = {"601": BT_601, "709": BT_709, "2020": BT_2020}


def evenly(levels, pixels="yuv444p", *, matrix=UNKNOWN, color_range=LIMITED_RANGE, size=(72, 50)):
    """A frame of one colour, given by what its planes store."""
    frame = av.VideoFrame(*size, pixels)
    for plane, level in zip(frame.planes, levels, strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    frame.colorspace, frame.color_range = matrix, color_range
    return frame


def off(small, shown):
    """By how many levels a small frame is off a colour, at most."""
    assert (small.shape, small.dtype) == ((SIZE, SIZE, 3), np.uint8)
    return np.abs(small.astype(int) - np.array(shown)).max()


def painting(size=(128, 192), seed=3):
    """Noise in colour, 2 x 3 pixels a small one."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


def block_means(picture):
    height, width = picture.shape[:2]
    blocks = picture.astype(float).reshape(SIZE, height // SIZE, SIZE, width // SIZE, -1)
    return blocks.mean(axis=(1, 3))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv410p"])
@pytest.mark.parametrize("size", [(72, 50), (100, 30), (33, 17), (1, 1)])
@pytest.mark.parametrize(("matrix", "levels"), STORED)
def test_colours_follow_the_frames_matrix_and_range(matrix, levels, pixels, size):
    color_range = FULL_RANGE if levels == "full" else LIMITED_RANGE
    settings = {"matrix": MATRIX[matrix], "color_range": color_range, "size": size}
    for shown, stored in STORED[matrix, levels].items():
        # Chroma in 8 bits is off by half a level: times 255/224 and 1.88, that is 1.07.
        assert off(FrameResizer(colour=True)(evenly(stored, pixels, **settings)), shown) <= 2


@pytest.mark.parametrize("matrix", [UNKNOWN, YCGCO])
def test_an_unknown_matrix_is_bt_601(matrix):
    for shown, stored in STORED["601", "limited"].items():
        assert off(FrameResizer(colour=True)(evenly(stored, matrix=matrix)), shown) <= 2


@pytest.mark.parametrize("matrix", [UNKNOWN, YCGCO, BT_601, BT_709, BT_2020])
def test_10_bits_give_the_colours_of_8_bits(matrix):
    frame = evenly((90, 100, 170), matrix=matrix)
    ten = av.VideoFrame(72, 50, "yuv444p10le")
    ten.colorspace, ten.color_range = matrix, LIMITED_RANGE
    for plane, level in zip(ten.planes, (90, 100, 170), strict=True):
        plane.update(np.full(plane.buffer_size // 2, 4 * level, "<u2").tobytes())
    assert off(FrameResizer(colour=True)(ten), FrameResizer(colour=True)(frame)) <= 1


@pytest.mark.parametrize(
    ("pixels", "slack"),
    [
        ("rgb24", 0),
        ("bgra", 0),
        ("gbrp", 0),
        ("gbrp10le", 0),
        ("rgb48le", 0),
        ("yuv420p", 2),
        ("yuva420p", 2),
        ("yuvj420p", 2),
        ("nv12", 2),
        ("yuyv422", 2),
        ("yuv420p10le", 1),
        ("yuv422p12le", 1),
    ],
)
@pytest.mark.parametrize("shown", [RED, GREEN, BLUE, WHITE, BLACK, OLIVE, (200, 60, 30)])
def test_colours_are_the_same_in_every_format(pixels, slack, shown):
    picture = np.full((47, 100, 3), shown, np.uint8)  # rows are padded in memory
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pixels, threads=1)
    assert off(FrameResizer(colour=True)(frame), shown) <= slack


@pytest.mark.parametrize("pixels", ["gray", "gray10le", "ya8"])
def test_grey_has_three_equal_channels(pixels):
    picture = painting()[..., 0]
    frame = av.VideoFrame.from_ndarray(picture, "gray").reformat(format=pixels, threads=1)
    assert (
        off(FrameResizer(colour=True)(frame), FrameResizer()(frame)[..., None]) <= 2
    )  # FFmpeg rounds 10 bits up


def test_palettes_are_resolved():
    palette = np.zeros((256, 4), np.uint8)
    palette[1] = 255, 200, 60, 30
    frame = av.VideoFrame.from_ndarray((np.ones((48, 96), np.uint8), palette), "pal8")
    assert off(FrameResizer(colour=True)(frame), (200, 60, 30)) == 0


@pytest.mark.parametrize("size", [(64, 64), (128, 192), (640, 384)])
def test_every_small_pixel_is_the_mean_of_its_area(size):
    picture = painting(size)
    small = FrameResizer(colour=True)(av.VideoFrame.from_ndarray(picture, "rgb24"))
    assert np.abs(small - block_means(picture)).max() <= 0.54  # averaged to 0.04, then rounded


def test_averaging_chroma_equals_averaging_colours():
    picture = painting()
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv444p", threads=1)
    # Six pixels a mean, each rounded in luma and chroma, 0.5 * 255/224 * (1.77 + 1) at worst.
    assert np.abs(FrameResizer(colour=True)(frame) - block_means(picture)).max() <= 2


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_quarter_turns_go_counter_clockwise(turns):
    picture = painting((64, 64))
    frame = av.VideoFrame.from_ndarray(picture, "rgb24")
    np.testing.assert_array_equal(
        FrameResizer(colour=True, quarter_turns=turns)(frame), np.rot90(picture, turns)
    )


def write_stored(path, stored, matrix, color_range):
    """Write a lossless film of one colour that says how its luma and chroma are meant."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 72, 50, "yuv444p"
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = color_range
        frame = evenly(stored, matrix=matrix, color_range=color_range)
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        film.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize(("matrix", "levels"), STORED)
def test_the_films_colour_metadata_is_used(tmp_path, matrix, levels):
    for shown, stored in STORED[matrix, levels].items():
        color_range = FULL_RANGE if levels == "full" else LIMITED_RANGE
        path = write_stored(tmp_path / "film.mkv", stored, MATRIX[matrix], color_range)
        (frame,) = FilmReader(path).frames(colour=True)
        assert off(frame.picture, shown) <= 2


@pytest.mark.parametrize(
    "encoding",
    [
        VideoEncoding("ffv1", "bgr0"),
        VideoEncoding("png", "rgb24"),
        VideoEncoding("libx264rgb", "rgb24", {"qp": "0"}),
    ],
)
def test_lossless_rgb_is_unchanged(tmp_path, encoding):
    pictures = [painting((64, 64), seed) for seed in range(3)]
    ending = ".mov" if encoding.codec == "png" else ".mkv"
    path = make_film(tmp_path / f"film{ending}", pictures, encoding=encoding)
    for frame, picture in zip(FilmReader(path).frames(colour=True), pictures, strict=True):
        np.testing.assert_array_equal(frame.picture, picture)


def test_a_rotated_film_is_turned_upright(tmp_path):
    picture = np.zeros((96, 160, 3), np.uint8)
    picture[:48, :80] = RED
    path = make_film(tmp_path / "turned.mp4", [picture] * 2, encoding=H264)
    frame = next(FilmReader(write_rotation(path, 90)).frames(colour=True))
    quarters = frame.picture.reshape(2, 32, 2, 32, 3).mean(axis=(1, 3))
    assert np.unravel_index(quarters[..., 0].argmax(), (2, 2)) == (0, 1)
    assert quarters[..., 1:].max() < 20


def test_colour_changes_neither_audio_nor_times(tmp_path):
    noise = np.random.default_rng(0).integers(-999, 999, 24_000).astype(np.int16)
    path = make_film(tmp_path / "film.mkv", grey_pictures([9, 99, 250] * 4), audio=Audio(noise))
    plain, coloured = list(FilmReader(path, 8000)), list(FilmReader(path, 8000).events(colour=True))
    for one, other in zip(plain, coloured, strict=True):
        if isinstance(one, AudioChunk):
            np.testing.assert_array_equal(one.samples, other.samples)
        else:
            assert isinstance(other, Frame)
            assert (one.start_seconds, one.end_seconds) == (other.start_seconds, other.end_seconds)
            assert (one.picture.shape, other.picture.shape) == ((64, 64), (64, 64, 3))


def test_luma_is_the_nearest_level():
    frames = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
    exact = frames @ np.array([0.299, 0.587, 0.114])
    assert luma(frames).dtype == np.uint8
    # The weights are held to 15 bits: 255 * 2 ** -15 beside rounding.
    assert np.abs(luma(frames) - exact).max() <= 0.51
    np.testing.assert_array_equal(luma(frames[2]), luma(frames)[2])
    assert luma(frames[:0]).shape == (0, 64, 64)


def test_luma_of_grey_is_that_grey():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(luma(np.stack([levels] * 3, axis=-1)), levels)


@pytest.mark.parametrize("shape", [(64, 64), (5, 64, 64), (64, 64, 4), (3,)])
def test_luma_refuses_arrays_that_are_not_rgb(shape):
    with pytest.raises(ValueError, match=r"got frames of shape .*, expected RGB: \(\.\.\., width"):
        luma(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("name", demo_film_names())
def test_luma_of_a_drawn_film_in_colour_is_the_film_in_grey(tmp_path, name):
    scene = load_scene(name, seconds=4, size=(480, 360))
    pictures = [scene.draw(number) for number in range(0, scene.frame_count, 24)]
    path = make_film(tmp_path / "film.mp4", pictures, encoding=H264)
    film = FilmReader(path)
    for one, other in zip(film.frames(), film.frames(colour=True), strict=True):
        assert np.abs(luma(other.picture) - one.picture.astype(int)).max() <= 2
