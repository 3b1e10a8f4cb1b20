"""Log-spectral distance, by closed forms and a simple implementation."""

import math

import numpy as np
import pytest

from frame2sound.evaluation import spectral_distance
from frame2sound.evaluation.envelopes import envelope_scores
from frame2sound.evaluation.spectral_distance import log_spectral_distance
from tests.evaluation.signals import RATE, TRUTH, pings


def noise(seed=0, seconds=4.0):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


@pytest.mark.parametrize("gain_db", [0.0, -6.0, 12.5])
def test_a_sound_at_another_level_has_no_distance(gain_db):
    found = log_spectral_distance(noise() * 10 ** (gain_db / 20), noise(), RATE)
    assert found == pytest.approx(0.0, abs=1e-9)


def test_turning_down_changes_nothing():
    far = log_spectral_distance(noise(1), noise(2), RATE)
    assert log_spectral_distance(noise(1) / 2, noise(2), RATE) == pytest.approx(far, abs=1e-9)


def test_two_noises_have_the_distance_of_logs_of_two_exponentials(monkeypatch):
    expected = math.sqrt(2) * 10 / math.log(10) * math.pi / math.sqrt(6)  # 7.88 dB
    tolerant = log_spectral_distance(noise(1), noise(2), RATE)
    assert expected - 0.7 < tolerant < expected - 0.2  # the least of nine
    monkeypatch.setattr(spectral_distance, "TOLERANCE_SECONDS", 0.0)
    assert log_spectral_distance(noise(1), noise(2), RATE) == pytest.approx(expected, abs=0.1)


def test_the_distance_of_silence_is_that_of_the_floor():
    found = log_spectral_distance(np.zeros(4 * RATE), noise(), RATE)
    assert 55 < found < 80  # noise lies 10 to 20 dB below its highest bin
    assert log_spectral_distance(np.zeros(0), noise(), RATE) == found
    assert log_spectral_distance(np.full(4 * RATE, 1e-6), noise(), RATE) == pytest.approx(found)


@pytest.mark.parametrize("reference", [np.zeros(RATE), np.zeros(0), noise(0, 1.0) / 300])
def test_nothing_can_be_said_of_a_film_that_is_silent_throughout(reference):
    assert log_spectral_distance(noise(), reference, RATE) is None


@pytest.mark.parametrize("late", [919, -919, 735, 220])  # a frame at 24 and at 30 fps, and 10 ms
def test_a_frame_late_is_nearly_right_and_three_are_not(late):
    own = pings(TRUTH)
    silence = log_spectral_distance(0 * own, own, RATE)
    assert log_spectral_distance(np.roll(own, late), own, RATE) < 0.2 * silence
    assert log_spectral_distance(np.roll(own, 3 * 919), own, RATE) > 0.3 * silence


def test_only_what_sounds_in_the_reference_counts():
    own, ours = noise(1), noise(2)
    own[RATE:] = 0.0
    ours[RATE:] = 0.0
    false = ours + np.where(np.arange(4 * RATE) >= 2 * RATE, noise(3), 0.0)
    found = log_spectral_distance(ours, own, RATE)
    assert log_spectral_distance(false, own, RATE) == pytest.approx(found, abs=1e-9)
    assert envelope_scores(ours, own, RATE).correlation > 0.95
    assert envelope_scores(false, own, RATE).correlation < 0.6


def test_frames_40_db_below_the_loudest_of_the_film_do_not_count():
    own = noise()
    own[RATE:] *= 10 ** (-45 / 20)
    frames, _ = spectral_distance.frame_spectral_distances(own, own, RATE)
    assert frames[-1] == RATE // 512 - 1  # the next begins 34 samples before the noise falls
    frames, _ = spectral_distance.frame_spectral_distances(own, own, RATE, -100.0)
    assert frames[-1] == 4 * RATE // 512


def test_the_gain_is_the_median_over_frames_that_both_have():
    reference = np.array([-10.0, -20.0, -30.0, -90.0, -12.0, -20.0])
    estimated = np.array([-16.0, -26.0, -36.0, -10.0, -12.0, -95.0])
    # by 6, 6, 6; a frame of a silent reference; by 0; a frame that is missing
    assert spectral_distance.matching_gain_db(estimated, reference, -60.0) == 6.0
    assert spectral_distance.matching_gain_db(estimated - 20, reference, -60.0) == 26.0
    assert spectral_distance.matching_gain_db(np.full(6, -200.0), reference, -60.0) == 0.0


def test_it_follows_the_definition_for_any_batch_size(monkeypatch):
    ours, theirs = noise(1, 1.0), np.sin(np.arange(RATE)) * 0.5
    ours[: RATE // 2] *= 3
    theirs[RATE // 3 : RATE // 2] = 0.0
    window = np.hanning(1025)[:-1]

    def frames(sound, shift):
        padded = np.pad(sound, (2048, 3072))
        starts = range(2048 + shift, 2048 + shift + RATE, 512)
        return np.array([padded[s : s + 1024] * window for s in starts])

    def levels(sound):
        power = (frames(sound, 0) ** 2).sum(1) / (window**2).sum()
        return 10 * np.log10(np.maximum(power, 1e-20))

    mine, yours = levels(ours), levels(theirs)
    active = yours >= yours.max() - 40
    gain = np.median((yours - mine)[active & (mine >= mine.max() - 40)])
    spectra = np.abs(np.fft.rfft(frames(theirs, 0)))[active]
    floor = spectra.max() / 1e4
    distances = []
    for shift in range(-1024, 1025, 256):  # a quarter of a window; four reach 1 / 24 s
        scaled = np.abs(np.fft.rfft(frames(ours, shift)))[active] * 10 ** (gain / 20)
        ratio = 20 * np.log10(np.maximum(scaled, floor) / np.maximum(spectra, floor))
        distances.append(np.sqrt(np.mean(ratio**2, axis=1)))
    expected = np.min(distances, axis=0).mean()
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
