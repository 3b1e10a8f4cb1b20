"""Schedules: grains on their frame, and the ancestor's as it was measured."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.rendering.granular.cloud import Cloud, Modulation, ModulationSources
from frame2sound.rendering.granular.grain_schedule import (
    NO_MODULATION,
    HindleSchedule,
    OnTimeSchedule,
)
from frame2sound.sound.windows import ENVELOPE_PEAKS

RATE = 22050
FRAME = 735
START = 100 * FRAME


def draw(schedule, start, end, seed, moment=NO_MODULATION):
    return schedule.grains(start, end, RATE, np.random.default_rng(seed), moment)[0]


def sow(cloud, fps, frames, seed=0):
    """The grains of successive frames, as a renderer asks for them."""
    bounds, due, clouds = Clock(Fraction(fps), RATE).sample_bounds(frames).tolist(), 0.0, []
    for i in range(frames):
        random = np.random.default_rng([seed, i])
        grains, due = OnTimeSchedule(cloud).grains(*bounds[i : i + 2], RATE, random, due=due)
        clouds.append(grains)
    return clouds, bounds


@pytest.mark.parametrize("cloud", [Cloud(), Cloud(spray=0.01), Cloud(pitch=5, pitch_jitter=3)])
@pytest.mark.parametrize("envelope", ENVELOPE_PEAKS)
@pytest.mark.parametrize("fps", [1, 10, 24, 30, 60, 120])
def test_every_peak_is_within_the_bound_after_its_frames_start(fps, envelope, cloud):
    cloud = replace(cloud, envelope=envelope)
    clouds, bounds = sow(cloud, fps, 20)
    bound = OnTimeSchedule(cloud).max_peak_delay(
        Clock(Fraction(fps), RATE).max_samples_per_frame, RATE
    )
    assert bound <= min(-(-RATE // fps), cloud.spray * RATE)
    for start, grains in zip(bounds, clouds, strict=False):
        late = grains.peak_positions(ENVELOPE_PEAKS[envelope]) - start
        assert late.min(initial=0) >= 0
        assert late.max(initial=0) <= bound


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_peaks_are_everywhere_in_the_frame_alike(fps):
    clouds, bounds = sow(Cloud(), fps, 4000)
    place = [
        (c.peak_positions() - start) / (RATE / fps)
        for start, c in zip(bounds, clouds, strict=False)
    ]
    counts, _ = np.histogram(np.concatenate(place), 10, (0, 1))
    # Some 1000 to 2500 grains a tenth; evenly spread ones deviate by less than their root.
    np.testing.assert_allclose(counts, counts.mean(), atol=4 * np.sqrt(counts.mean()))


def test_peaks_keep_no_step_with_the_frames():
    clouds, _ = sow(Cloud(), 30, 4000)
    peaks = np.concatenate([grains.peak_positions() for grains in clouds])
    gaps = np.diff(peaks) / (RATE / 150)
    assert 0.5 - 0.02 <= gaps.min() < 0.52
    assert 1.48 < gaps.max() <= 1.5 + 0.02
    for multiple in (1, 2, 3, 5):
        phase = np.exp(2j * np.pi * multiple * peaks * 30 / RATE)
        # A random walk of n steps has a mean of about 1 / sqrt(n), a rhythm one of nearly 1.
        assert abs(phase.mean()) < 4 / np.sqrt(len(peaks))


@pytest.mark.parametrize("fps", [1, 10, 24, 60, 120])
@pytest.mark.parametrize("cloud", [Cloud(), Cloud(pitch=7, pitch_jitter=12, reverse=0.5)])
@pytest.mark.parametrize("envelope", ["hann", "decay", "reversed"])
def test_no_grain_sounds_or_reads_beyond_the_reach(fps, cloud, envelope):
    clock, schedule = Clock(Fraction(fps), RATE), OnTimeSchedule(replace(cloud, envelope=envelope))
    before, after = schedule.reach(clock.max_samples_per_frame, RATE)
    start = RATE * 10
    for seed in range(20):
        grains = draw(schedule, start, start + clock.max_samples_per_frame, seed)
        ends = grains.source_position + grains.playback_rate * (grains.length - 1)
        firsts = [grains.onset, grains.source_position, ends]
        lasts = [grains.onset + grains.length, grains.source_position, ends]
        assert min(first.min(initial=start) for first in firsts) >= start - before
        assert max(last.max(initial=start) for last in lasts) <= start + after


@pytest.mark.parametrize("density", [20, 150, 1000])
@pytest.mark.parametrize("fps", [1, 24, 120])
def test_the_density_is_kept(fps, density):
    clouds, _ = sow(Cloud(density=density), fps, 10 * fps)
    count = sum(len(grains) for grains in clouds)
    # Gaps deviate by 0.29 of themselves, n of them by 0.29 sqrt(n).
    assert count == pytest.approx(10 * density, abs=1 + 1.2 * np.sqrt(10 * density))


def test_reading_wanders_by_the_jitter_and_no_farther():
    cloud = draw(OnTimeSchedule(Cloud(jitter=0.003, density=5000)), 0, FRAME, 1)
    wander = (cloud.source_position - cloud.onset) / RATE
    assert np.abs(wander).max() <= 0.003 + 1e-12
    assert np.abs(wander).max() > 0.0025
    still = draw(OnTimeSchedule(Cloud(jitter=0)), 0, FRAME, 1)
    np.testing.assert_array_equal(still.source_position, still.onset)
    assert (still.gain == 1).all()
    assert set(cloud.gain) == {-1.0, 1.0}


@pytest.mark.parametrize("envelope", ["hann", "decay"])
def test_transposed_and_reversed_grains_read_their_own_place_at_their_peak(envelope):
    cloud = Cloud(0.05, 5000, 0, -3, 2, reverse=0.25, envelope=envelope)
    grains = draw(OnTimeSchedule(cloud), 0, 10 * FRAME, 1)
    semitones = 12 * np.log2(np.abs(grains.playback_rate))
    assert -5 <= semitones.min() < -4.8
    assert -1.2 < semitones.max() <= -1
    assert np.mean(grains.playback_rate < 0) == pytest.approx(0.25, abs=0.05)
    at_peak = (
        grains.source_position + grains.playback_rate * grains.length * ENVELOPE_PEAKS[envelope]
    )
    np.testing.assert_allclose(at_peak, grains.peak_positions(ENVELOPE_PEAKS[envelope]), atol=1e-9)


def test_controls_follow_the_moment():
    cloud = Cloud(
        duration=Modulation(0.02, 0.06, "brightness"),
        density=Modulation(5000, 1000, "motion"),
        pan=Modulation(-1, 1, "place"),
    )
    dark, bright = (
        draw(OnTimeSchedule(cloud), 0, FRAME, 0, ModulationSources(x, motion=x, place=x))
        for x in (0.0, 1.0)
    )
    assert (set(dark.length), set(bright.length)) == ({441}, {1323})
    assert len(dark) > 4 * len(bright)
    assert (set(dark.pan_positions()), set(bright.pan_positions())) == ({-1.0}, {1.0})


def test_spread_is_around_the_pan_and_inside_the_loudspeakers():
    places = draw(
        OnTimeSchedule(Cloud(density=5000, spread=0.5, pan=0.7)), 0, FRAME, 0
    ).pan_positions()
    assert places.max() == 1
    assert 0.2 <= places.min() < 0.25


@pytest.mark.parametrize("schedule", [OnTimeSchedule(), HindleSchedule()])
def test_the_seed_decides(schedule):
    one, again, other = (draw(schedule, START, START + FRAME, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.onset, again.onset)
    np.testing.assert_array_equal(one.source_position, again.source_position)
    assert not np.array_equal(one.onset, other.onset)


@pytest.fixture(scope="module")
def ancestor():
    """2000 frames of the ancestor's grains: start after their frame in seconds, and grain."""
    clouds = [draw(HindleSchedule(), START, START + FRAME, (7, i)) for i in range(2000)]
    late = np.concatenate([cloud.onset - START for cloud in clouds]) / RATE
    return clouds, late, np.concatenate([cloud.gain for cloud in clouds])


