"""Pitch detection in tones, in demo films, in noise and in silence."""

import numpy as np
import pytest

from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.sound.pitch_detection import detect_pitch_hz

RATE = 22050
TIMES = np.arange(31) / 30
WEAK_EVENS = [1, 0.02, 0.75, 0.05, 0.5, 0.07, 0.27]


def tone(hertz, overtones=(1,), rate=RATE):
    t = np.arange(rate) / rate
    waves = (a * np.sin(2 * np.pi * hertz * (k + 1) * t) for k, a in enumerate(overtones))
    return 0.1 * sum(waves)


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
@pytest.mark.parametrize("overtones", [(1,), (1, 0.42, 0.2, 0.07), WEAK_EVENS, (0, 1, 1, 1)])
@pytest.mark.parametrize("hertz", [65.0, 146.83, 440.0, 783.99])
def test_tones_have_their_pitch(hertz, overtones, rate):
    found = detect_pitch_hz(tone(hertz, overtones, rate), rate, np.arange(0.1, 0.9, 0.1))
    assert found == pytest.approx(hertz, rel=0.005)  # a tenth of a semitone


def test_half_a_semitone_off_is_right_and_two_semitones_or_an_octave_are_wrong():
    sound = tone(440, WEAK_EVENS)
    for ratio, share in [(1, 1), (2 ** (0.5 / 12), 1), (2 ** (2 / 12), 0), (2, 0), (0.5, 0)]:
        assert pitch_accuracy(sound, RATE, [440 * ratio] * 30, TIMES) == share


def test_only_pitched_frames_count():
    half = np.where(np.arange(RATE) < RATE / 2, tone(440), tone(300))
    assert pitch_accuracy(half, RATE, [440.0] * 14 + [None] * 2 + [440.0] * 14, TIMES) == 0.5
    assert pitch_accuracy(half, RATE, [None] * 30, TIMES) is None


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_has_no_pitch(level):
    assert pitch_accuracy(level * tone(440), RATE, [440.0] * 30, TIMES) == 0
    assert pitch_accuracy(np.zeros(0), RATE, [440.0] * 30, TIMES) == 0


@pytest.mark.parametrize("offset", [0.5, -0.01])
def test_a_constant_offset_is_silent_and_takes_nothing_from_a_tone(offset):
    times = np.arange(0.1, 0.9, 0.1)
    hiss = 1e-4 * np.random.default_rng(0).standard_normal(RATE)
    for quiet in (np.zeros(RATE), 1e-3 * tone(440), hiss):
        assert np.isnan(detect_pitch_hz(offset + quiet, RATE, times)).all()
    assert detect_pitch_hz(offset + tone(440), RATE, times) == pytest.approx(440, rel=0.005)


def test_noise_has_no_pitch():
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    assert pitch_accuracy(noise, RATE, [440.0] * 30, TIMES) < 0.05


def test_there_must_be_one_more_time_than_pitches():
    with pytest.raises(ValueError, match="expected one more"):
        pitch_accuracy(tone(440), RATE, [440.0] * 30, TIMES[:-1])


@pytest.mark.parametrize("film", ["theremin", "lines"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_demo_films_have_their_true_pitch(film, seed):
    scene = load_scene(film, seconds=15, seed=seed, sample_rate=RATE)
    sound, times = scene.synthesise(0, scene.sample_count), np.arange(scene.frame_count + 1) / 30
    truth = scene.truth.pitch_hz
    assert pitch_accuracy(sound, RATE, truth, times) > 0.99
    octave = [None if hz is None else 2 * hz for hz in truth]
    assert pitch_accuracy(sound, RATE, octave, times) < 0.05
