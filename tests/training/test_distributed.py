"""Two processes train to the weights of one, also when either of them dies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.recipe import parse_recipe
from frame2sound.library.store import Library
from frame2sound.training import optimiser
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.distributed import RANK_VARIABLES, ProcessGroup
from frame2sound.training.loop import train
from frame2sound.training.samplers import StepIndices
from tests.training.interrupting import assert_same, weights

ROOT = Path(__file__).resolve().parents[2]
FEATURES = {"kind": "eigenframes", "count": 8}
LOG_MAG = {"target": {"kind": "log-mag", "window_length": 128}}
RNN = {"kind": "rnn", "hidden": [8], "memory": [6]}
RECIPES = {
    "plain": {},
    "brightness": LOG_MAG | {"network": {"kind": "mlp", "hidden": [8], "brightness_branch": 4}},
    "coupled": {"training": {"loss": "multi-resolution"}},
    "layers": {"network": {"kind": "mlp", "hidden": [8, 8]}, "training": {"pretraining": 1}},
    "feedback_units": {"network": RNN | {"cell": "lstm", "feedback_units": 3}},
    "tcn": {"network": {"kind": "tcn", "hidden": [8], "channels": 4, "layers": 2}},
    "random": {"network": {"kind": "mlp", "hidden": [8], "dropout": 0.3}},
    "feedback-random": {"network": RNN | {"dropout": 0.3, "feedback_units": 3}},
    "disk": {"network": RNN},
    "uneven": {"training": {"batch": 13}},
    "uneven-feedback": {
        "network": RNN | {"feedback_units": 3},
        "training": {"batch": 15, "chunk": 5},
    },
    "uneven-random": {
        "network": {"kind": "tcn", "hidden": [8], "channels": 4, "layers": 2, "dropout": 0.3},
        "training": {"batch": 13},
    },
    "one-row": {"network": RNN, "training": {"batch": 4}},
}
KILLS = {"random": [0, 1, 9, 1e9], "feedback-random": [1, 0, 5, 0.0]}
"""Attempt, process, step and seconds between checkpoints. The second process dies; the first, which
has saved nothing yet, does so before it ends, too. Then the first dies, after a saved step."""

SHORT = {"epochs": 2, "batch": 16, "chunk": 4, "noise": 0.1, "overlay": 0.4,
         "block_seconds": 1.0, "guard_seconds": 0.1}  # fmt: skip


def table(name):
    parts = {"network": {"kind": "mlp", "hidden": [8]}} | RECIPES[name]
    parts["training"] = SHORT | parts.get("training", {})
    return {"name": name, "clock": {"sample_rate": 8000}, "input": FEATURES} | parts


def train_in_two_processes(library, out, jobs):
    command = [sys.executable, str(ROOT / "tests/training/train_processes.py")]
    command += [str(library.path), str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    completed = subprocess.run(
        [*command, json.dumps(jobs)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert completed.returncode == 0, completed.stderr


@pytest.fixture(scope="module")
def library(tmp_path_factory, add_film):
    library = Library.create(tmp_path_factory.mktemp("distributed") / "library", 8000)
    add_film(library, "film", seconds=6)
    return library


@pytest.fixture(scope="module")
def trained(library, tmp_path_factory):
    """Return a folder of what two processes trained: those that die come first."""
    out = tmp_path_factory.mktemp("two")
    for folder in ("killed", "whole"):
        (out / folder).mkdir()
    killed = [[table(name), kill] for name, kill in KILLS.items()]
    train_in_two_processes(library, out, killed + [[table(name), None] for name in RECIPES])
    return out


@pytest.fixture(scope="module")
def two_process_brains(trained):
    """Return a folder of brains that two processes trained to the end."""
    return trained / "whole"


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_reach_the_weights_of_one(
    library, two_process_brains, tmp_path, monkeypatch, name
):
    """In full precision, noise and dropout included."""
    monkeypatch.setattr(optimiser, "has_matrix_units", lambda: False)
    out = tmp_path / f"{name}.safetensors"
    single = train(library, parse_recipe(table(name)), out, device="cpu")
    brain = load_brain(two_process_brains / out.name)
    for mine, yours in zip(weights(brain), weights(single), strict=True):
        # Sums of single precision in another order, over 30 steps.
        np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-5)
    for key in ("loss", "held_out_loss"):
        assert brain.provenance[key] == pytest.approx(single.provenance[key], rel=1e-4)


def test_only_brains_remain(two_process_brains):
    assert {path.name for path in two_process_brains.iterdir()} == {
        f"{name}.safetensors" for name in RECIPES
    }


def test_training_survives_the_death_of_either_process(trained, two_process_brains):
    for name in KILLS:
        out = f"{name}.safetensors"
        assert_same(load_brain(trained / "killed" / out), load_brain(two_process_brains / out))
        assert not checkpoint_path(trained / "killed" / out).exists()
    first_steps = [int(step) for step in (trained / "first_steps.txt").read_text().split()]
    assert first_steps[0] == 0
    assert first_steps[1] in (8, 9)  # a step that was not completed is repeated


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_shards_make_the_whole(size):
    step = StepIndices(
        np.arange(12).reshape(6, 2), np.arange(12).reshape(6, 2) - 1, np.arange(6) > 2
    )
    groups = [ProcessGroup(rank, size) for rank in range(size)]
    shards = [group.shard_step(step) for group in groups]
    for part in ("indices", "overlay_indices", "starts"):
        whole = np.concatenate([getattr(shard, part) for shard in shards])
        assert (whole == getattr(step, part)).all()
    counts = [len(shard.indices) for shard in shards]
    assert max(counts) - min(counts) == (6 % size > 0)
    drawn = []
    for group, shard in zip(groups, shards, strict=True):
        torch.manual_seed(0)
        drawn.append(group.draw_shard(torch.rand, torch.from_numpy(shard.indices), 6))
    torch.manual_seed(0)
    assert torch.equal(torch.cat(drawn), torch.rand(6, 2))


def test_a_process_without_rows_takes_the_last():
    step = StepIndices(np.arange(4).reshape(2, 2), np.full((2, 2), -1), np.array([True, False]))
    shards = [ProcessGroup(rank, 5).shard_step(step).indices.tolist() for rank in range(5)]
    assert shards == [[[0, 1]], *[[[2, 3]]] * 4]


def test_the_environment_describes_the_group(monkeypatch):
    for name in RANK_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert ProcessGroup.from_environment() == ProcessGroup()
    for name, value in zip(RANK_VARIABLES, "352", strict=True):
        monkeypatch.setenv(name, value)
    assert ProcessGroup.from_environment() == ProcessGroup(3, 5, 2)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert ProcessGroup.from_environment() == ProcessGroup(3, 5, 2, restart_count=1)
    assert not ProcessGroup.from_environment().is_main
    assert ProcessGroup.from_environment().device_name("cuda") == "cuda:2"
    assert ProcessGroup.from_environment().device_name("cpu") == "cpu"
    assert ProcessGroup().device_name("auto") == "auto"
