"""A soundtrack is read as measures take it: mono, at their rate, and as loud as it is."""

import numpy as np
import pytest
import soundfile

from frame2sound.evaluation.rendered_sound import read_rendered
from frame2sound.sound.loudness import LoudnessMeter


def loudness(sound, rate):
    meter = LoudnessMeter(rate, 1 if sound.ndim == 1 else sound.shape[1])
    meter.update(sound)
    return meter.integrated_lufs


@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_stays_as_loud_and_where_it_is(tmp_path, channels):
    rate = 48000
    tone = (0.2 * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate)).astype(np.float32)
    sound = np.stack([tone] * channels, axis=1)
    soundfile.write(tmp_path / "tone.wav", sound, rate, subtype="FLOAT")
    read = read_rendered(tmp_path / "tone.wav", 22050)
    assert read.shape == (44100,)
    expected = 0.2 * np.sqrt(channels) * np.sin(2 * np.pi * 1000 * np.arange(44100) / 22050)
    np.testing.assert_allclose(read[100:-100], expected[100:-100], atol=1e-3)
    assert loudness(read, 22050) == pytest.approx(loudness(sound, rate), abs=0.1)


def test_at_its_own_rate_it_is_read_as_it_is(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 999).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, 22050, subtype="FLOAT")
    np.testing.assert_array_equal(read_rendered(tmp_path / "noise.wav", 22050), noise)


def test_an_empty_file_gives_nothing(tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), 48000)
    assert read_rendered(tmp_path / "empty.wav", 22050).shape == (0,)
