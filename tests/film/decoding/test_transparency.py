"""Transparent pictures over a background: formats, codecs, films."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.small_frames import SIZE

FORMATS = [
    "rgba", "bgra", "argb", "abgr", "gbrap", "gbrap10le", "gbrap12le", "gbrap16le", "rgba64le",
    "ya8", "ya16le", "ya16be", "yuva420p", "yuva422p", "yuva444p", "yuva420p10le", "yuva422p10le",
    "yuva444p10le", "yuva444p12le", "yuva444p16le", "vuya", "ayuv64le",
]  # fmt: skip


def painting(colour=(200, 200, 200), size=(100, 48), beneath=255):
    """RGBA: opaque on the left, half transparent in the middle, nothing on the right."""
    width, height = size
    picture = np.full((height, width, 4), [*colour, 255], np.uint8)
    picture[:, width // 4 : width // 2, 3] = 128
    picture[:, width // 2 :, :3] = beneath
    picture[:, width // 2 :, 3] = 0
    return picture


def in_format(picture, pixels):
    return av.VideoFrame.from_ndarray(picture, "rgba").reformat(format=pixels, threads=1)


def columns(small):
    """The levels of the three parts of a small picture, away from where they meet."""
    assert np.ptp(small, axis=0).max() <= 2  # where FFmpeg makes 8 bits of more, it dithers
    row = small[0].astype(int)
    parts = row[2:13], row[19:29], row[36:]
    assert all(np.ptp(part, axis=0).max() <= 2 for part in parts)
    return np.array([part[0] for part in parts])


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("background", [0, 255, 100])
@pytest.mark.parametrize("pixels", FORMATS)
def test_the_background_shows_through_every_format(pixels, background, colour):
    for beneath in (0, 255):
        frame = in_format(painting(beneath=beneath), pixels)
        actual = columns(FrameResizer(colour=colour, background=background)(frame))
        through = 200 + (background - 200) * 127 / 255
        expected = np.array([200, through, background])
        assert np.abs(actual - (expected[:, None] if colour else expected)).max() <= 2


@pytest.mark.parametrize("pixels", ["rgba", "yuva420p", "yuva444p10le", "gbrap16le"])
def test_colours_are_composited_over_the_background(pixels):
    frame = in_format(painting((200, 60, 30)), pixels)
    actual = columns(FrameResizer(colour=True, background=40)(frame))
    half = [40 + (level - 40) * 128 / 255 for level in (200, 60, 30)]
    assert np.abs(actual - [(200, 60, 30), half, (40, 40, 40)]).max() <= 3


def test_areas_are_averaged_after_compositing():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (2 * SIZE, 3 * SIZE, 4)).astype(np.uint8)
    share = picture[..., 3:] / 255
    actual = picture[..., :3] * share + 77 * (1 - share)
    means = actual.reshape(SIZE, 2, SIZE, 3, 3).mean(axis=(1, 3))
    small = FrameResizer(colour=True, background=77)(av.VideoFrame.from_ndarray(picture, "rgba"))
    assert np.abs(small - means).max() <= 1  # rounded once a pixel, and once a mean


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
def test_a_palette_may_be_transparent(colour):
    palette = np.zeros((256, 4), np.uint8)
    palette[1], palette[2] = [255, 200, 200, 200], [0, 255, 255, 255]
    indices = np.ones((48, 96), np.uint8)
    indices[:, 48:] = 2
    frame = av.VideoFrame.from_ndarray((indices, palette), "pal8")
    small = FrameResizer(colour=colour, background=9)(frame).astype(int).reshape(SIZE, SIZE, -1)
    assert np.abs(small[:, :31] - 200).max() <= 1
    assert np.abs(small[:, 33:] - 9).max() <= 1


@pytest.mark.parametrize("pixels", ["rgba", "yuva420p", "gbrap10le", "ya8"])
def test_opaque_pictures_hide_the_background(pixels):
    picture = painting()
    picture[..., 3] = 255
    frame = in_format(picture, pixels)
    np.testing.assert_array_equal(
        FrameResizer(background=255)(frame), FrameResizer(background=0)(frame)
    )


def film(path, codec, pixels, picture):
    """Four frames, transparent ones, as editors write them."""
    with av.open(str(path), "w") as target:
        options = {"auto-alt-ref": "0", "threads": "1"} if codec.startswith("libvpx") else {}
        stream = target.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = pixels
        if path.suffix == ".webm":
            stream.metadata["alpha_mode"] = "1"
        for number in range(4):
            frame = in_format(picture, pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


CODECS = [
    ("qtrle", "argb", ".mov"),
    ("prores_ks", "yuva444p10le", ".mov"),
    ("png", "rgba", ".mov"),
    ("png", "rgba", ".avi"),
    ("ffv1", "bgra", ".mkv"),
    ("ffv1", "yuva420p", ".mkv"),
    ("apng", "rgba", ".apng"),
    ("huffyuv", "bgra", ".avi"),
    ("rawvideo", "argb", ".mov"),
    ("libvpx", "yuva420p", ".webm"),
    ("libvpx-vp9", "yuva420p", ".webm"),
]


@pytest.mark.parametrize(("codec", "pixels", "ending"), CODECS)
def test_transparent_films_equal_composited_ones(tmp_path, codec, pixels, ending):
    for beneath in (0, 255):
        picture = painting(beneath=beneath, size=(96, 96))
        path = film(tmp_path / f"{beneath}{ending}", codec, pixels, picture)
        for background in (0, 255):
            frame = next(FilmReader(path, options=DecodeOptions(background=background)).frames())
            parts = frame.picture[:, 2:13], frame.picture[:, 36:62]
            assert abs(parts[0].mean() - 200) < 2
            assert abs(parts[1].mean() - background) < 2


def test_alpha_of_uncompressed_avi_is_ignored(tmp_path):
    path = film(tmp_path / "film.avi", "rawvideo", "bgra", painting(beneath=123, size=(96, 96)))
    for colour in (False, True):
        frame = next(FilmReader(path).frames(colour=colour))
        assert abs(frame.picture[:, 36:].mean() - 123) <= 1


@pytest.mark.parametrize("kind", [FilmReader, SubprocessFilmReader])
def test_the_background_is_an_option_of_readers(tmp_path, kind):
    path = film(tmp_path / "film.mov", "qtrle", "argb", painting())
    levels = [
        next(kind(path, options=DecodeOptions(background=g)).frames()).picture[:, 40:].mean()
        for g in (0, 128, 255)
    ]
    assert levels == [0, 128, 255]
