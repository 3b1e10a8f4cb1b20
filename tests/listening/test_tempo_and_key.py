"""Tempo of clicks, keys of scales and chords, and neither where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.listening.chroma import PITCH_CLASSES
from frame2sound.listening.frame_features import frame_features
from frame2sound.listening.key import find_key
from frame2sound.listening.onsets import OnsetTracker
from frame2sound.listening.tempo import Tempo, TempoMeter
from frame2sound.sound.onset_detection import detect_onsets
from tests.listening.signals import beats, clicks, in_key

RATE = 16000


def tempo_of(sound: np.ndarray, block: int = 50_000) -> Tempo | None:
    tracker = OnsetTracker(RATE)
    meter, count = TempoMeter(tracker.hop_seconds), 0
    for first in range(0, len(sound), block):
        onsets, flux = tracker.process(sound[first : first + block])
        meter.process(flux)
        count += len(onsets)
    return meter.tempo(count + len(tracker.flush()))


@pytest.mark.parametrize("bpm", [60.0, 72.5, 97.3, 120.0, 143.0, 180.0])
def test_clicks_have_their_tempo(bpm: float) -> None:
    found = tempo_of(beats(bpm, 9, RATE))
    assert found is not None and found.bpm == pytest.approx(bpm, abs=1)
    assert found.strength > 0.9


def test_quiet_clicks_between_the_beats_are_no_beats() -> None:
    between = beats(180, 9, RATE)
    assert tempo_of(beats(90, 9, RATE) + 0.2 * between).bpm == pytest.approx(90, abs=1)


def test_noise_and_a_few_clicks_have_no_tempo() -> None:
    rng = np.random.default_rng(1)
    assert tempo_of(0.1 * rng.standard_normal(5 * RATE)) is None
    assert tempo_of(beats(60, 5, RATE)) is None
    assert tempo_of(np.zeros(RATE)) is None
    assert tempo_of(clicks(np.sort(rng.uniform(0, 20, 60)), 20, RATE)) is None


@pytest.mark.parametrize("block", [901, 16_000])
def test_onsets_in_blocks_are_those_of_the_whole_sound(block: int) -> None:
    sound = clicks([0.0, 0.2, 0.21, 0.5, 1.1, 1.95], 2, RATE)
    sound += 0.001 * np.random.default_rng(0).standard_normal(len(sound))
    tracker, found = OnsetTracker(RATE), []
    for first in range(0, len(sound), block):
        found += tracker.process(sound[first : first + block])[0].tolist()
    assert found + tracker.flush().tolist() == pytest.approx(detect_onsets(sound, RATE).tolist())
    assert len(found) >= 4


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("kind", ["scale", "chords"])
def test_every_key_is_found(mode: str, kind: str) -> None:
    for tonic, name in enumerate(PITCH_CLASSES):
        found = frame_features(in_key(tonic, mode, kind, RATE, 0.15), RATE)
        key = find_key(found.chroma)
        assert key is not None and key.name == f"{name} {mode}"


def test_noise_and_silence_have_no_key() -> None:
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    assert find_key(frame_features(noise, RATE).chroma) is None
    assert find_key(np.zeros((3, 12))) is None
