"""Features of frames have their closed forms, whichever way the sound is cut into blocks."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.listening.cepstrum import mel_cepstrum
from frame2sound.listening.chroma import PITCH_CLASSES
from frame2sound.listening.frame_features import (
    FrameFeatureExtractor,
    FrameFeatures,
    default_window,
    frame_features,
)
from frame2sound.sound.scale import note_to_hz

RATE, WINDOW = 22050, 2048
BIN = RATE / WINDOW
ARRAYS = [
    "seconds",
    "level_db",
    "centroid_hz",
    "bandwidth_hz",
    "rolloff_hz",
    "flatness",
    "zero_crossing_rate",
    "onset_strength_db",
    "chroma",
    "mfcc",
    "mel_db",
]


def inner(values: np.ndarray) -> np.ndarray:
    """The frames that lie in the sound as a whole."""
    return values[2:-2]


def sine(hz: float, seconds: float = 1.0, rate: int = RATE, phase: float = 0.4) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate + phase)


@pytest.mark.parametrize("hz", [150.0, 440.0, 1234.5, 5000.0])
def test_a_sine_has_its_frequency_level_and_crossings(hz: float) -> None:
    found = frame_features(sine(hz), RATE)
    assert np.abs(inner(found.centroid_hz) - hz).max() < BIN
    assert np.abs(inner(found.rolloff_hz) - hz).max() < 2 * BIN
    assert inner(found.level_db) == pytest.approx(-3.01, abs=0.05)
    assert inner(found.flatness).max() < 1e-3
    assert inner(found.zero_crossing_rate) == pytest.approx(2 * hz / RATE, abs=2 / WINDOW)


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_two_tones_have_the_width_of_two_points(ratio: float) -> None:
    """At a bin's frequency a Hann window gives half, one and half, a width of sqrt(1/2) bins."""
    low, high = 50 * BIN, 250 * BIN
    found = frame_features(sine(low) + ratio * sine(high), RATE)
    share = ratio / (1 + ratio)
    centre = low + share * (high - low)
    width = np.sqrt(share * (1 - share) * (high - low) ** 2 + BIN**2 / 2)
    assert inner(found.centroid_hz) == pytest.approx(centre, rel=1e-6)
    assert inner(found.bandwidth_hz) == pytest.approx(width, rel=1e-6)


def test_white_noise_is_as_flat_as_theory_says() -> None:
    noise = np.random.default_rng(3).standard_normal(RATE * 8)
    found = frame_features(noise, RATE)
    assert inner(found.flatness).mean() == pytest.approx(np.exp(-np.euler_gamma), rel=0.01)
    assert inner(found.centroid_hz).mean() == pytest.approx(RATE / 4, rel=0.01)
    assert inner(found.bandwidth_hz).mean() == pytest.approx(RATE / 2 / np.sqrt(12), rel=0.01)
    assert inner(found.rolloff_hz).mean() == pytest.approx(0.85 * RATE / 2, rel=0.01)
    assert inner(found.zero_crossing_rate).mean() == pytest.approx(0.5, rel=0.01)


def test_notes_have_their_pitch_classes() -> None:
    for number, name in enumerate(PITCH_CLASSES):
        for octave in (3, 4, 5):
            found = frame_features(sine(note_to_hz(f"{name}{octave}"), 0.5), RATE)
            assert set(inner(found.chroma).argmax(axis=1)) == {number}
            assert inner(found.chroma).max() == 1


def test_a_cepstrum_is_the_orthonormal_cosine_transform() -> None:
    levels = np.random.default_rng(0).normal(size=(3, 16))
    for number in range(5):
        wave = np.cos(np.pi * number * (np.arange(16) + 0.5) / 16)
        expected = levels @ wave / np.sqrt((wave**2).sum())
        assert mel_cepstrum(levels, 5)[:, number] == pytest.approx(expected)


def test_a_step_of_level_is_its_rise_in_every_band() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE)
    found = frame_features(noise * np.where(np.arange(RATE) < RATE // 2, 1e-3, 1.0), RATE)
    at = int(found.onset_strength_db.argmax())
    assert abs(found.seconds[at] - 0.5) < WINDOW / RATE
    assert found.onset_strength_db[at - 4 : at + 4].sum() > 50
    assert found.onset_strength_db[0] == 0


@pytest.mark.parametrize("size", [31, 777, 5000])
def test_blocks_of_any_size_give_the_same(size: int) -> None:
    sound = np.random.default_rng(2).standard_normal(6000)
    extractor = FrameFeatureExtractor(8000, window=256, hop=100)
    blocks = range(0, len(sound), size)
    parts = [extractor.process(sound[first : first + size]) for first in blocks]
    joined = FrameFeatures.joined([*parts, extractor.flush()])
    whole = frame_features(sound, 8000, window=256, hop=100)
    assert len(whole) == 1 + 6000 // 100
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(joined, name), getattr(whole, name), rtol=1e-9)


def test_silence_is_finite_and_no_sound_has_no_frames() -> None:
    silent = frame_features(np.zeros(3000, np.float32), RATE)
    assert all(np.isfinite(getattr(silent, name)).all() for name in ARRAYS)
    assert not silent.centroid_hz.any() and not silent.chroma.any()
    assert silent.flatness == pytest.approx(1) and set(silent.level_db) == {-100}
    assert len(frame_features(np.zeros(0), RATE)) == 0
    assert len(frame_features(np.ones(3), RATE)) == 1
    with pytest.raises(ValueError, match="not finite"):
        frame_features(np.array([0.0, np.nan]), RATE)


def test_windows_are_about_93_ms() -> None:
    for rate in (4000, 8000, 16000, 22050, 44100, 48000, 96000):
        assert 0.093 / 2**0.5 <= default_window(rate) / rate <= 0.093 * 2**0.5
