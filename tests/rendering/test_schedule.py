"""Schedules: grains on their frame, and the ancestor's as it was measured."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.rendering.schedule import Hindle, OnTime

RATE = 22050
FRAME = 735
START = 100 * FRAME


def draw(schedule, start, end, seed, rate=RATE):
    return schedule.grains(start, end, rate, np.random.default_rng(seed))


@pytest.mark.parametrize("pitch_jitter", [0.0, 3.0])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fps", [1, 10, 24, 30, 60, 120])
def test_every_peak_is_within_15_ms_after_its_frames_start_and_never_before(
    fps, seed, pitch_jitter
):
    bounds = Clock(Fraction(fps), RATE).bounds(20)
    for i in range(20):
        cloud = draw(OnTime(pitch_jitter=pitch_jitter), bounds[i], bounds[i + 1], (seed, i))
        late = (cloud.peaks() - bounds[i]) / RATE
        assert (late >= 0).all()
        assert (late <= 0.015).all()


@pytest.mark.parametrize("fps", [1, 10, 24, 60, 120])
@pytest.mark.parametrize("pitch_jitter", [0.0, 12.0])
def test_no_grain_sounds_or_reads_beyond_the_reach(fps, pitch_jitter):
    clock = Clock(Fraction(fps), RATE)
    schedule = OnTime(pitch_jitter=pitch_jitter)
    before, after = schedule.reach(clock.slice_length, RATE)
    start = RATE * 10
    for seed in range(20):
        cloud = draw(schedule, start, start + clock.slice_length, seed)
        ends = cloud.source + cloud.rate * (cloud.length - 1)
        assert min(cloud.onset.min(), cloud.source.min()) >= start - before
        assert max((cloud.onset + cloud.length).max(), ends.max()) <= start + after


@pytest.mark.parametrize("fps", [1, 10, 24])
def test_grains_last_until_the_next_frames_grains_have_begun(fps):
    frame = RATE // fps
    length = draw(OnTime(), 0, frame, 0).length
    assert (length >= 1.2 * frame - 1).all()


@pytest.mark.parametrize("fps", [1, 10, 24, 30, 60, 120])
def test_the_density_is_that_of_the_grains_sounding_at_once(fps):
    frame, clouds = RATE // fps, 400
    sounding = sum(int(draw(OnTime(), 0, frame, i).length.sum()) for i in range(clouds))
    # 150 grains a second of 50 ms; a count is rounded up or down at random, so the mean of
    # 400 is within 0.1 of it.
    assert sounding / (clouds * frame) == pytest.approx(7.5, rel=0.05)


def test_reading_wanders_by_the_jitter_and_no_farther():
    cloud = draw(OnTime(jitter_seconds=0.003, density_hz=5000), 0, FRAME, 1)
    wander = (cloud.source - cloud.onset) / RATE
    assert np.abs(wander).max() <= 0.003
    assert np.abs(wander).max() > 0.0025
    still = draw(OnTime(jitter_seconds=0), 0, FRAME, 1)
    np.testing.assert_array_equal(still.source, still.onset)


def test_detuned_grains_read_the_same_middle():
    cloud = draw(OnTime(pitch_jitter=2.0, jitter_seconds=0, density_hz=5000), 0, FRAME, 1)
    semitones = 12 * np.log2(cloud.rate)
    assert -2 <= semitones.min() < -1.5
    assert 1.5 < semitones.max() <= 2
    middle = cloud.source + cloud.rate * cloud.length / 2
    np.testing.assert_allclose(middle, cloud.peaks(), atol=1e-9)


@pytest.mark.parametrize("schedule", [OnTime(), Hindle()])
def test_the_seed_decides(schedule):
    one, again, other = (draw(schedule, START, START + FRAME, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.onset, again.onset)
    np.testing.assert_array_equal(one.source, again.source)
    assert not np.array_equal(one.onset, other.onset)


@pytest.fixture(scope="module")
def ancestor():
    """2000 frames of the ancestor's grains: start after their frame in seconds, and grain."""
    clouds = [draw(Hindle(), START, START + FRAME, (7, i)) for i in range(2000)]
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
    before, after = Hindle().reach(FRAME, RATE)
    for cloud in clouds:
        assert (cloud.source == START).all()
        assert (cloud.rate == 1).all()
        assert cloud.length.max() == FRAME
        assert cloud.onset.min() >= START - before
        assert (cloud.onset + cloud.length).max() <= START + after
