"""What is hushed before an entrance, and that nothing else is touched."""

import numpy as np
import pytest

from frame2sound.sound.overlap_adder import OnsetGate
from frame2sound.sound.windows import hann_fade_in

LEAD, EDGE = 50, 11


def let(sound, marks, sizes=()):
    entrance, pieces = OnsetGate(LEAD, EDGE), []
    entrance.add_onsets(np.array(marks, np.int64))
    for first, last in zip([0, *np.cumsum(sizes)], [*np.cumsum(sizes), len(sound)], strict=True):
        pieces.append(entrance.process(sound[first:last]))
    return np.concatenate(pieces)


def test_sound_without_marks_passes_unchanged():
    sound = np.random.default_rng(0).uniform(-1, 1, 500).astype(np.float32)
    np.testing.assert_array_equal(let(sound, []), sound)


def test_a_mark_silences_what_comes_before_it():
    gate = let(np.ones(500, np.float32), [200])
    np.testing.assert_array_equal(gate[: 200 - LEAD - EDGE], 1)
    np.testing.assert_allclose(
        gate[200 - LEAD - EDGE : 200 - LEAD], 1 - hann_fade_in(EDGE), atol=1e-7
    )
    assert not gate[200 - LEAD : 200].any()
    np.testing.assert_allclose(gate[200 : 200 + EDGE], hann_fade_in(EDGE), atol=1e-7)
    np.testing.assert_array_equal(gate[200 + EDGE :], 1)


@pytest.mark.parametrize("sizes", [(1,) * 300, (7, 0, 190, 5), (250,)])
def test_pieces_of_any_size_give_the_same(sizes):
    sound = np.random.default_rng(1).uniform(-1, 1, 500).astype(np.float32)
    np.testing.assert_array_equal(let(sound, [0, 30, 201], sizes), let(sound, [0, 30, 201]))


def test_what_was_given_stays_as_it_was():
    sound = np.ones(100, np.float32)
    let(sound, [60])
    assert sound.all()


def test_marks_that_have_passed_are_forgotten():
    entrance = OnsetGate(LEAD, EDGE)
    for second in range(100):
        entrance.add_onsets(np.array([second * 1000 + 500]))
        entrance.process(np.ones(1000, np.float32))
    assert len(entrance._onsets) <= 1
