"""Decoding on a device gives the same pictures, or a message. No device is needed."""

import pytest
from av.codec.hwaccel import hwdevices_available

from frame2sound.errors import FilmError
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from tests.media_files import H264, VideoEncoding, grey_pictures, make_film

LEVELS = range(0, 250, 5)


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "film.mkv", grey_pictures(LEVELS), encoding=H264)


def pictures(reader):
    return [(frame.start_seconds, frame.picture.tobytes()) for frame in reader.frames()]


@pytest.mark.parametrize("kind", [FilmReader, SubprocessFilmReader])
def test_a_device_that_is_not_built_in_is_refused(film, kind):
    with pytest.raises(
        FilmError, match=r"got the decoding device steam, expected one .*; or leave out `hardware`"
    ):
        pictures(kind(film, options=DecodeOptions(hardware="steam")))


@pytest.mark.parametrize("kind", [FilmReader, SubprocessFilmReader])
def test_a_codec_unknown_to_the_device_is_decoded_without_it(tmp_path, kind):
    """No device decodes FFV1."""
    film = make_film(
        tmp_path / "film.mkv", grey_pictures(LEVELS), encoding=VideoEncoding("ffv1", "yuv420p")
    )
    device = next(each for each in hwdevices_available() if each not in ("cuda", "vulkan"))
    reader = kind(film, options=DecodeOptions(hardware=device))
    assert pictures(reader) == pictures(FilmReader(film))
    assert reader.notes[-1] == f"{device} does not decode ffv1 here; decoded without it"


def test_a_device_that_does_not_open_is_an_error(film, monkeypatch):
    def closed(streams, device=None, **how):
        if device is None:
            return real(streams, **how)
        raise FilmError("x") from PermissionError(1, "no such card")

    real = Streams.open
    monkeypatch.setattr(Streams, "open", closed)
    with pytest.raises(
        FilmError, match=r"does not open here \(\[Errno 1\] no such card\); leave out"
    ):
        pictures(FilmReader(film, options=DecodeOptions(hardware=hwdevices_available()[0])))


def test_a_missing_file_is_reported_before_the_device(tmp_path):
    with pytest.raises(FilmError, match="no such file"):
        FilmReader(tmp_path / "none.mkv", options=DecodeOptions(hardware="cuda"))