def test_the_ancestors_count_of_grains(ancestor):
    clouds, late, _ = ancestor
    # ANCESTOR: about 48 a frame; one frame's count has a deviation of 28, so this mean 0.6.
    assert len(late) / len(clouds) == pytest.approx(48, abs=3)
    assert min(len(cloud) for cloud in clouds) >= 1
    parents = [int((cloud.length == FRAME).sum()) for cloud in clouds]
    assert (min(parents), max(parents)) == (1, 19)


def test_the_ancestors_starts(ancestor):
    _, late, _ = ancestor
    assert late.min() == pytest.approx(-0.033, abs=0.001)
    # The latest of any number of draws; the farthest possible is 41 frames, 1.367 s.
    assert 1.25 < late.max() < 41 * FRAME / RATE


def test_the_ancestors_lateness(ancestor):
    _, late, gain = ancestor
    energy = gain**2 / (gain**2).sum()
    order = np.argsort(late)
    median = late[order][np.searchsorted(np.cumsum(energy[order]), 0.5)]
    in_sync = energy[(late >= -0.045) & (late <= 0.125)].sum()
    # Replays of 2000 frames differ by some 5 ms and 1 %.
    assert median == pytest.approx(0.252, abs=0.02)
    assert in_sync == pytest.approx(1 / 3, abs=0.03)


def test_the_ancestors_grains_read_their_frame_at_its_own_pitch(ancestor):
    clouds, _, _ = ancestor
    before, after = HindleSchedule().reach(FRAME, RATE)
    for cloud in clouds:
        assert (cloud.source_position == START).all()
        assert (cloud.playback_rate == 1).all()
        assert cloud.length.max() == FRAME
        assert cloud.onset.min() >= START - before
        assert (cloud.onset + cloud.length).max() <= START + after
