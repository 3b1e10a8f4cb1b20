"""Reduced films and sounds keep extremes, motion, pitch, level and time."""

import numpy as np
import pytest

from frame2sound.evaluation import downsample

RATE = 22050


@pytest.mark.parametrize("length", [1, 7, 1280, 1281, 100_000])
def test_waveform_extremes_are_those_of_the_sound(length):
    sound = np.random.default_rng(0).standard_normal(length)
    starts, low, high = downsample.waveform_extremes(sound)
    assert len(starts) == min(length, 1280)
    assert np.all(np.diff(starts) > 0)
    assert (low.min(), high.max()) == (sound.min(), sound.max())


def test_waveform_extremes_of_an_empty_sound_are_zero():
    assert [part.tolist() for part in downsample.waveform_extremes(np.zeros(0))] == [[0], [0], [0]]


def test_the_frame_on_screen_is_the_last_one_shown():
    frame_times = np.array([0.5, 1.0, 3.0])
    times = np.array([0.0, 0.5, 0.99, 1.0, 2.9, 3.0])
    assert downsample.frame_indices_at(frame_times, times).tolist() == [-1, 0, 0, 1, 1, -1]


@pytest.mark.parametrize(
    ("ground", "ink"), [(0, 200), (255, 0), (255, 180), (128, 0), (128, 255), (128, 60)]
)
@pytest.mark.parametrize("textured", [False, True])
def test_motion_shows_on_any_ground(ground, ink, textured):
    frames = np.full((4, 64, 64), ground, np.uint8)
    if textured:
        frames[:, 40:50] = np.random.default_rng(0).integers(0, 255, (10, 64))
    for index in range(4):
        frames[index, 10 * index, 5] = ink
    image = downsample.motion_image(frames, np.arange(5.0), 8.0, columns=8)
    assert image.shape == (64, 8)
    assert image.argmax(axis=0).tolist() == [0, 10, 20, 30, 0, 0, 0, 0]
    assert image.max(axis=0).tolist() == [255] * 4 + [0] * 4
    assert np.count_nonzero(image) == 4


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_still_objects_and_coding_noise_are_not_motion(grey):
    frames = np.full((30, 64, 64), grey, np.uint8)
    frames[:, 20:30, 20:30] = 255 - grey
    assert not downsample.motion_image(frames, np.arange(31.0), 30.0).any()
    frames[::3] ^= 1
    assert downsample.motion_image(frames, np.arange(31.0), 30.0).max() <= 8


@pytest.mark.parametrize("pitch", [110, 1000, 9000])
def test_a_tone_has_its_pitch_time_and_level_in_a_spectrogram(pitch):
    t = np.arange(4 * RATE) / RATE
    tone = 0.1 * np.sin(2 * np.pi * pitch * t) * ((t > 1) & (t < 2))
    levels = downsample.log_spectrogram(tone, RATE, 4.0, columns=40)
    assert levels.shape == (220, 40)
    row = levels[:, 15].argmax()
    octave = 220 / np.log2(RATE / 2 / downsample.MIN_FREQUENCY_HZ)
    expected = np.log2(pitch / downsample.MIN_FREQUENCY_HZ) * octave - 0.5
    assert row == pytest.approx(expected, abs=0.2 * octave)  # a bin of 22 Hz at 110 Hz
    # Between two bins a Hann window reads up to 1.4 dB low.
    assert levels[row, 11:19] == pytest.approx(np.full(8, -20), abs=1.5)
    assert levels[:, :9].max() == levels[:, 21:].max() == downsample.MIN_LEVEL_DB


def test_a_short_tone_in_a_long_sound_is_in_the_spectrogram():
    sound = np.zeros(600 * RATE, dtype=np.float32)
    sound[300 * RATE : 301 * RATE] = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    levels = downsample.log_spectrogram(sound, RATE, 600.0)
    loud = np.flatnonzero(levels.max(axis=0) > -3)
    assert 640 in loud
    assert len(loud) <= 4  # a second is 2.1 columns


def test_peak_is_absolute():
    assert downsample.peak_amplitude(np.array([0.2, -0.7])) == 0.7
    assert downsample.peak_amplitude(np.zeros(0)) == 0.0
