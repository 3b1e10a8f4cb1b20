"""The numbers that judge a pair, by closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.synaesthesia.judges import judge_outlines, judge_sounds
from frame2sound.synaesthesia.sound_windows import RATE, log_mel, random_phase_sound
from frame2sound.synaesthesia.statistics import (
    diversity,
    found_first,
    kernel_distance,
    permuted_correlation,
    rank_correlation,
)
from frame2sound.synaesthesia.svg_reader import Outline


def outline(points: list[list[float]]) -> Outline:
    return Outline(np.array(points), True, 0.03, np.array([1, 1, 0], np.float32))


def test_judges_of_a_square_and_of_a_star() -> None:
    square = outline([[0.2, 0.1], [0.4, 0.1], [0.4, 0.5], [0.2, 0.5]])
    area, turning, darkness, thickness, height, side = judge_outlines([square])[0]
    assert (area, thickness) == pytest.approx((0.08, 0.03))
    assert turning == pytest.approx(2 * np.pi)
    assert darkness == pytest.approx(0.299 + 0.587)
    assert (height, side) == pytest.approx((0.7, 0.3))
    angles = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, 0.1, 0.3)[:, None]
    star = outline((radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)).tolist())
    assert judge_outlines([star])[0, 1] > 5 * np.pi
    assert judge_outlines([star])[0, 0] == pytest.approx(2.5 * 0.3**2 * np.sin(2 * np.pi / 5))
    assert judge_outlines([outline([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]])])[0, 0] == 0


def test_judges_of_a_sine_and_of_noise() -> None:
    time = np.arange(RATE) / RATE
    sine = 0.1 * np.sin(2 * np.pi * 997 * time)
    noise = np.random.default_rng(0).normal(0, 0.1, RATE)
    tremolo = sine * (1 + 0.9 * np.sin(2 * np.pi * 5 * time))
    sounds = judge_sounds(np.float32([sine, noise, tremolo, 0 * sine]))
    loudness, brightness, noisiness, movement = sounds.T
    assert loudness[0] == pytest.approx(-23, abs=0.1)
    assert brightness[:2] == pytest.approx([997, RATE / 4], rel=0.02)
    assert noisiness[1] == pytest.approx(-2.5, abs=0.2) and noisiness[0] < -60
    assert movement[0] < 0.1 and movement[2] > 1
    assert loudness[3] == -70


def test_a_sound_of_random_phases_has_the_levels_of_its_spectrum() -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, (1, RATE)).astype(np.float32)
    spectrum = log_mel(noise)[0]
    again = log_mel(random_phase_sound(spectrum)[None])[0]
    error = 10 * np.log10((10 ** (again / 10)).mean() / (10 ** (spectrum / 10)).mean())
    assert abs(error) < 1
    assert not random_phase_sound(np.full((42, 48), -80, np.float32)).any()


def test_rank_correlation_is_of_ranks() -> None:
    values = np.array([3.0, 1.0, 2.0, 5.0])
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -(values**3)) == pytest.approx(-1)
    assert rank_correlation(values, np.ones(4)) == 0
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])) == pytest.approx(0.5)
    many = np.arange(128.0)
    assert abs(permuted_correlation(many, many, 200)) < 0.02


def test_what_is_found_first_is_the_nearest() -> None:
    targets = np.eye(4)
    assert found_first(targets + 0.1, targets) == 1
    assert found_first(targets[[0, 1, 3, 2]], targets) == 0.5


def test_the_kernel_distance_is_zero_of_one_kind_and_grows() -> None:
    rng = np.random.default_rng(0)
    rasters = rng.random((300, 1, 32, 32)) * (rng.random((300, 1, 1, 1)) + 0.2)
    one, other = rasters[:100], rasters[100:200]
    assert abs(kernel_distance(one, other, rasters)) < 0.02
    near = kernel_distance(one * 1.3, other, rasters)
    assert kernel_distance(one * 2, other, rasters) > near > 0.02


def test_the_diversity_of_two_pictures_is_their_distance() -> None:
    rasters = np.zeros((2, 1, 32, 32))
    rasters[1] = 0.5
    assert diversity(rasters) == pytest.approx(0.5)
    assert diversity(np.zeros((5, 1, 32, 32))) == 0
