"""The unit of an event is like its picture, its level and its spectrum, and is not repeated."""

import numpy as np
import pytest

from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.events.unit_choice import (
    SPECTRUM_WEIGHT,
    ChoiceWeights,
    UnitChooser,
    UnitQuery,
    encode_frames,
)
from tests.rendering.events.event_films import LEFT, RIGHT, corpus_of, stroke
from tests.rendering.foretelling import KINDS, Foreteller

BRAIN = Foreteller()
BELLS, DRUMS = (0, 1, 2), (3, 4, 5)


def chooser(weights=None, kind="log-mag", corpus=None, **settings):
    units = EventUnits.from_corpus(corpus_of() if corpus is None else corpus)
    return UnitChooser(units, Foreteller(kind).target, BRAIN.clock, weights, **settings)


def looking(picture):
    return np.float32(picture).ravel() / 255


def test_appearance_chooses_the_film_and_level_the_unit():
    choose = chooser().choose
    for picture, film in ((LEFT, BELLS), (RIGHT, DRUMS)):
        for level, unit in ((-13, 0), (-23, 1), (-33, 2), (-36, 2)):
            query = UnitQuery(1.0, level, looking(picture))
            assert choose(query, remember=False) == film[unit]


def test_light_and_contrast_of_the_picture_make_no_difference():
    dim = 0.3 + 0.2 * looking(RIGHT)
    assert chooser().choose(UnitQuery(1.0, -13, dim), remember=False) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_spectrum_that_is_known_outweighs_the_picture(kind):
    weights = ChoiceWeights(spectrum=2 * SPECTRUM_WEIGHT, appearance=0.5)
    known, unknown = chooser(weights, kind), chooser(kind=kind)
    for hertz, unit, other in ((2000, 0, 3), (150, 3, 0)):
        picture = looking(RIGHT if unit == 0 else LEFT)
        (prediction,) = encode_frames(Foreteller(kind).target, stroke(hertz), np.zeros(1, int))
        query = UnitQuery(1.0, -13, picture, prediction)
        assert known.choose(query, remember=False) == unit
        assert unknown.choose(query, remember=False) == other


def test_no_unit_is_used_twice_within_the_no_repeat_time():
    choose = chooser(no_repeat_seconds=2.0).choose
    times = np.arange(0, 12, 0.5)
    chosen = np.array([choose(UnitQuery(time, -13, looking(LEFT))) for time in times.tolist()])
    for unit in set(chosen.tolist()):
        assert np.diff(times[chosen == unit]).min(initial=9) >= 2.0


def test_a_unit_that_was_just_used_is_avoided_if_others_are_nearly_as_good():
    strokes = {"bells": {0.5: stroke(2000), 1.5: stroke(2000, 0.25)}}
    choose = chooser(corpus=corpus_of(strokes), no_repeat_seconds=0).choose
    chosen = [choose(UnitQuery(float(time), -13.0)) for time in range(6)]
    assert chosen.count(0) == chosen.count(1) == 3


def test_equally_good_units_are_drawn_with_the_seed():
    strokes = {"bells": {at: stroke(2000) for at in (0.3, 1.0, 1.7, 2.4)}}

    def chosen(seed):
        choose = chooser(corpus=corpus_of(strokes), seed=seed).choose
        return [choose(UnitQuery(float(time), -13.0), remember=False) for time in range(20)]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)
    assert set(chosen(1)) == {0, 1, 2, 3}


def test_without_memory_a_choice_depends_on_its_event_alone():
    one, other = chooser(), chooser()
    other.choose(UnitQuery(0.9, -13, looking(LEFT)))
    query = UnitQuery(1.0, -13, looking(LEFT))
    assert one.choose(query, remember=False) == other.choose(query, remember=False)


def test_a_film_that_is_given_is_taken():
    choose = chooser(no_repeat_seconds=10.0).choose
    assert {choose(UnitQuery(float(t), -13, looking(LEFT), film="drums")) for t in range(5)} == set(
        DRUMS
    )


def test_whole_units_with_sharp_attacks_are_better():
    cut = {
        0.5: stroke(900, decay=0.1),
        0.6: stroke(900, 0.05, decay=0.1),
        2.0: stroke(900, decay=0.1),
    }
    choose = chooser(corpus=corpus_of({"bells": cut})).choose
    assert {choose(UnitQuery(float(time)), remember=False) for time in range(9)} == {2}
