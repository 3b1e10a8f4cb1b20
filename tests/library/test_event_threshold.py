"""The threshold of events is the one whose events are most often true."""

import numpy as np
import pytest

from frame2sound.library.event_threshold import best_threshold
from tests.library.test_coupling import FPS, stretch


def spikes(seconds, heights_by_time):
    """Return times of pictures and a curve with a peak of a height at each of some times."""
    times = np.arange(0, seconds, 1 / FPS)
    curve = np.zeros(len(times))
    for at, height in heights_by_time.items():
        curve[round(at * FPS)] = height
    return times, curve


def test_it_lies_between_what_is_true_and_what_is_not():
    onsets = np.arange(1.0, 20, 2)
    times = np.arange(0, 20, 1 / FPS)
    curve = np.random.default_rng(0).uniform(0, 0.3, len(times))
    curve[np.round(onsets * FPS).astype(int)] = np.linspace(0.6, 1.0, 10)
    assert 0.3 < best_threshold([curve], [stretch(times, onsets)]) <= 0.6


def test_rare_onsets_have_a_threshold_of_their_own():
    """Four of 6000 pictures are events, and the false peaks are three quarters as high."""
    true = dict.fromkeys((20.0, 70.0, 120.0, 170.0), 1.0)
    false = {time: 0.75 for time in np.arange(1.0, 200, 1.5).tolist() if time not in true}
    times, curve = spikes(200, false | true)
    assert 0.75 < best_threshold([curve], [stretch(times, list(true), seconds=200.0)]) <= 1.0


def test_it_keeps_faint_events_where_hardly_any_is_false():
    """Half of the strong peaks are true, and so are all faint ones: the faint ones are kept."""
    onsets = np.arange(1.0, 60, 2)
    heights = dict(zip(onsets.tolist(), np.linspace(0.3, 1.0, len(onsets)).tolist(), strict=True))
    times, curve = spikes(60, heights)
    assert best_threshold([curve], [stretch(times, onsets, seconds=60.0)]) == pytest.approx(
        0.3, rel=0.04
    )


def test_of_equal_scores_that_with_fewer_events_is_taken():
    """The strong half scores 20 / 30; with the faint peaks, a third of them true, it is 40 / 60."""
    onsets = np.arange(1.0, 21, 1)
    strong = dict.fromkeys(onsets[::2].tolist(), 1.0)
    faint = dict.fromkeys([*onsets[1::2].tolist(), *np.arange(1.3, 21, 1).tolist()], 0.5)
    times, curve = spikes(22, strong | faint)
    assert 0.5 < best_threshold([curve], [stretch(times, onsets, seconds=22.0)]) <= 1.0


def test_one_threshold_serves_several_films():
    first, second = spikes(20, {5.0: 1.0, 9.0: 0.4}), spikes(20, {3.0: 0.8, 7.0: 0.5})
    films = [stretch(first[0], [5.0]), stretch(second[0], [3.0])]
    assert 0.5 < best_threshold([first[1], second[1]], films) <= 0.8


@pytest.mark.parametrize("count", [0, 600])
def test_it_is_above_0(count):
    times = np.arange(0, 20, 1 / FPS)[:count]
    assert best_threshold([np.zeros(len(times))], [stretch(times, [3.0])]) > 0
