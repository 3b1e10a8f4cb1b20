"""Granular rendering: on time, as loud as its source, the same in any batches."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.rendering.granular import Granular
from frame2sound.rendering.schedule import Hindle, OnTime
from frame2sound.sound.overlap import OverlapAdd

RATE = 22050


def cut(sound, clock, frames):
    bounds = clock.bounds(frames)
    padded = np.pad(sound, (0, clock.slice_length)).astype(np.float32)
    return np.stack([padded[start : start + clock.slice_length] for start in bounds[:-1]])


def cloud(sound, clock, schedule=None, seed=0, sizes=()):
    """Sound through grains, its blocks fed in batches of the given sizes."""
    frames = clock.frames_within(Fraction(len(sound), RATE))
    blocks, bounds = cut(sound, clock, frames), clock.bounds(frames)
    granular, pieces = Granular(OverlapAdd(0, 0), clock, schedule, seed), []
    for batch in np.split(np.arange(frames), np.cumsum(sizes)[: len(sizes)]):
        if len(batch):
            pieces.append(granular.feed(blocks[batch], bounds[batch[0] : batch[-1] + 2]))
    return np.concatenate([*pieces, granular.flush()])


def noise(seconds, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * RATE))


def sine(seconds, hz=440.0):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def level_db(sound, reference):
    return 10 * np.log10(np.mean(np.square(sound)) / np.mean(np.square(reference)))


CLOCKS = {str(fps): Clock(Fraction(fps), RATE) for fps in ("10", "24", "24000/1001", "30", "60")}
each_clock = pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)


@each_clock
@pytest.mark.parametrize("jitter", [0.0, 0.003])
@pytest.mark.parametrize("source", [noise, sine])
def test_sound_comes_out_as_loud_as_it_went_in(clock, jitter, source):
    sound = source(4)
    out = cloud(sound, clock, OnTime(jitter_seconds=jitter))
    assert level_db(out[: len(sound)], sound) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("clock", [*CLOCKS.values(), Clock(Fraction(1), RATE)], ids=[*CLOCKS, "1"])
def test_grains_that_read_in_place_give_back_the_sound_up_to_its_end(clock):
    sound = noise(4)
    out = cloud(sound, clock, OnTime(jitter_seconds=0))
    # Envelopes add up to some 4 and are divided out: a few float32 roundings.
    np.testing.assert_allclose(out[: len(sound)], sound, atol=1e-6)


@each_clock
def test_no_moment_falls_silent(clock):
    out = cloud(noise(4), clock)[: 4 * RATE]
    # Noise in 5 ms: 110 samples, whose RMS wanders by less than a decibel or two of itself.
    blocks = np.sqrt(np.mean(np.square(out.reshape(-1, 105)), axis=1))
    assert blocks.min() > 0.3 * blocks.mean()


@each_clock
@pytest.mark.parametrize("seed", range(3))
def test_a_click_at_a_frames_start_stays_within_15_ms(clock, seed):
    at = clock.start(7)
    sound = np.zeros(clock.start(20))
    sound[at] = 1
    out = cloud(sound, clock, seed=seed)
    heard = np.flatnonzero(out)
    assert abs(int(np.abs(out).argmax()) - at) <= 0.015 * RATE
    # It reads at most 3 ms beside its place, rounded to whole samples.
    assert np.abs(heard - at).max() <= 0.003 * RATE + 1


@pytest.mark.parametrize("fps", [1, 10, 24, 30, 60, 120])
def test_the_bound_on_peaks_is_stated_as_measured(fps):
    clock = Clock(Fraction(fps), RATE)
    granular = Granular(OverlapAdd(0, 0), clock)
    granular.feed(np.zeros((10, clock.slice_length), np.float32), clock.bounds(10))
    granular.flush()
    assert 0 < granular.latest_peak_seconds <= 0.015


@pytest.mark.parametrize("schedule", [OnTime(), OnTime(pitch_jitter=1), Hindle()])
def test_the_seed_decides(schedule):
    sound, clock = noise(1), CLOCKS["24"]
    first = cloud(sound, clock, schedule, seed=1)
    np.testing.assert_array_equal(first, cloud(sound, clock, schedule, seed=1))
    assert not np.allclose(first, cloud(sound, clock, schedule, seed=2), atol=1e-3)


@pytest.mark.parametrize("schedule", [OnTime(), OnTime(0.05, 150, 0.015, 0, 2), Hindle()])
@pytest.mark.parametrize("fps", ["24000/1001", "60", "10"])
@pytest.mark.parametrize("seed", range(2))
def test_batches_of_any_size_give_the_same_sound(schedule, fps, seed):
    sound, clock = noise(3), CLOCKS[fps]
    sizes = np.random.default_rng(seed).integers(0, 9, 20)
    whole = cloud(sound, clock, schedule)
    np.testing.assert_allclose(cloud(sound, clock, schedule, sizes=sizes), whole, atol=1e-6)
    one_by_one = cloud(sound, clock, schedule, sizes=[1] * 30)
    np.testing.assert_allclose(one_by_one, whole, atol=1e-6)


@pytest.mark.parametrize("schedule", [OnTime(), Hindle()])
def test_silence_gives_silence(schedule):
    assert not cloud(np.zeros(2 * RATE), CLOCKS["24"], schedule).any()


@each_clock
@pytest.mark.parametrize("schedule", [OnTime(), Hindle()])
@pytest.mark.parametrize("frames", [1, 2, 50])
def test_it_is_as_long_as_overlap_add_makes_it(clock, schedule, frames):
    bounds = clock.bounds(frames)
    blocks = cut(np.zeros(bounds[-1]), clock, frames)
    granular, join = Granular(OverlapAdd(0, 0), clock, schedule), OverlapAdd(0, 0)
    lengths = [len(r.feed(blocks, bounds)) + len(r.flush()) for r in (granular, join)]
    assert lengths == [bounds[-1]] * 2


def test_nothing_fed_gives_nothing():
    assert len(Granular(OverlapAdd(0, 0), CLOCKS["24"]).flush()) == 0


def test_what_is_held_does_not_grow():
    clock = CLOCKS["24"]
    granular, sizes = Granular(OverlapAdd(0, 0), clock), []
    for i in range(60):
        granular.feed(np.ones((4, clock.slice_length), np.float32), clock.bounds(4, 4 * i))
        sizes.append(len(granular._out) + len(granular._source))
    assert max(sizes[30:]) <= max(sizes[5:30]) + 2


def test_the_ancestors_cloud_is_as_loud_as_its_source():
    sound = noise(4)
    out = cloud(sound, Clock(Fraction(30), RATE), Hindle())
    # It takes 1.4 s to build up.
    assert level_db(out[2 * RATE : 4 * RATE], sound) == pytest.approx(0, abs=6)
