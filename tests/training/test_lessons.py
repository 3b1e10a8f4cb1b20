"""Lessons that are kept equal lessons made anew."""

import msgspec
import numpy as np
import pytest
import torch

from frame2sound.brain.ingredients import Eigenframes, Fft2, LogMag, Pixels
from frame2sound.brain.inputs import see
from frame2sound.library.store import Library
from frame2sound.training import lessons as module
from frame2sound.training.lessons import Lessons
from frame2sound.training.material import Material

CPU = torch.device("cpu")
INPUTS = [
    Pixels(),
    Pixels(history=2, motion=True),
    Eigenframes(count=8),
    Eigenframes(count=8, history=1, motion=True, profiles=False),
    Fft2(motion=True),
]


def brain_and_pairs(library, recipe, **parts):
    recipe = msgspec.structs.replace(recipe, **parts)
    material = Material.of(library, recipe, 0)
    return material.untrained(recipe, 0), material.learned


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


@pytest.mark.parametrize("seen", INPUTS, ids=str)
@pytest.mark.parametrize("with_over", [False, True])
def test_kept_lessons_equal_those_made_anew(library, film, small, monkeypatch, seen, with_over):
    brain, pairs = brain_and_pairs(library, small(), input=seen)
    kept = Lessons(pairs, brain, CPU)
    monkeypatch.setattr(module, "MOST_BYTES", 0)
    anew = Lessons(pairs, brain, CPU)
    assert kept._looks is not None
    assert anew._looks is None
    random = np.random.default_rng(0)
    which = random.permutation(len(pairs))[:50]
    over = np.where(random.random(50) < 0.4, random.permutation(len(pairs))[:50], -1)
    over = over if with_over else None
    for _ in range(2):  # what was given can be changed without changing what is kept
        mine, theirs = kept.take(which, over), anew.take(which, over)
        for one, other in zip(mine, theirs, strict=True):
            # The order of a matrix product's sums may change with its size.
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
        for part in mine:
            part.zero_()
    torch.testing.assert_close(kept.wanted(which), anew.wanted(which))


def test_a_colour_librarys_lessons_are_kept(tmp_path, add_film, small, monkeypatch):
    library = Library.create(tmp_path / "colour", 8000, colour=True)
    add_film(library, "film")
    for seen in (Pixels(colour=True, motion=True), Eigenframes(count=4, colour=True), Pixels()):
        monkeypatch.undo()
        brain, pairs = brain_and_pairs(library, small(), input=seen)
        kept = Lessons(pairs, brain, CPU)
        monkeypatch.setattr(module, "MOST_BYTES", 0)
        anew = Lessons(pairs, brain, CPU)
        every = np.arange(len(pairs))
        assert kept._looks is not None
        for one, other in zip(kept.take(every), anew.take(every), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_lesson_is_the_lighter_picture_and_both_sounds(library, film, small):
    brain, pairs = brain_and_pairs(library, small(), input=Pixels(history=1))
    which, over = np.array([3, 4, 5]), np.array([-1, 7, 4])
    looks, wanted = Lessons(pairs, brain, CPU).take(which, over)
    moments, sounds = pairs.take(which)
    others = pairs.take(np.array([7, 4]))
    moments[1:] = np.maximum(moments[1:], others[0])
    sounds[1:] += others[1]
    assert torch.equal(looks, see(torch.from_numpy(moments), brain.recipe.input))
    assert torch.equal(wanted, brain.target.wanted(torch.from_numpy(sounds)))


@pytest.mark.parametrize("seen", INPUTS, ids=str)
def test_what_is_kept_fits_in_what_was_promised(library, film, small, monkeypatch, seen):
    brain, pairs = brain_and_pairs(library, small(), input=seen, target=LogMag(window_length=128))
    lessons = Lessons(pairs, brain, CPU)
    kept = sum(part.nelement() * part.element_size() for part in (lessons._looks, lessons._wanted))
    assert kept == lessons._bytes() * len(pairs)
    for room, fits in ((kept, True), (kept - 1, False)):
        monkeypatch.setattr(module, "MOST_BYTES", room)
        assert (Lessons(pairs, brain, CPU)._looks is not None) == fits


def test_no_pairs_are_no_lessons(library, film, small):
    brain, pairs = brain_and_pairs(library, small())
    assert len(Lessons(pairs.only(np.zeros(len(pairs), bool)), brain, CPU)) == 0
