"""WAV files of any length: those that no WAV can hold are RF64."""

from __future__ import annotations

import os
import resource
import struct

import av
import numpy as np
import pytest
import soundfile

from frame2sound.dreaming import dream
from frame2sound.sound import sound_file, wav_file
from frame2sound.synaesthesia import notes, singing

STEP = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "FLOAT": 2.0**-25}
SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, (1001, 2))


def write(path, subtype, channels, sound=SOUND):
    with wav_file.open_wav(path, 48000, channels, subtype) as file:
        for block in np.array_split(sound[:, :channels], 3):
            file.write(block)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", STEP)
def test_a_sound_too_long_for_a_wav_is_whole_in_an_rf64(tmp_path, monkeypatch, subtype, channels):
    path = tmp_path / "long.wav"
    write(path, subtype, channels)
    assert soundfile.info(path).format == "WAV"
    size = path.stat().st_size
    monkeypatch.setattr(wav_file, "MAX_WAV_BYTES", size)
    write(path, subtype, channels)
    assert soundfile.info(path).format == "WAV"
    monkeypatch.setattr(wav_file, "MAX_WAV_BYTES", size - 1)
    write(path, subtype, channels)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate) == ("RF64", subtype, 48000)
    stored = path.read_bytes()
    samples_bytes = len(SOUND) * channels * {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}[subtype]
    sizes = len(stored) - 8, samples_bytes, len(SOUND)
    assert struct.unpack_from("<QQQ", stored, 20) == sizes  # as ds64 in EBU Tech 3306 has them
    read = soundfile.read(path, always_2d=True)[0]
    assert read == pytest.approx(SOUND[:, :channels], abs=STEP[subtype])
    with av.open(path) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == len(SOUND)
    assert list(tmp_path.iterdir()) == [path]


def test_notes_dreams_and_songs_have_any_names(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    sound = np.full(1000, 0.25, np.float32)
    dream.write_sound(sound, 22050, folder / "dream.wav", overwrite=False)
    singing.write_sung(folder / "sung.wav", sound, overwrite=False)
    (note,) = notes.write_notes(folder, 1, 0)
    for path in (folder / "dream.wav", folder / "sung.wav", note):
        with sound_file.open_sound_file(path) as file:
            assert (file.format, file.channels) == ("WAV", 1)
            assert file.read().any()


def test_a_copy_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(wav_file, "MAX_WAV_BYTES", 100)
    monkeypatch.setattr(wav_file.shutil, "copyfileobj", fail)
    with pytest.raises(OSError, match="the disk is full"):
        write(tmp_path / "long.wav", "PCM_24", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]


def test_a_file_that_cannot_grow_is_an_error_of_the_system(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match=r"Input/output error|No space left"):
            write(tmp_path / "a.wav", "PCM_24", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
