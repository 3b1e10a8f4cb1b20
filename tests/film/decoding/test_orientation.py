"""All eight orientations of films and photographs are displayed upright."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.film.decoding.reader import FilmReader
from tests.media_files import H264, make_film, write_display_matrix

WAYS = {
    "upright": ((1, 0, 0, 1), lambda p: p, 1),
    "mirrored": ((-1, 0, 0, 1), lambda p: p[:, ::-1], 2),
    "half a turn": ((-1, 0, 0, -1), lambda p: p[::-1, ::-1], 3),
    "flipped": ((1, 0, 0, -1), lambda p: p[::-1], 4),
    "transposed": ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1), 5),
    "clockwise": ((0, 1, -1, 0), lambda p: np.rot90(p, -1), 6),
    "transversed": ((0, -1, -1, 0), lambda p: np.rot90(p.swapaxes(0, 1), 2), 7),
    "counter-clockwise": ((0, -1, 1, 0), lambda p: np.rot90(p), 8),
}
"""The display matrix (a, b, c, d), what becomes of a picture, and the orientation in EXIF."""


GREYS = np.array([[20, 90], [160, 240]])


def uneven():
    """Four corners of different greys: no two of the eight ways encoding alike."""
    return GREYS.astype(np.uint8).repeat(48, 0).repeat(48, 1)


def corners(picture):
    return picture.reshape(2, 32, 2, 32, -1).mean(axis=(1, 3)).squeeze()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_films_are_oriented_by_their_display_matrix(tmp_path, ending, way, colour):
    matrix, expected, _ = WAYS[way]
    path = make_film(tmp_path / f"film{ending}", [uneven()] * 2, encoding=H264)
    reader = FilmReader(write_display_matrix(path, matrix))
    for frame in reader.frames(colour=colour):
        actual = corners(frame.picture)
        expected_corners = expected(GREYS)[..., None] if colour else expected(GREYS)
        assert np.abs(actual - expected_corners).max() < 3


@pytest.mark.parametrize("scale", [(2, 0, 0, 1), (0.9, 0.1, -0.1, 0.9)])
def test_other_matrices_are_rounded_to_the_nearest_orientation(tmp_path, scale):
    path = make_film(tmp_path / "film.mp4", [uneven()] * 2, encoding=H264)
    reader = FilmReader(write_display_matrix(path, scale))
    assert (reader.streams.quarter_turns, reader.streams.mirrored) == (0, False)


def photograph(path, way):
    """A JPEG whose EXIF says how the camera was held."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width = encoder.height = 96
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(uneven(), "gray").reformat(format="yuvj420p", threads=1)
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    data = bytes(next(iter([*encoder.encode(frame), *encoder.encode(None)])))
    tag = struct.pack(">HHIHH", 0x0112, 3, 1, way, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + tag + struct.pack(">I", 0)
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    return path


@pytest.mark.parametrize("way", WAYS)
def test_photographs_are_oriented_by_their_exif(tmp_path, way):
    _, expected, number = WAYS[way]
    (frame,) = FilmReader(photograph(tmp_path / "photo.jpg", number)).frames()
    expected_corners = expected(GREYS)
    assert np.abs(corners(frame.picture) - expected_corners).max() < 3
