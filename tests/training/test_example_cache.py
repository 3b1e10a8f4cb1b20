"""Lessons that are kept, in memory or on disk, equal lessons made anew."""

import msgspec
import numpy as np
import pytest
import torch

from frame2sound.brain.config import Eigenframes, Fft2, LogMag, Pixels
from frame2sound.brain.features import encode_frames
from frame2sound.errors import TrainingError
from frame2sound.library.store import Library
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.samplers import SequenceSampler, sequential_steps
from frame2sound.training.training_data import TrainingData

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
    material = TrainingData.from_library(library, recipe, 0)
    return material.make_untrained_brain(recipe, 0), material.training


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


def kept_and_stored(brain, pairs, folder, monkeypatch):
    kept = ExampleCache(pairs, brain, CPU)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryBudget, "available_bytes", lambda room, network, device: 0)
        stored = ExampleCache(pairs, brain, CPU, MemoryBudget(cache_folder=folder))
    assert kept._on_disk is None
    assert stored._in_memory is None
    return kept, stored


def made_anew(brain, pairs, which, over):
    moments, sounds = pairs.load(which)
    mixed = over >= 0
    others = pairs.take(over[mixed])
    moments[mixed] = np.maximum(moments[mixed], others[0])
    sounds[mixed] += others[1]
    looks = brain.network.look(encode_frames(torch.from_numpy(moments), brain.recipe.input))
    return looks, brain.target.wanted(torch.from_numpy(sounds))


@pytest.mark.parametrize("seen", INPUTS, ids=str)
@pytest.mark.parametrize("with_over", [False, True])
def test_lessons_are_the_same_wherever_they_are_kept(
    library, film, small, tmp_path, monkeypatch, seen, with_over
):
    brain, pairs = brain_and_pairs(library, small(), input=seen)
    kept, stored = kept_and_stored(brain, pairs, tmp_path, monkeypatch)
    random = np.random.default_rng(0)
    which = random.permutation(len(pairs))[:50]
    over = np.full(50, -1)
    if with_over:
        over = np.where(random.random(50) < 0.4, random.permutation(len(pairs))[:50], -1)
    for _ in range(2):  # what was given can be changed without changing what is kept
        mine, theirs = kept.load_batch(which, over), stored.load_batch(which, over)
        anew = made_anew(brain, pairs, which, over)
        for one, other, slow in zip(mine, theirs, anew, strict=True):
            assert torch.equal(one, other)
            # The order of a matrix product's sums may change with its size.
            torch.testing.assert_close(one, slow, rtol=1e-5, atol=1e-5)
        for part in (*mine, *theirs):
            part.zero_()
    assert torch.equal(kept.load_targets(which), stored.load_targets(which))


def test_a_colour_librarys_lessons_are_kept(tmp_path, add_film, small, monkeypatch):
    library = Library.create(tmp_path / "colour", 8000, colour=True)
    add_film(library, "film")
    for seen in (Pixels(colour=True, motion=True), Eigenframes(count=4, colour=True), Pixels()):
        brain, pairs = brain_and_pairs(library, small(), input=seen)
        every = np.arange(len(pairs))
        for lessons in kept_and_stored(brain, pairs, tmp_path, monkeypatch):
            anew = made_anew(brain, pairs, every, np.full(len(pairs), -1))
            for one, other in zip(lessons.load_batch(every), anew, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_steps_read_ahead_are_those_read_in_their_turn(library, film, small, tmp_path, monkeypatch):
    brain, pairs = brain_and_pairs(library, small(), input=Eigenframes(count=8))
    for lessons in kept_and_stored(brain, pairs, tmp_path, monkeypatch):
        steps = list(SequenceSampler(pairs.contiguous_runs(), 16, 4, 0.4, 0).iterate_epoch(0))
        given = [(step, *lessons.load_step(step)) for step in lessons.prefetch(iter(steps))]
        assert [step for step, *_ in given] == steps
        for step, *parts in given:
            assert all(map(torch.equal, parts, lessons.load_step(step)))
        some = lessons.prefetch(iter(steps))
        next(some)
        some.close()
        assert not lessons._prefetched


def test_a_disk_that_fails_ends_the_learning(library, film, small, tmp_path, monkeypatch):
    brain, pairs = brain_and_pairs(library, small())
    _, stored = kept_and_stored(brain, pairs, tmp_path, monkeypatch)
    stored._on_disk._file.truncate(0)
    with pytest.raises(TrainingError, match="are cut short"):
        for step in stored.prefetch(sequential_steps(pairs, 8)):
            stored.load_step(step)


def test_a_lesson_is_the_lighter_picture_and_both_sounds(library, film, small):
    brain, pairs = brain_and_pairs(library, small(), input=Pixels(history=1))
    which, over = np.array([3, 4, 5]), np.array([-1, 7, 4])
    looks, wanted = ExampleCache(pairs, brain, CPU).load_batch(which, over)
    moments, sounds = pairs.load(which)
    others = pairs.load(np.array([7, 4]))
    moments[1:] = np.maximum(moments[1:], others[0])
    sounds[1:] += others[1]
    assert torch.equal(looks, encode_frames(torch.from_numpy(moments), brain.recipe.input))
    assert torch.equal(wanted, brain.target.encode(torch.from_numpy(sounds)))


@pytest.mark.parametrize("seen", INPUTS, ids=str)
def test_what_is_kept_fits_in_what_was_promised(library, film, small, monkeypatch, seen):
    brain, pairs = brain_and_pairs(library, small(), input=seen, target=LogMag(window_length=128))
    lessons = ExampleCache(pairs, brain, CPU)
    kept = sum(part.nbytes for part in lessons._in_memory)
    assert kept == lessons._bytes_per_example() * len(pairs)
    for room, fits in ((kept, True), (kept - 1, False)):
        monkeypatch.setattr(MemoryBudget, "available_bytes", lambda *_, room=room: room)
        lessons = ExampleCache(pairs, brain, CPU)
        assert (lessons._in_memory is not None) == fits == (lessons._on_disk is None)


def test_no_pairs_are_no_lessons(library, film, small):
    brain, pairs = brain_and_pairs(library, small())
    assert len(ExampleCache(pairs.select(np.zeros(len(pairs), bool)), brain, CPU)) == 0
