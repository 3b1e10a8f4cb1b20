"""The brightness branch learns loudness, and has a share only where that helps."""

import numpy as np
import pytest
import torch

from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.frame_encoding import pixels
from frame2sound.brain.networks import get_brightness_branch
from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import RecipeError
from frame2sound.library.store import Library
from frame2sound.training.adamw import FusedAdamW
from frame2sound.training.branch_fitting import backpropagate
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
    "name": "brightness",
    "clock": {"sample_rate": RATE},
    "input": {"kind": "eigenframes", "count": 8},
    "network": {"kind": "mlp", "hidden": [16], "brightness_branch": 16},
    "target": {"kind": "log-mag", "window_length": 256},
    "training": {"held_out": 0.3, "block_seconds": 1, "guard_seconds": 0.2},
}


@pytest.mark.parametrize(("width", "levels", "rows"), [(16, 4, 256), (1, 1, 256), (33, 7, 5)])
def test_gradients_equal_those_of_pytorch(width, levels, rows):
    torch.manual_seed(0)
    network, inputs, targets = branch(width, levels), torch.randn(rows, 3), torch.rand(rows, levels)
    backpropagate(network[::2], inputs, targets)
    gradients = [parameter.grad for parameter in network.parameters()]
    network.zero_grad()
    torch.nn.functional.l1_loss(network(inputs), targets).backward()
    for one, other in zip(gradients, network.parameters(), strict=True):
        torch.testing.assert_close(one, other.grad, rtol=1e-5, atol=1e-7)
        assert one.any()


def branch(width, levels):
    linear, relu = torch.nn.Linear, torch.nn.ReLU
    layers = linear(3, width), relu(), linear(width, width), relu(), linear(width, levels)
    return torch.nn.Sequential(*layers)


def test_a_branch_needs_features_and_levels():
    for part in ({"target": {"kind": "pcm"}}, {"input": {"kind": "pixels"}}):
        with pytest.raises(RecipeError, match="branch needs input eigenframes of pictures and"):
            parse_recipe(RECIPE | part)


@pytest.fixture(scope="module")
def data(tmp_path_factory, add_film):
    """A film of noise whose loudness follows the brightness of the picture."""
    return film_of_squares(tmp_path_factory.mktemp("brightness"), add_film, follows=True)


@pytest.fixture(scope="module")
def unrelated(tmp_path_factory, add_film):
    """The same pictures, with a loudness of their own."""
    return film_of_squares(tmp_path_factory.mktemp("unrelated"), add_film, follows=False)


