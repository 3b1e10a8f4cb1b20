"""Small grey frames: area means, ranges of luma, formats, and orientation."""

import av
import numpy as np
import pytest

from frame2sound.film.decoding.frame_resizer import FULL_RANGE, FrameResizer
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.small_frames import SIZE
from tests.media_files import H264, VideoEncoding, make_film, write_rotation

LIMITED_RANGE = 1


def yuv(luma, full):
    """A planar 4:2:0 frame with this luma and no colour."""
    height, width = luma.shape
    planes = np.concatenate([luma, np.full((height // 2, width), 128, np.uint8)])
    frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
    frame.color_range = FULL_RANGE if full else LIMITED_RANGE
    return frame


def block_means(luma):
    """The mean of the pixels that each of 64 x 64 small ones covers."""
    height, width = luma.shape
    blocks = luma.astype(float).reshape(SIZE, height // SIZE, SIZE, width // SIZE)
    return blocks.mean(axis=(1, 3))


def noise(width, height):
    return np.random.default_rng(3).integers(16, 236, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (128, 128), (640, 384), (192, 64), (1280, 704)])
def test_every_small_pixel_is_the_mean_of_its_area(size):
    luma = noise(*size)
    small = FrameResizer()(yuv(luma, full=True))
    assert (small.shape, small.dtype) == ((SIZE, SIZE), np.uint8)
    assert np.abs(small - block_means(luma)).max() <= 0.54  # averaged to 0.04, then rounded


@pytest.mark.parametrize("size", [(128, 128), (640, 384)])
def test_limited_range_is_expanded(size):
    luma = noise(*size)
    expected = np.clip((block_means(luma) - 16) * 255 / 219, 0, 255)
    # Rounded before the stretch (0.5 * 255 / 219) and after it (0.5).
    assert np.abs(FrameResizer()(yuv(luma, full=False)) - expected).max() <= 1.09


@pytest.mark.parametrize(
    ("full", "stored", "shown"),
    [
        (False, [0, 16, 126, 235, 255], [0, 0, 128, 255, 255]),
        (True, [0, 16, 126, 235, 255], [0, 16, 126, 235, 255]),
    ],
    ids=["limited", "full"],
)
def test_black_and_white(full, stored, shown):
    for level, expected in zip(stored, shown, strict=True):
        assert (FrameResizer()(yuv(np.full((96, 96), level, np.uint8), full)) == expected).all()


@pytest.mark.parametrize(
    ("pixels", "slack"),
    [
        ("gray", 0),
        ("rgb24", 1),
        ("bgra", 1),
        ("yuv420p", 1),
        ("yuv444p", 1),
        ("yuva420p", 1),
        ("yuvj420p", 1),
        ("nv12", 1),
        ("yuyv422", 1),
        ("yuv420p10le", 1),
        ("yuv422p10le", 1),
        ("yuv420p12le", 1),
        ("gray10le", 1),
        ("gray16le", 1),
        ("gbrp", 1),
    ],
)
@pytest.mark.parametrize("level", [0, 50, 128, 200, 255])
def test_grey_is_the_same_in_every_format(pixels, slack, level):
    picture = np.full((48, 100, 3), level, np.uint8)  # 100 wide: rows are padded in memory
    colours = av.VideoFrame.from_ndarray(picture, "rgb24")
    frame = colours.reformat(format=pixels, threads=1)  # with more, FFmpeg 8.1 may spoil 10 bits
    assert np.abs(FrameResizer()(frame).astype(int) - level).max() <= slack


@pytest.mark.parametrize(
    ("colour", "expected"), [((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29)]
)
def test_grey_has_the_weights_of_bt_601(colour, expected):
    frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), colour, np.uint8), "rgb24")
    assert np.abs(FrameResizer()(frame).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (33, 17), (100, 30), (65, 64)])
def test_frames_of_any_size_are_resized(size):
    frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0]), 77, np.uint8), "gray")
    assert (FrameResizer()(frame) == 77).all()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_quarter_turns_go_counter_clockwise(turns):
    luma = noise(64, 64)
    frame = av.VideoFrame.from_ndarray(luma, "gray")
    np.testing.assert_array_equal(FrameResizer(quarter_turns=turns)(frame), np.rot90(luma, turns))


def corner(size=(96, 96)):
    """Black, with white in the upper left quarter."""
    picture = np.zeros((size[1], size[0]), np.uint8)
    picture[: size[1] // 2, : size[0] // 2] = 255
    return picture


@pytest.mark.parametrize(
    ("clockwise", "quarter"),
    [(0, (0, 0)), (90, (0, 1)), (180, (1, 1)), (270, (1, 0))],
    ids=["upright", "90", "180", "270"],
)
@pytest.mark.parametrize("size", [(96, 96), (160, 96)])
def test_a_rotated_film_is_turned_upright(tmp_path, clockwise, quarter, size):
    path = make_film(tmp_path / "turned.mp4", [corner(size)] * 3, encoding=H264)
    (frame, *_) = FilmReader(write_rotation(path, clockwise)).frames()
    quarters = frame.picture.reshape(2, 32, 2, 32).mean(axis=(1, 3))
    bright = np.unravel_index(quarters.argmax(), (2, 2))
    assert bright == quarter
    assert np.sort(quarters.ravel())[2] < 20  # the other three are black


def turned(frame, video, steps):
    """A frame sent through FFmpeg's own filters."""
    graph = av.filter.Graph()
    filters = [graph.add(*step) for step in steps]
    graph.link_nodes(graph.add_buffer(video), *filters, graph.add("buffersink")).configure()
    graph.push(frame)
    return graph.pull()


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("rotated-90.mp4", [("transpose", "clock")]),
        ("fractional-fps-phone-clip.mp4", [("hflip",), ("vflip",)]),
    ],
)
def test_a_real_rotated_film_is_turned_as_ffmpeg_turns_it(real_films, name, steps):
    path = real_films / "awkward" / name
    actual = next(FilmReader(path).frames()).picture.astype(float)
    with av.open(str(path)) as source:
        frame = next(source.decode(video=0))
        upright = turned(frame, source.streams.video[0], steps)
    # Turning before or after the means is the same but for rounding.
    assert np.abs(actual - FrameResizer()(upright)).max() <= 1


@pytest.mark.parametrize(
    "encoding",
    [
        VideoEncoding("ffv1", "gray"),
        VideoEncoding("ffv1", "yuv420p10le"),
        VideoEncoding("ffv1", "bgr0"),
        H264,
    ],
)
def test_formats_through_a_file(tmp_path, encoding):
    luma = block_means(noise(320, 192)).astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    path = make_film(tmp_path / "format.mkv", [luma] * 2, encoding=encoding)
    (frame, _) = FilmReader(path).frames()
    slack = 12 if encoding.codec == "libx264" else 2  # H.264 at crf 10 loses a little
    assert np.abs(frame.picture - block_means(luma)).max() <= slack
