"""The number of onsets that match, beside mir_eval's largest matching."""

import mir_eval
import numpy as np
import pytest

from frame2sound.sound.onset_matching import SHIFTS, count_matches, count_shifted_matches


@pytest.mark.parametrize("window", [0.02, 0.05, 0.2])
def test_it_is_the_largest_matching(window):
    random = np.random.default_rng(0)
    for _ in range(40):
        ours, theirs = (np.sort(random.uniform(0, 2, random.integers(1, 40))) for _ in range(2))
        expected = len(mir_eval.util.match_events(theirs, ours, window))
        assert count_matches(ours, theirs, window) == expected
        assert count_matches(theirs, ours, window) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "matches"),
    [
        ([], [1.0], 0),
        ([1.0], [], 0),
        ([0.0], [0.05], 1),
        ([0.0], [0.0501], 0),
        ([1.0, 1.01], [1.02], 1),
        ([0.0, 0.04], [0.04, 0.09], 2),
        ([0.0, 0.5, 0.5, 0.5], [0.46, 0.5, 3.0], 2),
    ],
)
def test_each_onset_matches_once(ours, theirs, matches):
    assert count_matches(np.array(ours), np.array(theirs)) == matches


def test_shifts_are_circular_and_longer_than_two_tolerances():
    onsets = np.array([0.0, 0.3, 2.0])
    found = count_shifted_matches(onsets, onsets, 4.0)
    shifts = 0.1 + 3.8 * (np.arange(SHIFTS) + np.random.default_rng(0).random(SHIFTS)) / SHIFTS
    distances = np.abs((onsets[:, None] + shifts[:, None, None]) % 4 - onsets)
    assert found.tolist() == (distances <= 0.05).sum((1, 2)).tolist()
    assert found.max() == 2
    assert len(count_shifted_matches(onsets, onsets, 0.2)) == 0


def test_very_many_onsets_are_shifted_less_often():
    onsets = np.arange(20_000) * 0.1
    assert 40 <= len(count_shifted_matches(onsets, onsets[:5000], 2000.0)) < SHIFTS
