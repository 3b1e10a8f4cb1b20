"""Log-spectral distance, by closed forms and a simple implementation."""

import math

import numpy as np
import pytest

from frame2sound.evaluation import spectral_distance
from frame2sound.evaluation.spectral_distance import log_spectral_distance

RATE = 22050


def noise(seed=0, seconds=4.0):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


@pytest.mark.parametrize("gain_db", [0.0, 6.0, -12.5])
def test_the_distance_of_a_gain_is_the_gain_in_db(gain_db):
    found = log_spectral_distance(noise() * 10 ** (gain_db / 20), noise(), RATE)
    assert found == pytest.approx(abs(gain_db), abs=0.01)  # bins near zero meet the floor


def test_two_noises_have_the_distance_of_logs_of_two_exponentials():
    expected = math.sqrt(2) * 10 / math.log(10) * math.pi / math.sqrt(6)  # 7.88 dB
    assert log_spectral_distance(noise(1), noise(2), RATE) == pytest.approx(expected, abs=0.1)


def test_the_distance_of_silence_is_that_of_the_floor():
    found = log_spectral_distance(np.zeros(4 * RATE), noise(), RATE)
    assert 55 < found < 80  # noise lies 10 to 20 dB below its highest bin
    assert log_spectral_distance(noise(), np.zeros(4 * RATE), RATE) > found
    assert log_spectral_distance(np.zeros(RATE), np.zeros(RATE), RATE) == 0.0
    assert log_spectral_distance(np.zeros(0), np.zeros(0), RATE) == 0.0


def test_it_follows_the_definition_for_any_batch_size(monkeypatch):
    ours, theirs = noise(1, 1.0), np.sin(np.arange(RATE)) * 0.5

    def magnitudes(sound):
        padded = np.pad(sound, (0, 1024))
        starts = range(0, RATE, 512)
        return [np.abs(np.fft.rfft(padded[s : s + 1024] * np.hanning(1025)[:-1])) for s in starts]

    floor = max(m.max() for m in magnitudes(theirs)) / 1e4
    rows = zip(magnitudes(ours), magnitudes(theirs), strict=True)
    clipped = [20 * np.log10(np.maximum(a, floor) / np.maximum(b, floor)) for a, b in rows]
    expected = np.mean([np.sqrt(np.mean(row**2)) for row in clipped])
    assert log_spectral_distance(ours, theirs, RATE) == pytest.approx(expected, rel=1e-9)
    monkeypatch.setattr(spectral_distance, "_BATCH_FRAMES", 7)
    assert log_spectral_distance(ours, theirs, RATE) == pytest.approx(expected, rel=1e-9)


def test_the_shorter_sound_is_padded_with_silence():
    short = noise()[: 2 * RATE]
    padded = np.pad(short, (0, 2 * RATE))
    assert log_spectral_distance(short, noise(), RATE) == pytest.approx(
        log_spectral_distance(padded, noise(), RATE)
    )


@pytest.mark.parametrize(
    ("rate", "length"), [(8000, 512), (22050, 1024), (44100, 2048), (48000, 2048)]
)
def test_windows_last_about_46_ms(rate, length):
    assert spectral_distance.analysis_window_samples(rate) == length
