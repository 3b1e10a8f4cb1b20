"""Cached examples, in memory or on disk, equal newly computed ones."""

import msgspec
import numpy as np
import pytest
import torch

from frame2sound.brain.config import Eigenframes, Fft2, LogMag, Pixels
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.errors import TrainingError
from frame2sound.library.store import Library
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.samplers import SequenceSampler, sequential_steps
from frame2sound.training.training_data import TrainingData

CPU = torch.device("cpu")
AMPLE_BYTES = 2**40  # also for a process that has run all other tests
INPUTS = [
    Pixels(),
    Pixels(history=2, motion=True),
    Eigenframes(count=8),
    Eigenframes(count=8, history=1, motion=True, profiles=False),
    Fft2(motion=True),
]


def brain_and_pairs(library, recipe, **parts):
    recipe = msgspec.structs.replace(recipe, **parts)
    data = TrainingData.from_library(library, recipe, 0)
    return data.make_untrained_brain(recipe, 0), data.training


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


def memory_and_disk_caches(brain, pairs, folder, monkeypatch, **options):
    in_memory = ExampleCache(pairs, brain, CPU, MemoryBudget(AMPLE_BYTES), **options)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryBudget, "available_bytes", lambda budget, network, device: 0)
        on_disk = ExampleCache(pairs, brain, CPU, MemoryBudget(cache_folder=folder), **options)
    assert in_memory._examples.on_disk is None
    assert on_disk._examples.in_memory is None
    return in_memory, on_disk


def compute(brain, pairs, indices, overlay):
    frames, sounds = pairs.load(indices)
    mixed = overlay >= 0
    others = pairs.load(overlay[mixed])
    frames[mixed] = np.maximum(frames[mixed], others[0])
    sounds[mixed] += others[1]
    features = brain.network.extract_features(
        encode_frames(torch.from_numpy(frames), brain.recipe.input)
    )
    return features, brain.target.encode(torch.from_numpy(sounds))


@pytest.mark.parametrize("config", INPUTS, ids=str)
@pytest.mark.parametrize("with_overlay", [False, True])
def test_examples_are_equal_wherever_they_are_cached(
    library, film, small, tmp_path, monkeypatch, config, with_overlay
):
    brain, pairs = brain_and_pairs(library, small(), input=config)
    in_memory, on_disk = memory_and_disk_caches(brain, pairs, tmp_path, monkeypatch)
    random = np.random.default_rng(0)
    indices = random.permutation(len(pairs))[:50]
    overlay = np.full(50, -1)
    if with_overlay:
        overlay = np.where(random.random(50) < 0.4, random.permutation(len(pairs))[:50], -1)
    for _ in range(2):  # changing a batch does not change the cache
        first, second = in_memory.load_batch(indices, overlay), on_disk.load_batch(indices, overlay)
        computed = compute(brain, pairs, indices, overlay)
        for one, other, slow in zip(first, second, computed, strict=True):
            assert torch.equal(one, other)
            # The order of a matrix product's sums may change with its size.
            torch.testing.assert_close(one, slow, rtol=1e-5, atol=1e-5)
        for part in (*first, *second):
            part.zero_()
    assert torch.equal(in_memory.load_targets(indices), on_disk.load_targets(indices))


@pytest.mark.parametrize("config", INPUTS, ids=str)
def test_kept_mixtures_are_encoded_once(library, film, small, tmp_path, monkeypatch, config):
    brain, pairs = brain_and_pairs(library, small(), input=config)
    caches = memory_and_disk_caches(brain, pairs, tmp_path, monkeypatch, keeps_overlays=True)
    random = np.random.default_rng(0)
    for _ in range(2):
        kept = random.permutation(len(pairs))
        for cache in caches:
            cache.keep_overlays(kept)
        indices = random.permutation(len(pairs))[:50]
        overlay = np.where(random.random(50) < 0.4, kept[indices], -1)
        with monkeypatch.context() as patch:
            patch.setattr(ExampleCache, "_encode", None)
            for cache in caches:
                cache.keep_overlays(kept)
            first, second = (cache.load_batch(indices, overlay) for cache in caches)
        for one, other, slow in zip(
            first, second, compute(brain, pairs, indices, overlay), strict=True
        ):
            assert torch.equal(one, other)
            torch.testing.assert_close(one, slow, rtol=1e-5, atol=1e-5)
        others = np.roll(kept, 1)[indices]  # which are not kept
        for one, slow in zip(
            caches[0].load_batch(indices, others),
            compute(brain, pairs, indices, others),
            strict=True,
        ):
            torch.testing.assert_close(one, slow, rtol=1e-5, atol=1e-5)


