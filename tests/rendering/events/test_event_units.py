"""Units are whole events of the films: from 5 ms before the onset to the end of the tail."""

import numpy as np
import pytest

from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.events.event_units import (
    LEAD_SECONDS,
    MAX_SECONDS,
    EventUnits,
    normalise_contrast,
)
from tests.rendering.events.event_films import LEFT, RIGHT, STROKES, corpus_of, sound_with, stroke
from tests.rendering.foretelling import RATE, Foreteller

CLOCK = Foreteller().clock


def units_of(sound, start=0):
    return EventUnits.from_corpus(Corpus(CLOCK, (Piece("film", start, np.float32(sound)),)))


def seconds(units):
    return (units.end - units.onset) / RATE


def test_units_begin_at_the_onsets_of_the_films():
    units = EventUnits.from_corpus(corpus_of())
    times = [at for events in STROKES.values() for at in events]
    assert [units.film_seconds(unit) for unit in range(6)] == pytest.approx(times, abs=2e-4)
    assert [units.film(unit) for unit in range(6)] == ["bells"] * 3 + ["drums"] * 3
    assert {units.lead(unit) for unit in range(6)} == {round(LEAD_SECONDS * RATE)}


def test_an_onset_in_noise_is_found_where_the_power_rises():
    noise = np.random.default_rng(0).normal(0, 0.003, 2 * RATE)
    units = units_of(noise + sound_with({0.7031: stroke(900)}, 2))
    assert units.film_seconds(0) == pytest.approx(0.7031, abs=5e-4)


def test_levels_are_those_of_the_loudest_20_ms():
    units = EventUnits.from_corpus(corpus_of())
    np.testing.assert_allclose(np.diff(units.levels_db[:3]), [-9.54, -10.46], atol=0.1)
    part = stroke(2000)[: round(0.02 * RATE)]
    assert units.levels_db[0] == pytest.approx(10 * np.log10(np.mean(part**2)), abs=0.1)


def test_a_unit_ends_where_it_has_fallen_by_50_db():
    (ended,) = seconds(units_of(sound_with({0.5: stroke(900, decay=0.05)}, 2)))
    assert ended == pytest.approx(0.05 * 50 / 8.686, abs=0.05)  # 8.7 dB per time constant
    (longer,) = seconds(units_of(sound_with({0.5: stroke(900, decay=0.15, seconds=1.4)}, 2)))
    assert longer == pytest.approx(3 * ended, abs=0.1)


def test_a_unit_ends_in_the_floor_of_its_film():
    noise = np.random.default_rng(0).normal(0, 0.01, 2 * RATE)
    (ended,) = seconds(units_of(noise + sound_with({0.5: stroke(900, 0.3, decay=0.05)}, 2)))
    assert 0.1 < ended < 0.25  # 27 dB above the noise: 0.15 s


def test_a_unit_ends_at_the_next_onset_and_no_later_than_after_3_s():
    units = units_of(sound_with({0.5: stroke(900, decay=0.1), 0.8: stroke(900, decay=0.1)}, 2))
    assert seconds(units)[0] == pytest.approx(0.3 - LEAD_SECONDS, abs=1e-3)
    assert units.is_cut.tolist() == [True, False]
    longest = seconds(units_of(sound_with({0.5: stroke(900, decay=9, seconds=4)}, 9)))[0]
    assert longest == pytest.approx(MAX_SECONDS)


def test_a_faint_onset_belongs_to_the_tail_it_is_in():
    units = units_of(sound_with({0.5: stroke(200, decay=0.1), 0.9: stroke(3000, 0.006)}, 2))
    assert len(units) == 2
    assert seconds(units)[0] > 0.5
    assert not units.is_cut[0]


def test_a_units_sound_is_the_films_between_fades():
    units = EventUnits.from_corpus(corpus_of(noise=1e-4))
    sound, lead = units.sound(0), units.lead(0)
    own = units.pieces[0].samples[units.begin[0] : units.end[0]]
    middle = slice(lead, len(sound) * 3 // 4)
    np.testing.assert_array_equal(sound[middle], own[middle].astype(np.float64))
    assert (np.abs(sound) <= np.abs(own)).all()
    assert np.abs(sound[:5]).max() < 0.01 * np.abs(own[:200]).max()
    assert abs(sound[-1]) <= 1e-3 * np.abs(own[-50:]).max()


def test_sound_that_goes_on_at_the_edge_of_a_piece_is_no_onset():
    ringing = stroke(900, decay=1, seconds=1.5)
    whole = sound_with({0.0: ringing, 0.8: stroke(2000)}, 2)
    assert len(units_of(whole)) == 1
    assert units_of(whole, start=5000).film_seconds(0) == pytest.approx(0.8 + 5000 / RATE, abs=1e-3)


def test_a_unit_looks_as_its_scene_does():
    units = EventUnits.from_corpus(corpus_of())
    for unit, picture in ((0, LEFT), (5, RIGHT)):
        flat = (picture - picture.mean()).ravel()
        np.testing.assert_allclose(units.appearance[unit], flat / np.linalg.norm(flat), atol=1e-9)


def test_a_film_without_events_has_no_units():
    silent = {"bells": STROKES["bells"], "drums": {}}
    units = EventUnits.from_corpus(corpus_of(silent))
    assert {units.film(unit) for unit in range(len(units))} == {"bells"}
    assert units.appearance.shape == (3, 64)


def test_contrast_does_not_depend_on_light_and_no_picture_is_like_a_uniform_one():
    picture = np.random.default_rng(0).uniform(0, 1, (1, 64))
    np.testing.assert_allclose(
        normalise_contrast(0.3 * picture + 0.2), normalise_contrast(picture), atol=1e-12
    )
    assert not normalise_contrast(np.full((1, 64), 0.7)).any()


def test_steady_sound_is_cut_into_units_that_decay():
    units = units_of(np.random.default_rng(0).normal(0, 0.1, 3 * RATE))
    assert units.decays
    assert len(units) >= 5
    sound = units.sound(1)[units.lead(1) :]
    parts = [10 * np.log10(np.mean(sound[at : at + 1000] ** 2)) for at in (0, RATE // 4)]
    assert parts[0] - parts[1] == pytest.approx(25, abs=2)  # 60 dB in 0.6 s


def test_a_unit_is_found_by_its_film_and_time():
    units = EventUnits.from_corpus(corpus_of())
    for unit in range(len(units)):
        assert units.find(units.film(unit), units.film_seconds(unit)) == unit
    assert units.find("drums", 1.0) == 4
    with pytest.raises(
        SoundtrackError, match=r"sound of 'opera', expected .* corpus: bells, drums"
    ):
        units.find("opera", 0)
