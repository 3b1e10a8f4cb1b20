"""Films are divided by groups, and no window reaches across a cut."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.sorting.folds import divide_into_folds
from frame2sound.sorting.window_features import compute_features
from frame2sound.sorting.windows import split_at_cut, window_samples, window_starts

RATE = 4000


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_together_and_labels_are_in_as_many_folds_as_can_be(seed: int) -> None:
    labels = np.array([0] * 7 + [1] * 2 + [2] * 4)
    groups = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10])
    folds = divide_into_folds(labels, groups, seed)
    assert folds.max() == 4
    for group in np.unique(groups):
        assert len(set(folds[groups == group])) == 1
    assert len(set(folds[labels == 0])) == 5
    assert len(set(folds[labels == 1])) == 2
    assert len(set(folds[labels == 2])) == 3


def test_windows_lie_within_their_part_and_are_half_a_second_apart() -> None:
    starts = window_starts(100, 100 + 3 * RATE, RATE)
    np.testing.assert_array_equal(starts, 100 + RATE // 2 * np.arange(5))
    assert len(window_starts(0, RATE - 1, RATE)) == 0
    assert list(window_starts(0, RATE, RATE)) == [0]
    many = window_starts(0, 1000 * RATE, RATE)
    assert (len(many), many[0], many[-1]) == (240, 0, 999 * RATE)


def test_at_a_cut_a_second_between_windows_is_left_out() -> None:
    starts = window_starts(0, 10 * RATE, RATE)
    before, after = split_at_cut(starts, 6 * RATE, RATE)
    assert (starts[before] + window_samples(RATE)).max() == 5 * RATE
    assert starts[after].min() == 6 * RATE


def test_nothing_outside_a_window_changes_its_features() -> None:
    random = np.random.default_rng(0)
    sound = random.normal(0, 0.1, 4 * RATE).astype(np.float32)
    other = random.normal(0, 0.5, 4 * RATE).astype(np.float32)
    other[RATE : 2 * RATE] = sound[RATE : 2 * RATE]
    features = [compute_features(each, np.array([RATE]), RATE, 0.0)[0] for each in (sound, other)]
    np.testing.assert_array_equal(features[0].sequences, features[1].sequences)


def test_features_are_cepstra_of_mel_levels() -> None:
    """Noise of twice the amplitude is 6.02 dB louder, which the first coefficient alone shows."""
    sound = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    quiet, loud = (
        compute_features(sound, np.array([0]), RATE, gain)[0].sequences for gain in (0.0, 6.0206)
    )
    difference = (loud - quiet)[0]
    np.testing.assert_allclose(difference[:, 0], 6.0206 * np.sqrt(40), rtol=1e-3)
    np.testing.assert_allclose(difference[:, 1:], 0, atol=1e-2)


def test_summaries_are_mean_deviation_and_change() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 2 * RATE).astype(np.float32)
    features, silent = compute_features(sound, np.array([0, RATE]), RATE, 0.0)
    one = features.sequences[1].astype(np.float64)
    changes = np.array([abs(one[k + 1] - one[k]) for k in range(20)])
    expected = np.concatenate([one.mean(0), one.std(0), changes.mean(0)])
    np.testing.assert_allclose(features.summaries[1], expected, rtol=1e-4, atol=1e-4)
    assert not silent.any()
    assert compute_features(0 * sound, np.array([0, RATE]), RATE, 40.0)[1].all()
