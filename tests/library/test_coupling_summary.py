"""A library's listing says how far the sound of its films follows their picture."""

import json
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.library import coupling_summary
from frame2sound.library.coupling import Coupling, predict_held_out
from frame2sound.library.coupling_summary import (
    COUPLING_FILE,
    CouplingSums,
    FilmCoupling,
    measure_library,
    share_out,
)
from frame2sound.library.film_ground import estimate_film_ground
from frame2sound.library.film_loudness import film_gain_db
from frame2sound.library.film_motion import measure_motion
from frame2sound.library.folders import exclude
from frame2sound.library.store import Library
from frame2sound.library.summary import summarise

RATE, FPS = 8000, 30
SHORT = 9
"""Seconds of a film that is just long enough to be measured."""


@pytest.fixture
def library(tmp_path):
    return Library.create(tmp_path / "library", RATE)


@pytest.fixture
def add_struck(library, add_film):
    """Return a function that adds a square that bounces, with a click at impacts or elsewhere."""

    def add(name, seconds=16, *, seed=0, in_sync=True):
        rng = np.random.default_rng(seed)
        count = seconds * FPS
        impacts = np.cumsum(rng.integers(12, 30, count // 12))
        frames = np.zeros((count, 64, 64), np.uint8)
        sound = rng.normal(0, 1e-4, seconds * RATE)
        before = 0
        for impact in impacts:
            for frame in range(before, min(impact, count)):
                height = 0.2 * (frame - before) * (impact - frame)
                top, left = 48 - round(min(height, 48)), frame // 8 % 48
                frames[frame, top : top + 16, left : left + 16] = 255
            click = impact if in_sync else int(rng.integers(count))
            start, before = click * RATE // FPS, impact
            tail = sound[start : start + 400]
            tail += 0.5 * np.exp(-np.arange(len(tail)) / 80) * rng.normal(0, 1, len(tail))
        return add_film(library, name, seconds, frames=frames, sound=sound.clip(-1, 1))

    return add


@pytest.fixture(scope="module")
def known():
    """The motion of films that some test has measured, by name, length and gain."""
    return {}


@pytest.fixture
def measured(monkeypatch, known):
    """Collect the names of the films that are measured, in order; each is measured only once."""
    names, measure = [], coupling_summary.measure_motion

    def measure_once(films, clock, seconds, gains_db, *rest):
        names.append(films[0].name)
        key = films[0].name, seconds, *gains_db
        if key not in known:
            known[key] = measure(films, clock, seconds, gains_db, *rest)
        return known[key]

    monkeypatch.setattr(coupling_summary, "measure_motion", measure_once)
    return names


def test_the_sums_give_the_scores_of_the_films_together(library, add_struck):
    add_struck("one")
    add_struck("two", 12, seed=1)
    found = measure_library(library.films(), RATE)
    films = library.films()
    gains, maps = [film_gain_db(f) for f in films], [estimate_film_ground(f) for f in films]
    stretches = measure_motion(films, Clock(Fraction(30), RATE), 180, gains, maps)
    expected = predict_held_out(stretches).coupling
    whole = found.whole.coupling
    assert whole.onset_f == pytest.approx(expected.onset_f, abs=1e-12)
    assert whole.onset_chance == pytest.approx(expected.onset_chance, abs=1e-12)
    assert whole.level_correlation == pytest.approx(expected.level_correlation, abs=1e-9)
    assert (whole.seconds, whole.onset_count) == (28, expected.onset_count)
    assert found.films["one"].coupling.verdict == "well"
    assert found.films["one"].coupling.onset_f > 0.8
    assert whole.verdict == "well"
    assert found.describe() == f"{whole.describe()}, measured on 28 s"


def test_clicks_at_other_times_do_not_follow_the_picture(library, add_struck):
    add_struck("off", 24, in_sync=False)
    coupling = measure_library(library.films(), RATE).whole.coupling
    assert coupling.onset_f - coupling.onset_chance < 0.15
    assert coupling.level_correlation < 0.3


def test_a_second_listing_measures_nothing(library, add_struck, measured):
    add_struck("one", SHORT)
    add_struck("two", SHORT, seed=1)
    before = summarise(library).coupling
    assert measured == ["one", "two"]
    reports = []
    again = summarise(library, lambda *report: reports.append(report))
    assert again.coupling == before
    assert (measured, reports) == (["one", "two"], [])


def test_other_films_are_measured_anew(library, add_struck, measured):
    add_struck("one", SHORT)
    second = add_struck("two", SHORT, seed=1)
    summarise(library)
    np.save(second.path / "sound.npy", np.array(second.sound) * np.float32(0.5))
    summarise(library)
    assert measured == ["one", "two"] * 2
    exclude(second.path)
    assert set(summarise(library).coupling.films) == {"one"}
    assert measured == [*["one", "two"] * 2, "one"]


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"version": 0}', "\xff"])
def test_a_cache_of_garbage_or_another_version_is_not_used(library, add_struck, measured, text):
    film = add_struck("one", SHORT)
    before = summarise(library).coupling
    (film.path / COUPLING_FILE).write_bytes(text.encode("latin-1"))
    assert summarise(library).coupling == before
    assert measured == ["one", "one"]


def test_a_cache_of_an_older_version_is_measured_again(library, add_struck, measured):
    film = add_struck("one", SHORT)
    summarise(library)
    table = json.loads((film.path / COUPLING_FILE).read_text())
    (film.path / COUPLING_FILE).write_text(json.dumps(table | {"version": 0}))
    summarise(library)
    assert measured == ["one", "one"]


def test_progress_goes_from_nothing_to_all_that_is_measured(library, add_struck):
    films, reports = [add_struck("one"), add_struck("two", 12, seed=1)], []
    measure_library(films, RATE, lambda *report: reports.append(report))
    done = [report[1] for report in reports if report[0] == "measuring motion"]
    assert done == sorted(done)
    assert done[-1] == 28
    assert {report[2] for report in reports if report[0] == "measuring motion"} == {28}


def test_short_and_silent_films_have_a_reason_instead_of_figures(library, add_film, add_struck):
    add_struck("long", 10)
    add_film(library, "short", 7)
    add_film(library, "silent", 9, sound=np.zeros(9 * RATE))
    found = measure_library(library.films(), RATE)
    assert found.films["long"].coupling is not None
    assert found.films["short"] == FilmCoupling(None, "too short to tell")
    assert found.films["silent"] == FilmCoupling(None, "no onsets")
    assert found.seconds == pytest.approx(17)


def test_a_library_that_is_too_short_or_silent_says_so(library, add_film):
    assert measure_library([], RATE) is None
    add_film(library, "short", 3)
    assert measure_library(library.films(), RATE).describe() == (
        "too short to tell how far sound follows the picture; it takes 8 s of film"
    )
    exclude(library.path / "short")
    add_film(library, "silent", 9, sound=np.zeros(9 * RATE))
    found = measure_library(library.films(), RATE)
    assert found.describe() == "no film has sound that could follow its picture"
    assert (found.whole.coupling, found.seconds) == (None, 0)


def test_sound_without_onsets_is_judged_by_its_levels():
    coupling = Coupling(0.0, 0.0, 0.9, 60.0, 0)
    assert coupling.describe() == "sound follows the picture well (no onsets; levels .90)"


@pytest.mark.parametrize(
    ("seconds", "shares"),
    [
        ([], []),
        ([5, 10], [5, 10]),
        ([20, 300, 600], [20, 80, 80]),
        ([3600], [180]),
        ([100] * 22, [180 / 22] * 22),
    ],
)
def test_at_most_180_s_are_shared_out(seconds, shares):
    assert share_out(seconds) == pytest.approx(shares)


def test_of_many_films_some_are_measured_long_enough():
    shares = share_out([60.0] * 100)
    kept = [index for index, share in enumerate(shares) if share]
    assert sum(shares) == pytest.approx(180)
    assert min(shares[index] for index in kept) >= 8
    assert (kept[0], kept[-1], len(kept)) == (0, 99, 22)


def test_one_stretch_of_a_long_film_is_from_its_middle(library, add_film):
    frames = np.zeros((90 * FPS, 64, 64), np.uint8)
    frames[30 * FPS : 60 * FPS : 2] = 200  # it moves only in the middle third
    film = add_film(library, "film", 90, frames=frames)
    (stretch,) = measure_motion([film], Clock(Fraction(30), RATE), 30, [0.0])
    assert len(stretch.times) == pytest.approx(30 * FPS, abs=1)


def test_sums_of_films_add_up():
    one = CouplingSums(10.0, 4, 3.0, 1.0, 8, (2.0, 1.0, 2.0, 3.0, 4.0, 5.0))
    both = one + one
    assert both == CouplingSums(20.0, 8, 6.0, 2.0, 16, (4.0, 2.0, 4.0, 6.0, 8.0, 10.0))
    assert both.coupling().onset_f == one.coupling().onset_f == 0.75
