"""Distances of magnitudes, by closed forms and a plain reference."""

import math

import numpy as np
import pytest

from frame2sound.evaluation import spectral_distance as spectra
from frame2sound.evaluation.spectral_distance import log_spectral_distance, spectral_convergence

RATE = 22050


def noise(seed=0, seconds=4.0):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


@pytest.mark.parametrize("gain_db", [0.0, 6.0, -12.5])
def test_a_gain_is_its_own_distance(gain_db):
    found = log_spectral_distance(noise() * 10 ** (gain_db / 20), noise(), RATE)
    assert found == pytest.approx(abs(gain_db), abs=0.01)  # bins near zero meet the floor


def test_two_noises_are_as_far_apart_as_logs_of_two_exponentials():
    expected = math.sqrt(2) * 10 / math.log(10) * math.pi / math.sqrt(6)  # 7.88 dB
    assert log_spectral_distance(noise(1), noise(2), RATE) == pytest.approx(expected, abs=0.1)


def test_silence_is_as_far_as_the_floor():
    found = log_spectral_distance(np.zeros(4 * RATE), noise(), RATE)
    assert 55 < found < 80  # noise lies 10 to 20 dB below its highest bin
    assert log_spectral_distance(noise(), np.zeros(4 * RATE), RATE) > found
    assert log_spectral_distance(np.zeros(RATE), np.zeros(RATE), RATE) == 0.0
    assert log_spectral_distance(np.zeros(0), np.zeros(0), RATE) == 0.0


def test_it_is_what_the_definition_says(monkeypatch):
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
    monkeypatch.setattr(spectra, "_BATCH_FRAMES", 7)
    assert log_spectral_distance(ours, theirs, RATE) == pytest.approx(expected, rel=1e-9)


def test_a_sound_that_ends_early_is_silent_from_there():
    short = noise()[: 2 * RATE]
    padded = np.pad(short, (0, 2 * RATE))
    assert log_spectral_distance(short, noise(), RATE) == pytest.approx(
        log_spectral_distance(padded, noise(), RATE)
    )


@pytest.mark.parametrize(
    ("rate", "length"), [(8000, 512), (22050, 1024), (44100, 2048), (48000, 2048)]
)
def test_windows_last_about_46_ms(rate, length):
    assert spectra.analysis_window_samples(rate) == length


def test_spectral_convergence_by_its_closed_forms():
    reference = np.abs(noise())
    assert spectral_convergence(reference, reference) == 0.0
    assert spectral_convergence(0 * reference, reference) == 1.0
    assert spectral_convergence(1.5 * reference, reference) == pytest.approx(0.5)
    assert spectral_convergence(reference, 0 * reference) == math.inf
    assert spectral_convergence(0 * reference, 0 * reference) == 0.0
    with pytest.raises(ValueError, match="shapes"):
        spectral_convergence(reference, reference[:-1])
