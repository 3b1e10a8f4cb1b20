"""Small libraries and recipes to train on."""

import os

import pytest
import torch

from frame2sound.brain.recipe import parse_recipe
from frame2sound.library.store import Library
from frame2sound.training.memory_budget import MemoryBudget


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Use one thread: small networks are slower with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    yield
    torch.set_num_threads(before)


@pytest.fixture
def library(tmp_path):
    return Library.create(tmp_path / "library", 8000)


@pytest.fixture
def small():
    """Return a function that builds a recipe for 8 kHz; keywords change its training."""

    def build(preset=None, hidden=(16,), lead_seconds=0.0, target=None, **training):
        table = {
            "name": "small",
            "network": {"kind": "mlp", "hidden": hidden},
            "clock": {"sample_rate": 8000},
            "training": {"epochs": 3, "batch": 16} | training,
        }
        if preset is None:
            target = target or {"kind": "pcm", "lead_seconds": lead_seconds}
            return parse_recipe(table | {"target": target})
        return parse_recipe(table | {"preset": preset})

    return build


@pytest.fixture
def on_disk(monkeypatch):
    """Make no example fit in memory."""
    monkeypatch.setattr(MemoryBudget, "available_bytes", lambda budget, network, device: 0)