def test_mixtures_are_in_memory_only_if_they_fit_beside_the_examples(
    library, film, small, monkeypatch
):
    brain, pairs = brain_and_pairs(library, small())
    needed = ExampleCache(pairs, brain, CPU)._bytes_per_example() * len(pairs)
    for available, fits in ((2 * needed, True), (2 * needed - 1, False)):
        monkeypatch.setattr(
            MemoryBudget, "available_bytes", lambda *_, available=available: available
        )
        cache = ExampleCache(pairs, brain, CPU, keeps_overlays=True)
        assert cache._examples.on_disk is None
        assert (cache._mixtures.on_disk is None) == fits


def test_a_colour_library_is_cached(tmp_path, add_film, small, monkeypatch):
    library = Library.create(tmp_path / "colour", 8000, colour=True)
    add_film(library, "film")
    for config in (Pixels(colour=True, motion=True), Eigenframes(count=4, colour=True), Pixels()):
        brain, pairs = brain_and_pairs(library, small(), input=config)
        every = np.arange(len(pairs))
        for cache in memory_and_disk_caches(brain, pairs, tmp_path, monkeypatch):
            computed = compute(brain, pairs, every, np.full(len(pairs), -1))
            for one, other in zip(cache.load_batch(every), computed, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_prefetched_steps_equal_loaded_steps(library, film, small, tmp_path, monkeypatch):
    brain, pairs = brain_and_pairs(library, small(), input=Eigenframes(count=8))
    for cache in memory_and_disk_caches(brain, pairs, tmp_path, monkeypatch):
        steps = list(SequenceSampler(pairs.contiguous_runs(), 16, 16, 4, 0.4, 0).iterate_epoch(0))
        given = [(step, *cache.load_step(step)) for step in cache.prefetch(iter(steps))]
        assert [step for step, *_ in given] == steps
        for step, *parts in given:
            assert all(map(torch.equal, parts, cache.load_step(step)))
        some = cache.prefetch(iter(steps))
        next(some)
        some.close()
        assert not cache._prefetched


def test_a_failing_disk_ends_training(library, film, small, tmp_path, monkeypatch):
    brain, pairs = brain_and_pairs(library, small())
    _, on_disk = memory_and_disk_caches(brain, pairs, tmp_path, monkeypatch)
    on_disk._examples.on_disk._file.truncate(0)
    with pytest.raises(TrainingError, match="is incomplete"):
        for step in on_disk.prefetch(sequential_steps(pairs, 8)):
            on_disk.load_step(step)


def test_an_overlay_takes_the_lighter_pixels_and_adds_the_sounds(library, film, small):
    brain, pairs = brain_and_pairs(library, small(), input=Pixels(history=1))
    indices, overlay = np.array([3, 4, 5]), np.array([-1, 7, 4])
    features, targets = ExampleCache(pairs, brain, CPU).load_batch(indices, overlay)
    frames, sounds = pairs.load(indices)
    others = pairs.load(np.array([7, 4]))
    frames[1:] = np.maximum(frames[1:], others[0])
    sounds[1:] += others[1]
    assert torch.equal(features, encode_frames(torch.from_numpy(frames), brain.recipe.input))
    assert torch.equal(targets, brain.target.encode(torch.from_numpy(sounds)))


@pytest.mark.parametrize("config", INPUTS, ids=str)
def test_the_cache_takes_as_many_bytes_as_computed(library, film, small, monkeypatch, config):
    brain, pairs = brain_and_pairs(library, small(), input=config, target=LogMag(window_length=128))
    cache = ExampleCache(pairs, brain, CPU)
    in_memory = sum(part.nbytes for part in cache._examples.in_memory)
    assert in_memory == cache._bytes_per_example() * len(pairs)
    for available, fits in ((in_memory, True), (in_memory - 1, False)):
        monkeypatch.setattr(
            MemoryBudget, "available_bytes", lambda *_, available=available: available
        )
        cache = ExampleCache(pairs, brain, CPU)
        assert (cache._examples.in_memory is not None) == fits == (cache._examples.on_disk is None)


def test_a_cache_of_no_pairs_is_empty(library, film, small):
    brain, pairs = brain_and_pairs(library, small())
    assert len(ExampleCache(pairs.select(np.zeros(len(pairs), bool)), brain, CPU)) == 0
