"""Two processes learn what one would have, and what they have learned outlives either of them."""

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
EYES = {"kind": "eigenframes", "count": 8}
LOG_MAG = {"target": {"kind": "log-mag", "window_length": 128}}
RNN = {"kind": "rnn", "hidden": [8], "memory": [6]}
RECIPES = {
    "plain": {},
    "glance": LOG_MAG | {"network": {"kind": "mlp", "hidden": [8], "brightness_branch": 4}},
    "coupled": {"training": {"loss": "multi-resolution"}},
    "layers": {"network": {"kind": "mlp", "hidden": [8, 8]}, "training": {"pretraining": 1}},
    "feedback_units": {"network": RNN | {"cell": "lstm", "feedback_units": 3}},
    "tcn": {"network": {"kind": "tcn", "hidden": [8], "channels": 4, "layers": 2}},
    "lively": {"network": {"kind": "mlp", "hidden": [8], "dropout": 0.3}},
    "hears-lively": {"network": RNN | {"dropout": 0.3, "feedback_units": 3}},
    "disk": {"network": RNN},
    "uneven": {"training": {"batch": 13}},
    "uneven-hears": {"network": RNN | {"feedback_units": 3}, "training": {"batch": 15, "chunk": 5}},
    "uneven-lively": {
        "network": {"kind": "tcn", "hidden": [8], "channels": 4, "layers": 2, "dropout": 0.3},
        "training": {"batch": 13},
    },
    "one-row": {"network": RNN, "training": {"batch": 4}},
}
SHORT = {"epochs": 2, "batch": 16, "chunk": 4, "noise": 0.1, "overlay": 0.4,
         "block_seconds": 1.0, "guard_seconds": 0.1}  # fmt: skip


def table(name):
    parts = {"network": {"kind": "mlp", "hidden": [8]}} | RECIPES[name]
    parts["training"] = SHORT | parts.get("training", {})
    return {"name": name, "clock": {"sample_rate": 8000}, "input": EYES} | parts


def torchrun(library, out, asked, restarts=0):
    """Train in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--max-restarts", str(restarts), "--monitor-interval=0.1"]
    command += [str(ROOT / "tests/training/several.py"), str(library.path), str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [*command, json.dumps(asked)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def library(tmp_path_factory, add_film):
    library = Library.create(tmp_path_factory.mktemp("together") / "library", 8000)
    add_film(library, "film", seconds=12)
    return library


@pytest.fixture(scope="module")
def by_two(library, tmp_path_factory):
    """A folder of brains that two processes have trained."""
    out = tmp_path_factory.mktemp("by-two")
    torchrun(library, out, [[table(name), None] for name in RECIPES])
    return out


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_reach_the_weights_of_one(library, by_two, tmp_path, monkeypatch, name):
    """In full precision, noise and dropout included."""
    monkeypatch.setattr(optimiser, "has_matrix_units", lambda: False)
    out = tmp_path / f"{name}.safetensors"
    by_one = train(library, parse_recipe(table(name)), out, device="cpu")
    brain = load_brain(by_two / out.name)
    for mine, yours in zip(weights(brain), weights(by_one), strict=True):
        # Sums of single precision in another order, over 60 steps.
        np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-5)
    for key in ("loss", "held_out_loss"):
        assert brain.provenance[key] == pytest.approx(by_one.provenance[key], rel=1e-4)


def test_only_brains_are_left(by_two):
    assert {path.name for path in by_two.iterdir()} == {f"{name}.safetensors" for name in RECIPES}


def test_a_training_outlives_any_of_its_processes(library, by_two, tmp_path):
    # The second dies; the first, which has saved nothing yet, does so before it ends, too. Then the
    # first dies, after a step that it has saved.
    deaths = {"lively": [0, 1, 9, 1e9], "hears-lively": [1, 0, 5, 0.0]}
    asked = [[table(name), death] for name, death in deaths.items()]
    torchrun(library, tmp_path, asked, restarts=2)
    for name in deaths:
        out = f"{name}.safetensors"
        assert_same(load_brain(tmp_path / out), load_brain(by_two / out))
        assert not checkpoint_path(tmp_path / out).exists()
    begun = [int(step) for step in (tmp_path / "begun.txt").read_text().split()]
    assert begun[0] == 0
    assert begun[1] in (8, 9)  # what was not brought together is learned again


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_shares_make_the_whole(size):
    step = StepIndices(
        np.arange(12).reshape(6, 2), np.arange(12).reshape(6, 2) - 1, np.arange(6) > 2
    )
    groups = [ProcessGroup(rank, size) for rank in range(size)]
    shares = [group.shard_step(step) for group in groups]
    for part in ("which", "over", "begins"):
        whole = np.concatenate([getattr(share, part) for share in shares])
        assert (whole == getattr(step, part)).all()
    counts = [len(share.indices) for share in shares]
    assert max(counts) - min(counts) == (6 % size > 0)
    drawn = []
    for group, share in zip(groups, shares, strict=True):
        torch.manual_seed(0)
        drawn.append(group.draw_shard(torch.rand, torch.from_numpy(share.indices), 6))
    torch.manual_seed(0)
    assert torch.equal(torch.cat(drawn), torch.rand(6, 2))


def test_one_that_has_no_row_sees_the_last():
    step = StepIndices(np.arange(4).reshape(2, 2), np.full((2, 2), -1), np.array([True, False]))
    shares = [ProcessGroup(rank, 5).shard_step(step).indices.tolist() for rank in range(5)]
    assert shares == [[[0, 1]], *[[[2, 3]]] * 4]


def test_the_environment_says_which_one_it_is(monkeypatch):
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
