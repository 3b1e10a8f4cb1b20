"""Checkpoints bring a training back as it stood, or say why they cannot."""

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
    save_checkpoint,
)
from frame2sound.training.optimiser import build_optimiser


def state(optimiser, steps=2, seed=0):
    """A network some steps into its training."""
    torch.manual_seed(seed)
    network = torch.nn.Linear(5, 3)
    moved = build_optimiser(network, TrainingConfig(optimiser=optimiser))
    for _ in range(steps):
        moved.zero_grad()
        network(torch.ones(2, 5)).square().sum().backward()
        moved.step()
    return network, moved


COURSE = TrainingState("mine", 3, 7, 0.1 + 0.2, 2, 12.5, math.pi, [(0.5, None), (1 / 3, 0.25)])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "brain.checkpoint.safetensors"
    network, optimiser = state("adamw")
    save_checkpoint(path, COURSE, network, optimiser, {"weight": torch.ones(3, 5)}, ())
    return path


def test_it_lies_beside_the_brain(tmp_path):
    out = tmp_path / "mine.safetensors"
    assert checkpoint_path(out) == tmp_path / "mine.checkpoint.safetensors"


@pytest.mark.parametrize("kind", ["adamw", "nag"])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_everything_comes_back_bit_for_bit(tmp_path, kind, steps):
    network, optimiser = state(kind, steps)
    best = {"weight": torch.rand(3, 5)}
    memory = tuple(torch.rand(2, number) for number in range(1, 13))
    save_checkpoint(tmp_path / "x.safetensors", COURSE, network, optimiser, best, memory)
    again, moved = state(kind, 0, seed=1)
    course, kept, remembered = load_checkpoint(
        tmp_path / "x.safetensors", TrainingState("mine"), again, moved
    )
    assert course == COURSE
    assert torch.equal(kept["weight"], best["weight"])
    assert all(map(torch.equal, remembered, memory))
    assert len(remembered) == len(memory)
    assert torch.equal(again.weight, network.weight)
    for one, other in ((network, optimiser), (again, moved)):
        other.zero_grad()
        one(torch.ones(2, 5)).sum().backward()
        other.step()
    assert torch.equal(again.weight, network.weight)


def test_a_course_that_has_no_best_yet_comes_back(tmp_path):
    network, optimiser = state("adamw", 0)
    save_checkpoint(tmp_path / "x.safetensors", TrainingState("mine"), network, optimiser, {}, ())
    course, best, memory = load_checkpoint(
        tmp_path / "x.safetensors", TrainingState("mine"), network, optimiser
    )
    assert course == TrainingState("mine", best_loss=math.inf)
    assert best == {}
    assert memory == ()


def test_that_of_another_training_is_refused(path):
    with pytest.raises(TrainingError, match="belongs to another recipe, library or seed; use"):
        load_checkpoint(path, TrainingState("other"), *state("adamw"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rate": "2", "seed": "0"}, "(rate was 1, is 2)"),
        ({"seed": "1"}, "(rate was 1, is not there; seed was 0, is 1)"),
        ({"rate": "1", "seed": "0", "film a": "ab"}, "(film a was not there, is ab)"),
        (dict.fromkeys("abcd", "3"), "a was not there, is 3; b was not there, is 3; and 2 more)"),
    ],
)
def test_what_differs_is_named(tmp_path, settings, said):
    path, was = tmp_path / "x.safetensors", {"rate": "1", "seed": "0"}
    save_checkpoint(path, TrainingState("mine", settings=was), *state("adamw"), {}, ())
    with pytest.raises(TrainingError) as raised:
        load_checkpoint(path, TrainingState("other", settings=settings), *state("adamw"))
    assert f"{said}; use those it was begun with" in str(raised.value)


@pytest.mark.parametrize("keep", [0, 8, 100, 0.5, -1])
def test_one_that_is_cut_short_is_refused(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(TrainingError, match="is not readable as a checkpoint; train anew"):
        load_checkpoint(path, TrainingState("mine"), *state("adamw"))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"x"', "{}", '{"curve": [1]}', None])
def test_one_of_garbage_is_refused(path, text):
    save_file(load_file(path), path, None if text is None else {METADATA_KEY: text})
    with pytest.raises(TrainingError, match="is not readable as a checkpoint; train anew"):
        load_checkpoint(path, TrainingState("mine"), *state("adamw"))


@pytest.mark.parametrize("name", ["network.weight", "network.bias"])
def test_one_that_lacks_a_part_is_refused(path, name):
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file({k: v for k, v in load_file(path).items() if k != name}, path, metadata)
    with pytest.raises(TrainingError, match="lacks a part of its state; train anew"):
        load_checkpoint(path, TrainingState("mine"), *state("adamw"))


def test_one_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="is not readable as a checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors", TrainingState("mine"), *state("adamw"))


def test_its_course_is_json(path):
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()[METADATA_KEY])["epoch"] == 3
