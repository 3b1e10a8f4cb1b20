"""Conversions of time equal exact fractions."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frame2sound.clock import (
    Clock,
    frame_indices_at_ticks,
    parse_frame_rate,
    parse_typed_frame_rate,
    sample_at,
)
from tests.hang_guard import fail_if_hung

FPS = [
    Fraction(24),
    Fraction(24000, 1001),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(750000, 71393),
    Fraction(120),
    Fraction(1),
]
RATES = [8000, 22050, 44100, 48000, 96000]

any_fps = st.one_of(
    st.sampled_from(FPS), st.fractions(Fraction(1, 10), 240, max_denominator=100_000)
)
any_clock = st.builds(Clock, any_fps, st.one_of(st.sampled_from(RATES), st.integers(1, 192_000)))


def exact_bounds(clock, frames, first=0):
    return [round(Fraction(i) * clock.sample_rate / clock.fps) for i in range(first, frames + 1)]


@given(any_clock, st.integers(0, 60))
@settings(deadline=None, derandomize=True)
def test_bounds_equal_pythons_rounding_of_fractions(clock, frames):
    assert clock.sample_bounds(frames).tolist() == exact_bounds(clock, frames)


@given(any_clock, st.integers(0, 10_000_000))
@settings(deadline=None, derandomize=True)
def test_bounds_are_exact_far_into_a_film(clock, first):
    assert clock.sample_bounds(20, first).tolist() == exact_bounds(clock, first + 20, first)


@pytest.mark.parametrize("fps", FPS, ids=str)
@pytest.mark.parametrize("sample_rate", RATES)
def test_every_usual_rate(fps, sample_rate):
    clock = Clock(fps, sample_rate)
    bounds = clock.sample_bounds(300)
    assert bounds.dtype == np.int64
    assert bounds.tolist() == exact_bounds(clock, 300)
    assert bounds.tolist() == [clock.start_sample(i) for i in range(301)]


def test_a_tie_goes_to_the_even_sample():
    clock = Clock(Fraction(2), 5)  # 2.5 samples a frame
    assert clock.sample_bounds(6).tolist() == [0, 2, 5, 8, 10, 12, 15]
    assert [sample_at(Fraction(i, 2), 1) for i in (1, 3, 5)] == [0, 2, 2]


@given(any_clock, st.integers(1, 500), st.integers(0, 1_000_000))
@settings(deadline=None, derandomize=True)
def test_slices_tile_and_differ_by_a_sample_at_most(clock, frames, first):
    lengths = np.diff(clock.sample_bounds(frames, first))
    assert lengths.sum() == clock.start_sample(first + frames) - clock.start_sample(first)
    assert lengths.max() - lengths.min() <= 1
    assert lengths.max() <= clock.max_samples_per_frame
    assert lengths.min() >= clock.sample_rate // clock.fps


@pytest.mark.parametrize(("first", "more"), [(0, 7), (24, 1), (999, 48)])
def test_bounds_of_adjacent_ranges_join(first, more):
    clock = Clock(Fraction(24000, 1001), 22050)
    complete = clock.sample_bounds(first + more)
    np.testing.assert_array_equal(clock.sample_bounds(more, first), complete[first:])


def test_ninety_minutes_do_not_drift():
    clock = Clock(Fraction(24), 22050)
    frames = 90 * 60 * 24
    bounds = clock.sample_bounds(frames)
    assert bounds[-1] == 90 * 60 * 22050
    assert frames * (22050 // 24) < bounds[-1] - 4 * 22050  # what a whole hop would lose
    assert np.abs(bounds - np.arange(frames + 1) * 918.75).max() <= 0.5


@pytest.mark.parametrize("fps", [Fraction(60000, 1001), Fraction(2**31 - 1, 2**28 - 57)], ids=str)
def test_bounds_are_exact_for_a_hundred_years(fps):
    clock = Clock(fps, 192_000)
    frame = round(100 * 365 * 86400 * clock.fps)
    assert clock.sample_bounds(1, frame).tolist() == [
        clock.start_sample(frame),
        clock.start_sample(frame + 1),
    ]


@given(any_clock, st.fractions(0, 100, max_denominator=1000))
@settings(deadline=None, derandomize=True)
def test_count_frames_within_counts_frames_that_start_before(clock, seconds):
    frames = clock.count_frames_within(seconds)
    last = range(max(frames - 1, 0), frames + 1)
    assert [n for n in last if n / clock.fps < seconds] == [*last][:-1]


@pytest.mark.parametrize("fps", FPS, ids=str)
def test_frame_times_are_the_nearest_floats(fps):
    times = Clock(fps, 22050).frame_times(5000)
    assert times.tolist() == [float(i / fps) for i in range(5000)]


@pytest.mark.parametrize(
    ("fps", "rate"), [(Fraction(0), 22050), (Fraction(-24), 1), (Fraction(1), 0)]
)
def test_rates_of_zero_or_less_are_refused(fps, rate):
    with pytest.raises(ValueError, match="expected both above 0"):
        Clock(fps, rate)


def slow_shutter(times, fps):
    """Return, for each tick before the end, the last film frame at or before it."""
    indices, tick = [], 0
    while float(tick / fps) < times[-1]:
        indices.append(max(i for i, time in enumerate(times[:-1]) if time <= float(tick / fps)))
        tick += 1
    return indices


@given(any_fps, st.lists(st.integers(1, 400), min_size=1, max_size=40), st.sampled_from([90, 1000]))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_the_frame_on_screen_is_the_last_at_or_before(fps, durations, ticks):
    times = np.concatenate([[0], np.cumsum(durations)]) / ticks
    assert frame_indices_at_ticks(times, Clock(fps, 22050)).tolist() == slow_shutter(
        times.tolist(), fps
    )


@pytest.mark.parametrize("fps", FPS, ids=str)
def test_at_the_clocks_rate_every_frame_is_shown_once(fps):
    clock = Clock(fps, 22050)
    indices = frame_indices_at_ticks(np.append(clock.frame_times(1000), float(1000 / fps)), clock)
    np.testing.assert_array_equal(indices, np.arange(1000))


def test_thirty_ticks_show_twenty_four_frames():
    clock = Clock(Fraction(24), 22050)
    indices = frame_indices_at_ticks(clock.frame_times(25), Clock(Fraction(30), 22050))
    assert indices.tolist() == [i * 24 // 30 for i in range(30)]


def test_one_frame_is_shown_while_it_lasts():
    assert frame_indices_at_ticks(np.array([0.0, 1 / 24]), Clock(Fraction(24), 22050)).tolist() == [
        0
    ]
    assert frame_indices_at_ticks(np.array([0.0, 2.5]), Clock(Fraction(1), 22050)).tolist() == [
        0,
        0,
        0,
    ]
    assert frame_indices_at_ticks(np.array([0.0, 0.001]), Clock(Fraction(1), 22050)).tolist() == [0]


def test_before_the_first_frame_the_first_is_on_screen():
    times = np.array([0.3, 0.5, 1.0])
    indices = frame_indices_at_ticks(times, Clock(Fraction(10), 22050)).tolist()
    assert indices == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]


def test_frames_shorter_than_a_tick_are_skipped_in_order():
    times = np.array([0.0, 0.01, 0.02, 0.5, 0.51, 1.0])
    indices = frame_indices_at_ticks(times, Clock(Fraction(10), 22050)).tolist()
    assert indices == [0, 2, 2, 2, 2, 3, 4, 4, 4, 4]
    assert all(a <= b for a, b in pairwise(indices))


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (25, Fraction(25)),
        ("24", Fraction(24)),
        ("30000/1001", Fraction(30000, 1001)),
        ("2147483647/2147483646", Fraction(2147483647, 2147483646)),
        ("1/100", Fraction(1, 100)),
        ("1000", Fraction(1000)),
    ],
)
def test_a_frame_rate_is_parsed_exactly(value, rate):
    assert parse_frame_rate(value) == rate


@pytest.mark.parametrize(
    "value",
    [
        "1e999999999",
        "1e2",
        "1/1000000007",
        "9" * 11,
        "9" * 10**7,
        "1/" + "9" * 10**7,
        10**400,
        -25,
        0,
        True,
        24.0,
        float("nan"),
        None,
        [24],
        "",
        " 24",
        "24\n",
        "+24",
        "1_0",
        "２４",
        "24/0",
        "24/-1",
        "12.5",
        "1001",
        "1/101",
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_an_invalid_frame_rate_is_refused_at_once(value):
    refused = pytest.raises(ValueError, match=r"as frames a second, expected 0\.01 to 1000")
    with fail_if_hung(), refused as error:
        parse_frame_rate(value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("23.9", Fraction(239, 10)),
        ("25.00", Fraction(25)),
        ("24000/1001", Fraction(24000, 1001)),
    ],
)
def test_a_typed_decimal_that_rounds_an_ntsc_rate_is_that_rate(text, rate):
    assert parse_typed_frame_rate(text) == rate
    assert parse_frame_rate(text, allow_decimals=True) == (Fraction(text) if "." in text else rate)


@pytest.mark.parametrize("text", ["1e999999999", "23.9760001", "." * 30, "-23.976", "0.001", "1e2"])
def test_a_typed_rate_has_the_same_range(text):
    with pytest.raises(ValueError, match=r"expected 0\.01 to 1000"):
        parse_typed_frame_rate(text)
