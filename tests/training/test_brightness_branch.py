"""The glance: learns how loud light is, has a say only where that helps, and is kept."""

import numpy as np
import pytest
import torch

from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.features import pixels
from frame2sound.brain.networks import get_brightness_branch
from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import RecipeError
from frame2sound.library.store import Library
from frame2sound.training.brightness_branch import (
    BRANCH_SHARES,
    MAX_ERROR_RATIO,
    train_brightness_branch,
)
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.training_data import TrainingData

CPU = torch.device("cpu")
RATE = 8000
RECIPE = {
    "name": "glancing",
    "clock": {"sample_rate": RATE},
    "input": {"kind": "eigenframes", "count": 8},
    "network": {"kind": "mlp", "hidden": [16], "brightness_branch": 16},
    "target": {"kind": "log-mag", "window_length": 256},
    "training": {"held_out": 0.3, "block_seconds": 1, "guard_seconds": 0.2},
}


def test_a_glance_needs_levels():
    for part in ({"target": {"kind": "pcm"}}, {"input": {"kind": "pixels"}}):
        with pytest.raises(RecipeError, match="glance needs input eigenframes of pictures and"):
            parse_recipe(RECIPE | part)


@pytest.fixture(scope="module")
def material(tmp_path_factory, add_film):
    """A film of noise as loud as the picture is light, wherever the light is."""
    rng = np.random.default_rng(3)
    side = np.repeat(rng.uniform(2, 60, 60), 6).astype(int)
    frames = np.zeros((len(side), 64, 64), np.uint8)
    for frame, width in zip(frames, side, strict=True):
        row, column = rng.integers(0, 64 - width, 2)
        frame[row : row + width, column : column + width] = 200
    seconds = len(side) // 30
    loud = (side / 60)[np.arange(seconds * RATE) * 30 // RATE] ** 2
    sound = 0.5 * loud * rng.uniform(-1, 1, len(loud))
    library = Library.create(tmp_path_factory.mktemp("glance") / "library", RATE)
    add_film(library, "light", seconds, frames=frames, sound=sound)
    return TrainingData.from_library(library, parse_recipe(RECIPE), 0)


def outputs(brain, seen):
    network = brain.network
    with torch.inference_mode():
        return network(network.look(seen)[None], network.fresh(1))[0][0]


def taught(brain, material, held_out=None):
    parts = material.learned, material.held_out if held_out is None else held_out
    return train_brightness_branch(brain, *(ExampleCache(pairs, brain, CPU) for pairs in parts), 0)


def test_what_tells_more_than_an_untrained_network_is_heard_alone(material):
    brain = material.make_untrained_brain(parse_recipe(RECIPE), 0)
    assert taught(brain, material) == 1.0
    frames, excerpts = material.held_out.take(np.arange(len(material.held_out)))
    wanted = brain.target.wanted(torch.from_numpy(excerpts))[:, brain.target.levels]
    given = outputs(brain, pixels(torch.from_numpy(frames[:, 0])))[:, brain.target.levels]
    likeness = np.corrcoef(given.numpy().ravel(), wanted.numpy().ravel())[0, 1]
    # One window of four is of the frame before, which no picture tells: 0.95 of the rest.
    assert likeness > 0.7


def test_it_is_the_same_each_time_and_leaves_chance_alone(material):
    first, again = (material.make_untrained_brain(parse_recipe(RECIPE), 0) for _ in range(2))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for brain in (first, again):
        taught(brain, material)
    torch.testing.assert_close(torch.rand(3), expected)
    for one, other in zip(first.network.parameters(), again.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_other_numbers_than_levels_stay_as_they_are(material):
    brain = material.make_untrained_brain(parse_recipe(RECIPE), 0)
    seen = torch.rand(5, 4096)
    before = outputs(brain, seen)
    taught(brain, material)
    after = outputs(brain, seen)
    others = np.setdiff1d(np.arange(before.shape[1]), brain.target.levels)
    # Sums of as many numbers and 16 zeros more, in single precision.
    torch.testing.assert_close(after[:, others], before[:, others], rtol=1e-5, atol=1e-5)
    assert (after - before)[:, brain.target.levels].abs().max() > 0.1


def test_without_anything_held_out_it_has_no_say(material):
    brain = material.make_untrained_brain(parse_recipe(RECIPE), 0)
    nothing = material.held_out.only(np.zeros(len(material.held_out), bool))
    seen = torch.rand(5, 4096)
    before = outputs(brain, seen)
    assert taught(brain, material, nothing) == 0.0
    torch.testing.assert_close(outputs(brain, seen), before, rtol=1e-5, atol=1e-5)


def test_a_file_keeps_the_glance(material, tmp_path):
    brain = material.make_untrained_brain(parse_recipe(RECIPE), 0)
    taught(brain, material)
    save_brain(brain, tmp_path / "brain.safetensors")
    loaded = load_brain(tmp_path / "brain.safetensors")
    seen = torch.rand(5, 4096)
    torch.testing.assert_close(outputs(loaded, seen), outputs(brain, seen), rtol=0, atol=0)


def test_a_brain_without_one_is_refused(material):
    recipe = parse_recipe(RECIPE | {"network": {"kind": "mlp", "hidden": [16]}})
    brain = material.make_untrained_brain(recipe, 0)
    assert get_brightness_branch(brain.network) is None
    with pytest.raises(ValueError, match="no glance"):
        taught(brain, material)


def test_shares_are_of_nothing_to_all():
    assert BRANCH_SHARES[0] == 0
    assert BRANCH_SHARES[-1] == 1
    assert 0 < MAX_ERROR_RATIO < 1
