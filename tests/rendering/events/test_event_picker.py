"""Events are the peaks of strength above a threshold, in time, in batches of any size."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.motion import MAX_LEAD_SECONDS
from frame2sound.rendering.events.event_picker import (
    EventPicker,
    slice_curves,
    threshold_of,
)
from tests.rendering.events.curves import curves_of, strength_at


def pick(curves, fps=30, batch=None, sensitivity=0.5):
    picker, found = EventPicker(Fraction(fps), sensitivity), []
    for first in range(0, len(curves), batch or len(curves)):
        found += picker.process(slice_curves(curves, first, first + (batch or len(curves))))
    return found + picker.flush()


def times(curves, **settings):
    return [event.time_seconds for event in pick(curves, **settings)]


def test_a_peak_that_reaches_the_threshold_is_an_event_at_its_frame():
    strength = strength_at([10], 40, 1.0) + strength_at([20], 40, 0.99)
    (event,) = pick(curves_of(strength, level_db=np.arange(-40, 0)))
    assert (event.frame, event.level_db) == (10, -30)
    assert event.time_seconds == pytest.approx(10 / 30)


@pytest.mark.parametrize(("sensitivity", "frames"), [(0, [30]), (0.5, [20, 30]), (1, [10, 20, 30])])
def test_sensitivity_moves_the_threshold(sensitivity, frames):
    strength = np.zeros(40)
    strength[[5, 10, 20, 30]] = 0.2, 0.3, 1.5, 4.0
    assert [e.frame for e in pick(curves_of(strength), sensitivity=sensitivity)] == frames


def test_the_threshold_falls_with_sensitivity():
    assert threshold_of(0.25) == 2
    assert threshold_of(0.75) == 0.5


@pytest.mark.parametrize("fps", [24, 30, 60, Fraction(30000, 1001)])
def test_of_peaks_within_the_shortest_gap_the_higher_wins(fps):
    near = int(Fraction(7, 100) * fps)
    far = near + 1
    for gap, found in ((near, [20 + near]), (far, [20, 20 + far])):
        if gap:
            strength = strength_at([20], 60, 1.5) + strength_at([20 + gap], 60, 2.0)
            assert [event.frame for event in pick(curves_of(strength), fps=fps)] == found


def test_the_first_of_equals_is_picked():
    assert [e.frame for e in pick(curves_of(strength_at([9, 10, 11], 40)))] == [9]


@pytest.mark.parametrize("peak", [19.6, 20.0, 20.3])
def test_a_parabola_refines_the_time(peak):
    strength = 3 - 0.2 * (np.arange(40) - peak) ** 2
    assert times(curves_of(strength)) == pytest.approx([peak / 30])


def test_the_lead_is_subtracted_but_no_event_is_before_the_start():
    strength = strength_at([1, 20], 40)
    lead = np.zeros(40)
    lead[[1, 20]] = 0.25, 0.125
    assert times(curves_of(strength, lead=lead)) == pytest.approx([0, 20 / 30 - 0.125])
    lead[20] = 9.0
    assert times(curves_of(strength, lead=lead))[1] == pytest.approx(20 / 30 - MAX_LEAD_SECONDS)


@pytest.mark.parametrize("fps", [5, 24, 30, 120])
def test_batches_of_any_size_give_the_same(fps):
    random = np.random.default_rng(0)
    curves = curves_of(random.exponential(1, 300), lead=random.uniform(0, 0.1, 300))
    whole = times(curves, fps=fps)
    assert len(whole) > 5
    for batch in (1, 2, 7, 128):
        assert times(curves, fps=fps, batch=batch) == whole


def test_no_event_begins_before_what_was_decided():
    random, picker = np.random.default_rng(1), EventPicker(Fraction(30))
    decided = 0.0
    for _ in range(100):
        curves = curves_of(random.exponential(1, 3), lead=random.uniform(0, 1, 3))
        assert all(event.time_seconds >= decided for event in picker.process(curves))
        assert picker.decided_seconds >= decided
        decided = picker.decided_seconds
    assert decided > 300 / 30 - MAX_LEAD_SECONDS - 0.31
