"""The vOICe's mapping, by the numbers of Meijer (1992), and as a baseline of a comparison."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.config import Pcm
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock
from frame2sound.comparison.voice_baseline import VoicePredictor
from frame2sound.sonification.scanning import brightness_at_hops
from frame2sound.sonification.the_voice import (
    SCAN_SECONDS,
    to_64_columns,
    voice_amplitudes,
    voice_axis,
)
from frame2sound.sonification.timbres import Sines
from tests.sonification.scanned import RATE, middle_seconds, scan_of, strongest_hz

COLUMN_SECONDS = 1.05 / 64
ROW, COLUMN = 20, 40
HZ = 500 * 10 ** ((63 - ROW) / 63)


def dot(level=255):
    picture = np.zeros((64, 64), np.uint8)
    picture[ROW, COLUMN] = level
    return picture


def test_rows_are_sines_from_500_to_5000_hz_evenly_apart_in_octaves():
    assert voice_axis().hz == pytest.approx([500 * 10 ** (i / 63) for i in range(63, -1, -1)])


def test_a_pixel_is_a_tone_of_its_row_while_its_column_is_scanned():
    sines = Sines(voice_axis(), RATE, 0)
    scan = scan_of(dot() / 255, SCAN_SECONDS, held=True)
    hops = brightness_at_hops([scan], RATE, sines.hop)
    sound = np.concatenate(list(sines.render(map(voice_amplitudes, hops))))
    assert strongest_hz(sound) == pytest.approx(HZ, rel=1e-3)
    assert middle_seconds(sound) == pytest.approx((COLUMN + 0.5) * COLUMN_SECONDS, abs=0.003)
    heard = np.flatnonzero(sound) / RATE
    assert heard[0] > COLUMN * COLUMN_SECONDS - 0.0031
    assert heard[-1] < (COLUMN + 1) * COLUMN_SECONDS + 0.0031


def test_greys_are_sixteen_steps_of_two_decibels():
    levels = voice_amplitudes(np.linspace(0, 1, 256, dtype=np.float32))
    assert len(np.unique(levels)) == 16
    assert not levels[:16].any()
    assert 20 * np.log10(np.unique(levels)[1:]) == pytest.approx(np.arange(-28, 2, 2), abs=1e-4)


@pytest.mark.parametrize("width", [1, 64, 200])
def test_pictures_of_any_width_have_64_columns(width):
    ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (64, 1))
    made = to_64_columns(ramp)
    assert made.shape == (64, 64)
    assert made.mean() == pytest.approx(ramp.mean(), abs=0.01)


class Examples:
    """Pairs of frames and sound."""

    def __init__(self, frames, excerpts):
        self.pairs = frames, excerpts

    def spread_indices(self, count):
        return slice(0, count)

    def load(self, indices):
        frames, excerpts = self.pairs
        return frames[indices, None], excerpts[indices]


@pytest.fixture(scope="module")
def predictor():
    clock = Clock(Fraction(25), RATE)
    target = PcmBlocks.from_config(Pcm(), clock)
    frames = np.stack([dot(), dot()])
    excerpts = np.full((2, target.excerpt_length), 0.25, np.float32)
    return VoicePredictor.fit(clock, target, Examples(frames, excerpts))


def test_the_baseline_has_the_mean_power_of_the_films(predictor):
    """A dot sounds in a column of 64, with half the power of its amplitude squared."""
    assert predictor.gain**2 / 2 / 64 == pytest.approx(0.25**2)


def test_the_baseline_plays_the_column_that_the_scan_has_reached(predictor):
    frames = np.stack([dot()] * 30)
    scan = predictor.start_prediction()
    predicted = np.concatenate([scan.predict(frames[:7]), scan.predict(frames[7:])])
    lead, length = predictor.target.lead, predictor.clock.max_samples_per_frame
    sound = predicted[:, lead : lead + length].ravel()
    heard = np.flatnonzero(sound) / RATE
    assert heard[0] == pytest.approx(COLUMN * COLUMN_SECONDS, abs=0.001)
    assert heard[-1] == pytest.approx((COLUMN + 1) * COLUMN_SECONDS + 0.003, abs=0.001)
    middle = sound[round((COLUMN + 0.3) * COLUMN_SECONDS * RATE) :][: round(0.01 * RATE)]
    turns = 2 * np.pi * HZ * np.arange(len(middle)) / RATE
    waves = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    found, residual, *_ = np.linalg.lstsq(waves, middle, rcond=None)
    assert np.hypot(*found) == pytest.approx(predictor.gain, rel=1e-3)
    assert residual < 1e-6 * np.square(middle).sum()


def test_the_scan_goes_on_in_the_frame_that_is_shown(predictor):
    """Only while the column of the dot is scanned, in frame 16, does it matter."""
    column_frame = int(COLUMN * COLUMN_SECONDS * 25)
    black = np.zeros((30, 64, 64), np.uint8)
    black[column_frame] = dot()
    frames = np.stack([dot()] * 30)
    frames[column_frame : column_frame + 1] = 0
    lead = predictor.target.lead
    seen, unseen = (predictor.start_prediction().predict(each) for each in (black, frames))
    assert np.abs(seen[column_frame, lead:]).max() == pytest.approx(predictor.gain, rel=0.01)
    assert not seen[np.arange(30) != column_frame].any()
    assert not unseen[column_frame].any()


def test_the_baseline_is_silent_where_films_are_black(predictor):
    black = np.zeros((2, 64, 64), np.uint8)
    examples = Examples(black, np.ones((2, predictor.target.excerpt_length), np.float32))
    silent = VoicePredictor.fit(predictor.clock, predictor.target, examples)
    assert not silent.start_prediction().predict(black).any()


def test_rows_above_half_the_sample_rate_are_left_out():
    clock = Clock(Fraction(25), 8000)
    target = PcmBlocks.from_config(Pcm(), clock)
    scan = VoicePredictor(clock, target, 1.0).start_prediction()
    top = np.zeros((27, 64, 64), np.uint8)
    top[:, :6] = 255
    assert not scan.predict(top).any()
    assert scan.predict(np.full((1, 64, 64), 255, np.uint8)).any()
