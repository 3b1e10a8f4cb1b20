"""Sound files of any name: what libsndfile reads, and what is none."""

import os

import numpy as np
import pytest
import soundfile

from frame2sound.sound.sound_file import open_sound_file


def test_a_name_that_is_no_utf_8_is_read(tmp_path):
    path = tmp_path / os.fsdecode(b"t\xff.wav")
    soundfile.write(os.fsencode(path), np.full(3, 0.5), 8000, format="WAV")
    with open_sound_file(path) as file:
        assert file.read().tolist() == [0.5] * 3


@pytest.mark.parametrize("name", ["a.raw", "a.RAW", "a.wav"])
def test_what_says_no_sample_rate_is_no_sound_file(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(1000))
    with pytest.raises(soundfile.SoundFileError):
        open_sound_file(tmp_path / name)
