"""Events are played at the rate of the films' sound, at the side where they were recorded."""

import numpy as np
import pytest

from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.pieces import quantise
from frame2sound.rendering.events.event_layer import EventLayer
from frame2sound.rendering.events.event_units import LEAD_SECONDS, EventUnits
from frame2sound.rendering.style import Style
from tests.rendering.events.curves import curves_of, strength_at
from tests.rendering.events.event_films import decibels, play
from tests.rendering.foretelling import Foreteller

CLOCK = Foreteller().clock
RATE, FRAMES, STEP = 48_000, 120, 2.0**-15
TIMES = {"left": 0.50003, "right": 1.41237}
LEAD = round(LEAD_SECONDS * RATE)
MOSAIC = Style("mosaic")


def struck(hertz, decay=0.05, seconds=0.6):
    age = np.arange(round(seconds * RATE)) / RATE
    return 0.3 * np.sin(2 * np.pi * hertz * age + 1) * np.exp(-age / decay)


def film(noise=0.0):
    """Return ``(n, 2)``: a sound of 2 kHz at left, one of 300 Hz at right."""
    sound = np.random.default_rng(0).normal(0, 1, (3 * RATE, 2)) * noise
    for at, hertz, side in ((TIMES["left"], 2000, 0), (TIMES["right"], 300, 1)):
        begin = round(at * RATE)
        sound[begin : begin + round(0.6 * RATE), side] += struck(hertz)
    return np.float32(sound)


def corpus_of(sound, start=0):
    data, full_scale = quantise([sound], len(sound), 2)
    return Corpus(CLOCK, (Piece("film", start, data, full_scale),), sample_rate=RATE)


def curves(frames=(), **values):
    return curves_of(strength_at(frames, FRAMES), **values)


@pytest.mark.parametrize("start", [0, 1, 77_777])
def test_units_that_are_heard_are_those_that_are_chosen(start):
    corpus = corpus_of(film(), start)
    chosen = EventUnits.from_corpus(corpus)
    heard = chosen.as_heard(corpus)
    assert (chosen.sample_rate, heard.sample_rate, len(heard)) == (CLOCK.sample_rate, RATE, 2)
    np.testing.assert_array_equal(heard.onset, [round(at * RATE) for at in TIMES.values()])
    np.testing.assert_array_equal(heard.begin, heard.onset - LEAD)
    for unit in range(2):
        assert heard.film_seconds(unit) == pytest.approx(chosen.film_seconds(unit), abs=2e-4)
        durations = [
            (each.end[unit] - each.onset[unit]) / each.sample_rate for each in (chosen, heard)
        ]
        assert durations[0] == pytest.approx(durations[1], abs=4e-4)
    np.testing.assert_array_equal(chosen.levels_db, heard.levels_db)


def test_a_plain_corpus_is_heard_as_it_is_chosen():
    corpus = corpus_of(film()).analysis
    units = EventUnits.from_corpus(corpus)
    assert units.as_heard(corpus) is units


def test_the_sound_of_a_unit_has_both_sides_of_its_film():
    sound = film(noise=1e-4)
    corpus = corpus_of(sound)
    units = EventUnits.from_corpus(corpus).as_heard(corpus)
    played = units.sound(0)
    own = sound[units.begin[0] : units.end[0]]
    middle = slice(LEAD, len(own) * 3 // 4)
    np.testing.assert_allclose(played[middle], own[middle], atol=STEP)
    assert (np.abs(played) <= np.abs(own) + STEP).all()
    assert np.abs(played[:5]).max() < 0.01 * np.abs(own).max()


def steady(level):
    return np.float32(np.random.default_rng(1).normal(0, level, (3 * RATE, 2)))


def test_steady_sound_decays_on_both_sides():
    corpus = corpus_of(steady(0.1))
    units = EventUnits.from_corpus(corpus).as_heard(corpus)
    assert units.decays
    sound = units.sound(1)[units.lead(1) :]
    for side in range(2):
        parts = [decibels(sound[at : at + 2000, side]) for at in (0, RATE // 4)]
        assert parts[0] - parts[1] == pytest.approx(25, abs=2)


@pytest.mark.parametrize("batch", [None, 1, 7])
def test_a_unit_is_played_at_its_side_and_the_exact_sample_and_level(batch):
    corpus, log = corpus_of(film()), []
    given = curves([30, 80], lead=0.0137, level_db=-24.0)
    sound, renderer = play(MOSAIC, Foreteller(), given, corpus, log=log, batch=batch)
    assert (renderer.sample_rate, renderer.channels) == (RATE, 2)
    assert sound.shape == (FRAMES * RATE // 30, 2)
    chosen = EventUnits.from_corpus(corpus)
    heard = chosen.as_heard(corpus)
    expected = np.zeros_like(sound)
    for event in log:
        unit = chosen.find(event.film, event.film_seconds)
        own = heard.sound(unit) * 10 ** ((-24 - chosen.levels_db[unit]) / 20)
        begin = round(event.time_seconds * RATE) - LEAD
        expected[begin : begin + len(own)] += own.astype(np.float32)
        assert own.any(axis=0).tolist() == [unit == 0, unit == 1]
    assert len(log) == 2
    np.testing.assert_array_equal(sound, expected)


def test_events_of_a_list_are_the_same_sounds_of_what_is_learned_and_of_what_is_heard():
    corpus = corpus_of(film(noise=1e-3))
    lists = []
    for each in (corpus, corpus.analysis):
        lists.append([])
        found = curves([20, 50, 90], level_db=-20.0, bed_db=-50.0)
        play(MOSAIC, Foreteller(), found, each, log=lists[-1])
    assert len(lists[0]) == 3
    assert lists[0] == lists[1]


def test_a_bed_has_the_level_that_is_predicted():
    corpus = corpus_of(steady(0.01))
    played, _ = play(MOSAIC, Foreteller(), curves(bed_db=-55.0), corpus)
    # The level is that of the mean of both sides below 11 kHz, which is what brains learn.
    more_db = decibels(steady(0.01)) - decibels(corpus.analysis.pieces[0].samples)
    assert more_db == pytest.approx(3 + 10 * np.log10(24_000 / (0.95 * 11_025)), abs=0.2)
    inner = played[RATE // 2 : -RATE // 2]
    for side in range(2):
        assert decibels(inner[:, side]) == pytest.approx(-55 + more_db, abs=1)


@pytest.mark.parametrize("mode", ["overlap-add", "granular"])
def test_other_modes_play_what_is_learned(mode):
    corpus, given = corpus_of(film(noise=1e-3)), curves([30, 80], bed_db=-50.0)
    sound, renderer = play(Style(mode), Foreteller(), given, corpus)
    learned, _ = play(Style(mode), Foreteller(), given, corpus.analysis)
    assert renderer.sample_rate == CLOCK.sample_rate
    assert sound.any()
    np.testing.assert_array_equal(sound, learned)


@pytest.mark.parametrize("step", [1, 3, 50])
def test_sounds_of_two_channels_are_summed_where_they_were_placed(step):
    layer, sounds = EventLayer(2), {4: np.arange(10.0).reshape(5, 2), 6: np.ones((7, 2))}
    total = np.zeros((50, 2))
    for start, sound in sounds.items():
        total[start : start + len(sound)] += sound
        layer.add(sound, start)
    parts = [layer.pop_until(end) for end in range(step, 51, step)]
    np.testing.assert_array_equal(np.concatenate([*parts, layer.pop_until(50)]), total)
