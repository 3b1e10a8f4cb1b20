"""Training with a disk cache equals training in memory, to the bit, and leaves no file behind."""

import pytest

from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import TrainingError
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.loop import train
from frame2sound.training.memory_budget import MemoryBudget
from tests.training.interrupting import Interrupt, assert_same

FEATURES = {"kind": "eigenframes", "count": 8}
RNN = {"kind": "rnn", "hidden": [8], "memory": [6]}
NETWORKS = {
    "features": {"input": FEATURES | {"history": 1, "motion": True}},
    "pixels": {"input": {"kind": "pixels", "history": 1}},
    "gru": {"input": FEATURES, "network": RNN | {"dropout": 0.2}},
    "feedback_units": {"network": RNN | {"cell": "lstm", "feedback_units": 3}},
    "tcn": {
        "input": FEATURES,
        "network": {"kind": "tcn", "hidden": [8], "channels": 4, "layers": 2},
    },
    "brightness": {
        "input": FEATURES,
        "network": {"kind": "mlp", "hidden": [8], "brightness_branch": 4},
        "target": {"kind": "log-mag", "window_length": 128},
    },
    "layers": {"training": {"pretraining": 1}},
    "kept overlays": {"input": FEATURES, "training": {"overlay_epochs": 2}},
    "kept overlays of pixels": {"training": {"overlay_epochs": 2, "min_steps": 3}},
}  # fmt: skip
SHORT = {"epochs": 3, "batch": 16, "chunk": 4, "noise": 0.1, "overlay": 0.4,
         "block_seconds": 1.0, "guard_seconds": 0.1}  # fmt: skip


def recipe(name):
    table = {
        "name": name,
        "clock": {"sample_rate": 8000},
        "network": {"kind": "mlp", "hidden": [8]},
    }
    table |= NETWORKS[name]
    return parse_recipe(table | {"training": SHORT | table.get("training", {})})


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


@pytest.mark.parametrize("name", NETWORKS)
def test_disk_training_equals_memory_training_also_when_resumed(
    library, film, tmp_path, monkeypatch, name
):
    whole = train(library, recipe(name), tmp_path / "whole.safetensors", device="cpu")
    monkeypatch.setattr(MemoryBudget, "available_bytes", lambda room, network, device: 0)
    out = tmp_path / "brains" / "broken.safetensors"
    for call in (1, 3, 9):
        with pytest.raises(KeyboardInterrupt):
            resume = checkpoint_path(out).exists()
            train(
                library, recipe(name), out, device="cpu", resume=resume, on_progress=Interrupt(call)
            )
    broken = train(library, recipe(name), out, device="cpu", resume=True)
    assert_same(broken, whole)
    for key in ("loss", "held_out_loss", "best_epoch"):
        assert broken.provenance[key] == whole.provenance[key]
    assert list(out.parent.iterdir()) == [out]


def test_an_unwritable_folder_is_an_error(library, film, tmp_path, on_disk):
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"training data cannot be cached in .*/file"):
        train(library, recipe("features"), tmp_path / "file" / "b.safetensors", device="cpu")


def test_too_little_memory_is_refused(library, film, tmp_path):
    out = tmp_path / "b.safetensors"
    with pytest.raises(
        TrainingError, match=r"got 0\.01 GB of memory, expected .* raise `memory` or use"
    ):
        train(library, recipe("features"), out, device="cpu", memory_limit=10**7)
    assert not out.exists()
