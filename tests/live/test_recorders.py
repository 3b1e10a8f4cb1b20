"""A recorder that fails does not lose the file of the other."""

import errno

import numpy as np
import pytest
import soundfile

from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.live import recording
from frame2sound.live.picture_recorder import PictureRecorder
from frame2sound.live.recorders import open_recorders
from frame2sound.live.recording import SoundRecorder

BLOCK = np.full((256, 2), 0.25, np.float32)
PICTURE = np.full((64, 96, 3), 128, np.uint8)


def record(folder, pictures="seen.mkv", rate=48_000):
    """Record a few blocks and pictures; return what could not be written."""
    paths = folder / "heard.wav", folder / pictures
    with open_recorders(*paths, rate, 25.0, overwrite=False) as recorders:
        for number in range(8):
            recorders.sound.add(BLOCK)
            recorders.pictures.add(PICTURE, 256 * number)
    return recorders.failures


def fail(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_pictures_that_cannot_be_written_leave_the_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(PictureRecorder, "_encode", fail)
    said = "the pictures could not be recorded (no space left on device)"
    assert record(tmp_path) == {"record_picture": said}
    assert [path.name for path in tmp_path.iterdir()] == ["heard.wav"]
    assert len(soundfile.read(tmp_path / "heard.wav")[0]) == 8 * 256


def test_pictures_are_kept_up_to_where_they_could_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(PictureRecorder, "_flush", fail)
    (said,) = record(tmp_path, rate=100).values()
    assert "seen.mkv holds only the first 17.9 s of the pictures (no space left on device)" in said
    assert len(list(FilmReader(tmp_path / "seen.mkv").frames())) == 8


def test_sound_that_cannot_be_written_leaves_the_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "MAX_WAITING_BLOCKS", 0)
    (said,) = record(tmp_path).values()
    assert "heard.wav holds only the first 0.0 s (the disk is too slow)" in said
    assert len(list(FilmReader(tmp_path / "seen.mkv").frames())) == 8


def test_a_container_that_cannot_hold_the_pictures_is_refused_before_the_start(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(SoundRecorder, "add", None)  # nothing is played
    with pytest.raises(SoundtrackError, match=r"seen\.webm: \.webm cannot hold an H\.264"):
        record(tmp_path, "seen.webm")
    assert list(tmp_path.iterdir()) == []


def test_a_performance_that_fails_leaves_no_file(tmp_path):
    paths = tmp_path / "heard.wav", tmp_path / "seen.mkv"
    with (
        pytest.raises(SoundtrackError, match="the port is in use"),
        open_recorders(*paths, 48_000, 25.0, overwrite=False),
    ):
        raise SoundtrackError("the port is in use")
    assert list(tmp_path.iterdir()) == []
