"""What is heard is kept, and a disk that fails disturbs nobody."""

import errno
import time
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from frame2sound.errors import SoundtrackError
from frame2sound.live import recording
from frame2sound.live.recording import SoundRecorder, open_recorder
from frame2sound.sound import wav_file

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


@pytest.mark.parametrize(
    ("free", "reason"), [(0, "no space left on device"), (1 << 30, "input/output error")]
)
def test_a_disk_that_fails_ends_the_recording_whose_beginning_is_kept(
    tmp_path, monkeypatch, free, reason
):
    write, path = soundfile.SoundFile.write, tmp_path / "heard.wav"

    def write_once(file, sound):
        if file.frames:
            raise soundfile.LibsndfileError(2)  # as libsndfile does, which does not say why
        write(file, sound)

    monkeypatch.setattr(soundfile.SoundFile, "write", write_once)
    monkeypatch.setattr(wav_file.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    monkeypatch.setattr(recording, "BATCH_BLOCKS", 4)
    said = rf"heard\.wav holds only the first 0\.0 s \({reason}\); make room"
    with (
        pytest.raises(SoundtrackError, match=said),
        open_recorder(path, 48_000, overwrite=False) as recorder,
    ):
        for _ in range(100):
            recorder.add(BLOCK)
    heard = soundfile.read(path, dtype="float32")[0]
    assert len(heard) == recorder.samples > 0
    assert len(heard) <= 4 * len(BLOCK)
    assert np.all(heard == 0.25)


def test_a_long_recording_is_kept_where_it_cannot_be_made_an_rf64(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(wav_file, "MAX_WAV_BYTES", 100)
    monkeypatch.setattr(wav_file.shutil, "copyfileobj", fail)
    said = (
        r"heard\.wav holds all of its 1\.0 s, but does not say so.*no space left.*24 bits, stereo"
    )
    with (
        pytest.raises(SoundtrackError, match=said),
        open_recorder(tmp_path / "heard.wav", 256, overwrite=False) as recorder,
    ):
        recorder.add(BLOCK)
    assert [path.name for path in tmp_path.iterdir()] == ["heard.wav"]
    samples = soundfile.read(tmp_path / "heard.wav", dtype="float32")[0]
    np.testing.assert_array_equal(samples, BLOCK)


def test_a_disk_that_is_too_slow_ends_the_recording(monkeypatch):
    monkeypatch.setattr(recording, "MAX_WAITING_BLOCKS", 50)

    class Slow:
        def write(self, sound):
            time.sleep(0.2)

    recorder = SoundRecorder(Slow())
    for _ in range(200):
        recorder.add(BLOCK)
    recorder.close()
    assert str(recorder.failure) == "the disk is too slow"
    assert recorder.samples < 200 * len(BLOCK)


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
