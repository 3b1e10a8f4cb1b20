"""What is heard is kept, and a disk that fails disturbs nobody."""

import time

import numpy as np
import pytest
import soundfile

from frame2sound.errors import SoundtrackError
from frame2sound.live import recording
from frame2sound.live.recording import SoundRecorder, open_recorder

BLOCK = np.full((256, 2), 0.25, np.float32)


def test_every_block_is_written_in_order(tmp_path):
    path = tmp_path / "heard.wav"
    blocks = [np.full((256, 2), number / 512, np.float32) for number in range(300)]
    with open_recorder(path, 48_000, overwrite=False) as recorder:
        for block in blocks:
            recorder.add(block)
        assert not path.exists()
    heard, rate = soundfile.read(path, dtype="float32")
    assert (rate, soundfile.info(path).subtype) == (48_000, "PCM_24")
    np.testing.assert_array_equal(heard, np.concatenate(blocks))


class FullDisk:
    """Takes one write, then no more."""

    def __init__(self):
        self.writes = 0

    def write(self, sound):
        self.writes += 1
        if self.writes > 1:
            raise soundfile.LibsndfileError(7, "the disk is full")
        time.sleep(0.05)


def test_a_full_disk_ends_the_recording_and_nothing_else():
    recorder = SoundRecorder(FullDisk())
    for _ in range(500):
        recorder.add(BLOCK)
        time.sleep(0.0004)
    with pytest.raises(OSError, match="disk is full"):
        recorder.close()


def test_a_disk_that_is_too_slow_ends_the_recording(monkeypatch):
    monkeypatch.setattr(recording, "MAX_WAITING_BLOCKS", 50)

    class Slow:
        def write(self, sound):
            time.sleep(0.2)

    recorder = SoundRecorder(Slow())
    for _ in range(200):
        recorder.add(BLOCK)
    with pytest.raises(OSError, match="too slow"):
        recorder.close()


def test_without_success_there_is_no_file(tmp_path):
    path = tmp_path / "heard.wav"
    with pytest.raises(ValueError, match="x"), open_recorder(path, 48_000, overwrite=False):
        raise ValueError("x")
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"kept")
    with (
        pytest.raises(SoundtrackError, match="exists already"),
        open_recorder(path, 48_000, overwrite=False),
    ):
        pass
    assert path.read_bytes() == b"kept"
