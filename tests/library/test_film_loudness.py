"""Every film has the gain that brings it to -23 LUFS, within limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.film_loudness import (
    film_gain_db,
    film_gains_db,
    sound_gain_db,
    with_gain,
)
from frame2sound.library.split import split_library
from frame2sound.library.store import Library
from frame2sound.sound.loudness import LoudnessMeter

RATE = 8000


def tone(lufs: float, seconds: float = 3) -> np.ndarray:
    """A tone of a loudness."""
    sound = np.sin(2 * np.pi * 400 * np.arange(round(seconds * RATE)) / RATE)
    return sound * 10 ** ((lufs - measure(np.tile(sound, 4))) / 20)


def measure(sound: np.ndarray) -> float:
    meter = LoudnessMeter(RATE)
    meter.update(sound.astype(np.float32))
    return meter.integrated_lufs


@pytest.mark.parametrize("lufs", [-62, -50, -23, -10, -4])
def test_a_film_is_brought_to_minus_23_lufs(library, add_film, lufs):
    film = add_film(library, "film", 3, sound=tone(lufs))
    gain_db = film_gain_db(film)
    assert gain_db == pytest.approx(-23 - lufs, abs=0.011)
    assert measure(with_gain(film.sound, gain_db)) == pytest.approx(-23, abs=0.011)
    assert sound_gain_db(film.sound, RATE) == gain_db


def test_the_noise_of_a_nearly_silent_film_is_lifted_by_40_db_only(library, add_film):
    assert film_gain_db(add_film(library, "film", 3, sound=tone(-66))) == 40


@pytest.mark.parametrize("sound", [np.zeros(RATE), tone(-72, 1), tone(-20, 0.3)])
def test_what_has_no_loudness_has_no_gain(library, add_film, sound):
    film = add_film(library, "film", len(sound) / RATE, sound=sound)
    assert film_gain_db(film) == sound_gain_db(film.sound, RATE) == 0


@pytest.mark.parametrize(("peak", "expected_db"), [(0.05, 32.02), (1.0, 6.0), (2.5, 0.0)])
def test_clicks_are_lifted_to_a_peak_of_6_dbfs(library, add_film, peak, expected_db):
    sound = np.zeros(5 * RATE)
    sound[::RATE] = -peak
    film = add_film(library, "film", 5, sound=sound)
    assert measure(sound) + expected_db < -24
    assert film_gain_db(film) == expected_db
    assert sound_gain_db(film.sound, RATE) == expected_db


@pytest.mark.parametrize("rate", [100, 2000, 3999])
def test_rates_without_loudness_are_brought_to_an_rms(tmp_path, add_film, rate):
    library = Library.create(tmp_path / "low", rate)
    sound = 0.01 * np.tile([1.0, -1.0], 2 * rate)
    sound[: len(sound) // 2] = 0  # gated
    film = add_film(library, "film", 4, sound=sound)
    assert film_gain_db(film) == pytest.approx(-23 + 40, abs=0.5)  # blocks at the edge count
    assert sound_gain_db(film.sound, rate) == film_gain_db(film)


def test_the_calibration_film_has_no_gain(library, add_film):
    films = [add_calibration_film(library), add_film(library, "loud", 3, sound=tone(-13))]
    assert film_gains_db(films, "equal") == [0, pytest.approx(-10, abs=0.011)]
    assert film_gains_db(films, "film") == [0, 0]


def test_a_view_of_a_film_has_the_gain_of_the_whole(library, add_film):
    sound = np.concatenate([tone(-40, 16), tone(-15, 4)])
    film = add_film(library, "film", 20, sound=sound)
    (view,) = split_library(library).training.films()
    assert view.card.audio_range[1] < 16 * RATE
    assert film_gain_db(view) == film_gain_db(film)
    (held_out,) = split_library(library).held_out
    assert film_gain_db(held_out.film) == film_gain_db(film)


def test_a_gain_is_a_factor_and_none_changes_nothing():
    sound = np.array([0.5, -0.25], np.float32)
    assert with_gain(sound, 0) is sound
    louder = with_gain(sound, 6)
    assert louder.dtype == np.float32
    np.testing.assert_allclose(louder, sound * math.sqrt(10 ** (6 / 10)), rtol=1e-6)
