"""Phases come from files of any sample rate."""

import numpy as np
import pytest
import soundfile

from frame2sound.rendering.spectral.phase_from_audio import load_phase_from_audio
from frame2sound.sound.stft import Stft
from tests.media_files import Audio, grey_pictures, make_film

RATE = 22050


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_a_tone_gives_the_phases_of_its_time_at_the_brain_s_rate(tmp_path, rate):
    times = np.arange(rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * 1000 * times)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone, tone], 1), rate, subtype="FLOAT")
    phases = load_phase_from_audio(tmp_path / "tone.wav", Stft(512, 128), RATE)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(phases._samples[300:-300], expected[300:-300], atol=2e-3)
    assert len(phases._samples) == RATE


def test_a_film_s_sound_is_resampled_too(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)
    film = make_film(tmp_path / "film.mkv", grey_pictures([0] * 24), audio=Audio(tone, 44_100))
    phases = load_phase_from_audio(film, Stft(512, 128), RATE)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(phases._samples[300 : RATE - 300], expected[300:-300], atol=5e-3)