def film_of_squares(folder, add_film, follows):
    """Return the data of a film of squares of many sizes, whose loudness follows them or not."""
    rng = np.random.default_rng(3)
    side = np.repeat(rng.uniform(2, 60, 60), 6).astype(int)
    frames = np.zeros((len(side), 64, 64), np.uint8)
    for frame, width in zip(frames, side, strict=True):
        row, column = rng.integers(0, 64 - width, 2)
        frame[row : row + width, column : column + width] = 200
    seconds = len(side) // 30
    sizes = side if follows else np.random.default_rng(4).permutation(side)
    loud = (sizes / 60)[np.arange(seconds * RATE) * 30 // RATE] ** 2
    sound = 0.5 * loud * rng.uniform(-1, 1, len(loud))
    library = Library.create(folder / "library", RATE)
    add_film(library, "light", seconds, frames=frames, sound=sound)
    return TrainingData.from_library(library, parse_recipe(RECIPE), 0)


def outputs(brain, inputs):
    network = brain.network
    with torch.inference_mode():
        return network(network.extract_features(inputs)[None], network.initial_state(1))[0][0]


def train_branch(brain, data, held_out=None):
    parts = data.training, data.held_out if held_out is None else held_out
    return train_brightness_branch(brain, *(ExampleCache(pairs, brain, CPU) for pairs in parts), 0)


def test_a_branch_replaces_an_untrained_network(data):
    brain = data.make_untrained_brain(parse_recipe(RECIPE), 0)
    assert train_branch(brain, data) == 1.0
    frames, excerpts = data.held_out.load(np.arange(len(data.held_out)))
    targets = brain.target.encode(torch.from_numpy(excerpts))[:, brain.target.levels]
    predictions = outputs(brain, pixels(torch.from_numpy(frames[:, 0])))[:, brain.target.levels]
    correlation = np.corrcoef(predictions.numpy().ravel(), targets.numpy().ravel())[0, 1]
    # One window of four is of the frame before, which no picture predicts: 0.95 of the rest.
    assert correlation > 0.7


def test_where_brightness_explains_loudness_the_branch_is_used_beside_an_equal_network(data):
    """The network that holds the first branch is as good as the second."""
    brain = data.make_untrained_brain(parse_recipe(RECIPE), 0)
    assert train_branch(brain, data) == 1.0
    assert train_branch(brain, data) == 1.0


def test_where_it_does_not_an_equal_network_is_kept(unrelated):
    brain = unrelated.make_untrained_brain(parse_recipe(RECIPE), 0)
    train_branch(brain, unrelated)
    assert train_branch(brain, unrelated) == 0.0


def test_it_is_reproducible_and_leaves_the_generator_alone(data):
    first, again = (data.make_untrained_brain(parse_recipe(RECIPE), 0) for _ in range(2))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for brain in (first, again):
        train_branch(brain, data)
    torch.testing.assert_close(torch.rand(3), expected)
    for one, other in zip(first.network.parameters(), again.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_outputs_other_than_levels_do_not_change(data):
    brain = data.make_untrained_brain(parse_recipe(RECIPE), 0)
    inputs = torch.rand(5, 4096)
    before = outputs(brain, inputs)
    train_branch(brain, data)
    after = outputs(brain, inputs)
    others = np.setdiff1d(np.arange(before.shape[1]), brain.target.levels)
    # Sums of as many numbers and 16 zeros more, in single precision.
    torch.testing.assert_close(after[:, others], before[:, others], rtol=1e-5, atol=1e-5)
    assert (after - before)[:, brain.target.levels].abs().max() > 0.1


def test_without_held_out_pairs_the_share_is_zero(data):
    brain = data.make_untrained_brain(parse_recipe(RECIPE), 0)
    none = data.held_out.select(np.zeros(len(data.held_out), bool))
    inputs = torch.rand(5, 4096)
    before = outputs(brain, inputs)
    assert train_branch(brain, data, none) == 0.0
    torch.testing.assert_close(outputs(brain, inputs), before, rtol=1e-5, atol=1e-5)


def test_a_brain_file_contains_the_branch(data, tmp_path):
    brain = data.make_untrained_brain(parse_recipe(RECIPE), 0)
    train_branch(brain, data)
    save_brain(brain, tmp_path / "brain.safetensors")
    loaded = load_brain(tmp_path / "brain.safetensors")
    inputs = torch.rand(5, 4096)
    torch.testing.assert_close(outputs(loaded, inputs), outputs(brain, inputs), rtol=0, atol=0)


def test_a_brain_without_a_branch_is_refused(data):
    recipe = parse_recipe(RECIPE | {"network": {"kind": "mlp", "hidden": [16]}})
    brain = data.make_untrained_brain(recipe, 0)
    assert get_brightness_branch(brain.network) is None
    with pytest.raises(ValueError, match="no brightness branch"):
        train_branch(brain, data)


def test_shares_range_from_none_to_all():
    assert BRANCH_SHARES[0] == 0
    assert BRANCH_SHARES[-1] == 1
    assert 0 < MAX_ERROR_RATIO < 1


def test_a_branch_is_fitted_on_one_thread(data, monkeypatch):
    """Its operations are so small that threads would wait for each other."""
    before, counts, step = torch.get_num_threads(), [], FusedAdamW.step

    def counted_step(optimiser):
        counts.append(torch.get_num_threads())
        step(optimiser)

    monkeypatch.setattr(FusedAdamW, "step", counted_step)
    torch.set_num_threads(2)
    try:
        train_branch(data.make_untrained_brain(parse_recipe(RECIPE), 0), data)
        assert set(counts) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
