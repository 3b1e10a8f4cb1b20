"""A checkpoint restores a training exactly, or an error says why it cannot."""

import json
import math

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from frame2sound.brain.config import TrainingConfig
from frame2sound.errors import TrainingError
from frame2sound.training.checkpoint import (
    METADATA_KEY,
    TrainingState,
    checkpoint_path,
    load_checkpoint,
    refuse_overwriting,
    save_checkpoint,
)
from frame2sound.training.optimiser import build_optimiser


def trained(optimiser, steps=2, seed=0):
    """A network some steps into its training."""
    torch.manual_seed(seed)
    network = torch.nn.Linear(5, 3)
    other_optimiser = build_optimiser(network, TrainingConfig(optimiser=optimiser))
    for _ in range(steps):
        other_optimiser.zero_grad()
        network(torch.ones(2, 5)).square().sum().backward()
        other_optimiser.step()
    return network, other_optimiser


STATE = TrainingState("mine", 3, 7, 0.1 + 0.2, 2, 12.5, math.pi, [(0.5, None), (1 / 3, 0.25)])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "brain.checkpoint.safetensors"
    network, optimiser = trained("adamw")
    save_checkpoint(path, STATE, network, optimiser, {"weight": torch.ones(3, 5)}, ())
    return path


def test_the_checkpoint_is_beside_the_brain(tmp_path):
    out = tmp_path / "mine.safetensors"
    assert checkpoint_path(out) == tmp_path / "mine.checkpoint.safetensors"


@pytest.mark.parametrize("kind", ["adamw", "nag"])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_everything_is_restored_to_the_bit(tmp_path, kind, steps):
    network, optimiser = trained(kind, steps)
    best = {"weight": torch.rand(3, 5)}
    memory = tuple(torch.rand(2, number) for number in range(1, 13))
    save_checkpoint(tmp_path / "x.safetensors", STATE, network, optimiser, best, memory)
    again, other_optimiser = trained(kind, 0, seed=1)
    training_state, best_weights, recurrent_state = load_checkpoint(
        tmp_path / "x.safetensors", TrainingState("mine"), again, other_optimiser
    )
    assert training_state == STATE
    assert torch.equal(best_weights["weight"], best["weight"])
    assert all(map(torch.equal, recurrent_state, memory))
    assert len(recurrent_state) == len(memory)
    assert torch.equal(again.weight, network.weight)
    for one, other in ((network, optimiser), (again, other_optimiser)):
        other.zero_grad()
        one(torch.ones(2, 5)).sum().backward()
        other.step()
    assert torch.equal(again.weight, network.weight)


def test_a_state_without_a_best_epoch_is_restored(tmp_path):
    network, optimiser = trained("adamw", 0)
    save_checkpoint(tmp_path / "x.safetensors", TrainingState("mine"), network, optimiser, {}, ())
    training_state, best, memory = load_checkpoint(
        tmp_path / "x.safetensors", TrainingState("mine"), network, optimiser
    )
    assert training_state == TrainingState("mine", best_loss=math.inf)
    assert best == {}
    assert memory == ()


def test_a_checkpoint_of_another_training_is_refused(path):
    with pytest.raises(
        TrainingError, match=r"or seed; use .* begin anew: leave out `resume` and give `o"
    ):
        load_checkpoint(path, TrainingState("other"), *trained("adamw"))


@pytest.mark.parametrize(
    ("settings", "differences"),
    [
        ({"rate": "2", "seed": "0"}, "(rate was 1, is 2)"),
        ({"seed": "1"}, "(rate was 1, is not there; seed was 0, is 1)"),
        ({"rate": "1", "seed": "0", "film a": "ab"}, "(film a was not there, is ab)"),
        (dict.fromkeys("abcd", "3"), "a was not there, is 3; b was not there, is 3; and 2 more)"),
    ],
)
def test_an_error_names_the_settings_that_differ(tmp_path, settings, differences):
    path, saved = tmp_path / "x.safetensors", {"rate": "1", "seed": "0"}
    save_checkpoint(path, TrainingState("mine", settings=saved), *trained("adamw"), {}, ())
    with pytest.raises(TrainingError) as raised:
        load_checkpoint(path, TrainingState("other", settings=settings), *trained("adamw"))
    assert f"{differences}; use those it was begun with" in str(raised.value)


@pytest.mark.parametrize("keep", [0, 8, 100, 0.5, -1])
def test_a_truncated_checkpoint_is_refused(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(TrainingError, match="is not readable as a checkpoint; begin anew: leave"):
        load_checkpoint(path, TrainingState("mine"), *trained("adamw"))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"x"', "{}", '{"curve": [1]}', None])
def test_invalid_metadata_is_refused(path, text):
    save_file(load_file(path), path, None if text is None else {METADATA_KEY: text})
    with pytest.raises(TrainingError, match="is not readable as a checkpoint; begin anew: leave"):
        load_checkpoint(path, TrainingState("mine"), *trained("adamw"))


@pytest.mark.parametrize("name", ["network.weight", "network.bias"])
def test_a_checkpoint_without_a_tensor_is_refused(path, name):
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file({k: v for k, v in load_file(path).items() if k != name}, path, metadata)
    with pytest.raises(TrainingError, match="lacks a part of its state; begin anew: leave"):
        load_checkpoint(path, TrainingState("mine"), *trained("adamw"))


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="is not readable as a checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors", TrainingState("mine"), *trained("adamw"))


def test_the_metadata_is_json(path):
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()[METADATA_KEY])["epoch"] == 3


def test_resuming_and_overwriting_exclude_each_other(path, tmp_path):
    """With both, a checkpoint of another training would be refused for ever."""
    with pytest.raises(
        TrainingError, match=r"^got `resume` and `overwrite`, expected one of them$"
    ):
        refuse_overwriting(tmp_path / "brain.safetensors", resume=True, overwrite=True)
    assert path.exists()
    refuse_overwriting(tmp_path / "brain.safetensors", resume=False, overwrite=True)
    assert not path.exists()
