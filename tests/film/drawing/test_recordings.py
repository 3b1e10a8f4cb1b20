"""Recordings are played at exact times, in pieces as at once; materials ring as they should."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.film.drawing.materials import MATERIALS, strike
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording

CLOCK = Clock(Fraction(10), 1000)


def track():
    ramp = np.array([1.0, 2.0, 3.0])
    return RecordingTrack(
        [
            TimedRecording(0.2504, ramp, 2.0),
            TimedRecording(0.001, ramp),
            TimedRecording(0.252, ramp),
        ],
        CLOCK,
    )


def test_recordings_begin_at_the_nearest_sample_and_add_up():
    mixed = track().mix(0, 300)
    assert mixed[:5].tolist() == [0, 1, 2, 3, 0]
    assert mixed[248:258].tolist() == [0, 0, 2, 4, 7, 2, 3, 0, 0, 0]
    assert track().mix(252, 253).tolist() == [7]


def test_times_are_kept_and_frames_are_those_in_which_recordings_begin():
    assert track().onset_seconds == (0.001, 0.2504, 0.252)
    assert track().onset_frames == (0, 2)


def test_pieces_equal_the_whole():
    whole = track().mix(0, 300)
    cuts = [0, 2, 3, 249, 251, 253, 300]
    np.testing.assert_array_equal(np.concatenate([track().mix(*c) for c in pairwise(cuts)]), whole)


@pytest.mark.parametrize("material", sorted(MATERIALS))
def test_a_struck_thing_has_a_peak_of_one_and_ends_in_silence(material):
    sound = strike(material, 1.3, 0, 48000)
    assert np.abs(sound).max() == pytest.approx(1)
    assert abs(sound[0]) < 0.01
    assert np.abs(sound[-48:]).max() < 1e-3


@pytest.mark.parametrize("material", ["rubber", "metal"])
def test_a_thing_twice_as_large_sounds_an_octave_lower(material):
    hertz = []
    for size in (0.7, 1.4):
        sound = strike(material, size, 0, 48000)[480:]
        magnitude = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17))
        hertz.append(magnitude.argmax() * 48000 / (1 << 17))
    assert hertz[0] / hertz[1] == pytest.approx(2, rel=0.05)
    assert hertz[1] == pytest.approx(MATERIALS[material].hz / 1.4, rel=0.05)


def test_materials_differ_in_brightness():
    centres = {}
    for material in MATERIALS:
        power = np.abs(np.fft.rfft(strike(material, 1.0, 0, 48000), 1 << 15)) ** 2
        centres[material] = float(power @ np.fft.rfftfreq(1 << 15, 1 / 48000) / power.sum())
    assert sorted(centres, key=centres.get) == ["rubber", "wood", "metal", "stone"]
