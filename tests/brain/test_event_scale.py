"""How high the peaks of events are in one film."""

import numpy as np
import pytest

from frame2sound.brain.event_scale import MIN_PEAKS, MIN_SHARE, EventScale, scale_of


def peaks_of(heights, spacing=4):
    """Return a curve that is 0 but for peaks."""
    curve = np.zeros(spacing * len(heights) + 2)
    curve[1::spacing][: len(heights)] = heights
    return curve


@pytest.mark.parametrize(("events", "others"), [(0.8, 0.2), (0.3, 0.05), (1.5, 0.6)])
def test_it_is_the_mean_height_of_the_peaks_of_events(events, others):
    random = np.random.default_rng(0)
    high = events + random.uniform(-0.05, 0.05, 30)
    low = others + random.uniform(-0.04, 0.04, 100)
    curve = peaks_of(random.permutation(np.concatenate([high, low])))
    # Heights are in bins of .005.
    assert scale_of(curve) == pytest.approx(high.mean(), abs=0.0026)


def test_few_peaks_leave_the_scale_of_other_films():
    assert scale_of(peaks_of([0.5] * (MIN_PEAKS - 1)), 0.7) == 0.7
    assert scale_of(peaks_of([0.5] * MIN_PEAKS), 0.7) == pytest.approx(0.5, abs=0.0026)


def test_noise_is_not_enlarged_to_events():
    assert scale_of(peaks_of([0.01, 0.02] * 20), 1.0) == pytest.approx(MIN_SHARE)
    assert scale_of(peaks_of([1e-5] * 20)) > 0


def test_values_that_are_no_peaks_do_not_count():
    slope = np.linspace(0, 1, 100)
    assert scale_of(slope, 0.7) == 0.7
    assert scale_of(-np.abs(peaks_of([0.5] * 20)), 0.7) == 0.7
    assert scale_of(np.zeros(0), 0.7) == 0.7


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_chunks_do_not_matter(chunk):
    curve = np.random.default_rng(0).uniform(-0.5, 1.5, 200)
    scale = EventScale(0.4)
    for at in range(0, 200, chunk):
        scale.observe(curve[at : at + chunk])
    assert scale.value == scale_of(curve, 0.4)
