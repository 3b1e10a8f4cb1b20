"""A film is read through a descriptor: its content opens no other file and no server."""

import os
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from frame2sound.errors import FilmError
from frame2sound.film.decoding import ffmpeg_input as opening
from frame2sound.film.decoding.ffmpeg_input import ALLOWED_DEMUXERS, open_film
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.limits import Limits
from tests.commanding import run
from tests.media_files import H264, Audio, grey_pictures, make_film

PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile {film}\n",
    "M3U": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n",
    "DASH": '<?xml version="1.0"?>\n<MPD><Period><BaseURL>{film}</BaseURL></Period></MPD>',
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "IMF": "<?xml version='1.0'?><CompositionPlaylist xmlns='x'><Id>{film}</Id>"
    "</CompositionPlaylist>",
    "PLS": "[playlist]\nFile1={film}\n",
}


@pytest.fixture
def private(tmp_path):
    folder = tmp_path / "private"
    folder.mkdir()
    sound = Audio((8000 * np.sin(np.arange(48_000) / 20)).astype(np.int16), codec="aac")
    return make_film(
        folder / "private.mp4", grey_pictures([20, 200] * 12), encoding=H264, audio=sound
    )


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".txt", ".sdp"])
def test_a_playlist_is_refused_and_named(tmp_path, private, kind, ending):
    listed = tmp_path / f"film{ending}"
    listed.write_text(PLAYLISTS[kind].format(film=private))
    with pytest.raises(FilmError, match=rf"is a playlist \({kind}\) that names other files"):
        FilmReader(listed)


@pytest.mark.parametrize(
    "arguments",
    [
        ("measure", "film.mp4"),
        ("measure", "good.mp4", "--reference", "film.mp4"),
        ("render", "film.mp4", "--wav"),
        ("render", "good.mp4", "--phase-from", "film.mp4", "--wav"),
        ("pickle", "film.mp4", "--library", "library"),
    ],
)
def test_no_command_reads_files_named_in_a_playlist(tmp_path, private, arguments):
    (tmp_path / "film.mp4").write_text(PLAYLISTS["ffconcat"].format(film=private))
    private.rename(tmp_path / "good.mp4")
    result = run(tmp_path, *arguments)
    assert result.returncode == 1
    assert "is a playlist (ffconcat)" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_playlist_does_not_connect_to_a_server(tmp_path):
    called = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: (server.accept(), called.set()), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/live.m3u8"
        for number, text in enumerate(PLAYLISTS.values()):
            path = tmp_path / f"{number}.m3u8"
            path.write_text(text.format(film=address))
            with pytest.raises(FilmError):
                FilmReader(path)
        assert not called.wait(0.2)


def test_external_data_references_are_not_opened(tmp_path, private):
    """A data reference (ISO 14496-12, 8.7.2) of a QuickTime movie may name another file."""
    film = make_film(tmp_path / "film.mov", grey_pictures([20, 200] * 12), encoding=H264)
    before = [frame.picture.tobytes() for frame in FilmReader(film).frames()]
    data = bytearray(film.read_bytes())
    at = data.index(b"dref")
    entry = data.index(b"url ", at)
    assert data[entry + 7] == 1, "the data lie in the same file"
    data[entry : entry + 4], data[entry + 7] = b"alis", 0
    film.write_bytes(data)
    assert [frame.picture.tobytes() for frame in FilmReader(film).frames()] == before


def test_only_demuxers_of_files_are_allowed():
    allowed = set(ALLOWED_DEMUXERS.split())
    assert {"mov", "matroska", "avi", "mpegts", "gif", "png_pipe"} <= allowed
    others = "concat hls dash sdp imf image2 image2pipe rtsp rtp lavfi webm_dash_manifest tty mlv"
    assert not allowed & set(others.split())
    assert opening._OPTIONS["protocol_whitelist"] == "fd"
    assert not allowed & {"x11grab", "fbdev", "alsa", "pulse", "v4l2", "vobsub"}


def test_a_fifo_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(FilmError, match="is not a regular file"):
        open_film(tmp_path / "film.mp4")


def test_descriptors_are_closed(private):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        open_film(private).close()
        with pytest.raises(FilmError):
            open_film(private.parent)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_later_picture_that_is_too_large_is_refused(tmp_path):
    """Small pictures first, then a large one, as in a film that is to fill the memory."""
    small = make_film(tmp_path / "a.mjpeg", grey_pictures([50] * 5))
    large = make_film(tmp_path / "b.mjpeg", grey_pictures([50], (4000, 3000)))
    film = tmp_path / "film.mjpeg"
    film.write_bytes(small.read_bytes() + large.read_bytes())
    limits = Limits(max_megapixels=5)
    with pytest.raises(FilmError, match=r"larger than 5 megapixels"):
        list(FilmReader(film, options=DecodeOptions(limits=limits)).frames())
    kept = list(FilmReader(film, options=DecodeOptions(limits=limits, allow_damaged=True)).frames())
    assert len(kept) == 5
    assert len(list(SubprocessFilmReader(film).frames())) == 6


def test_the_number_of_threads_is_limited_by_the_picture_size():
    limits = Limits()
    assert limits.thread_count(16, 640, 480) == 16
    assert limits.thread_count(16, 8192, 8192) == 4
    assert limits.thread_count(16, 20_000, 20_000) == 1
