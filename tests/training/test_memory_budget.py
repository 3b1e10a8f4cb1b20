"""Examples are cached in memory as long as the program stays within its limit."""

import numpy as np
import pytest
import torch

from frame2sound.errors import TrainingError
from frame2sound.library.store import Card, PickledFilm
from frame2sound.training.memory_budget import (
    DEFAULT_LIMIT_BYTES,
    WEIGHT_COPIES,
    WORKING_BYTES,
    MemoryBudget,
    resident_bytes,
)

CPU = torch.device("cpu")
NETWORK = torch.nn.Linear(1000, 999)
FRAMES = 20_000


def test_resident_bytes_counts_allocations():
    before = resident_bytes()
    used = np.ones(100_000_000, np.uint8)
    assert resident_bytes() - before == pytest.approx(len(used), rel=0.1)


@pytest.mark.parametrize("memory", [None, 10**9, 3 * 10**9])
def test_what_the_program_uses_is_not_available(monkeypatch, memory):
    monkeypatch.setattr("frame2sound.training.memory_budget.resident_bytes", lambda: 10**8)
    used = 10**8 + WORKING_BYTES + WEIGHT_COPIES * 4 * 999 * 1001
    assert (
        MemoryBudget(memory).available_bytes(NETWORK, CPU) == (memory or DEFAULT_LIMIT_BYTES) - used
    )


def test_a_limit_too_small_to_train_is_refused(monkeypatch):
    monkeypatch.setattr(
        "frame2sound.training.memory_budget.resident_bytes", lambda: DEFAULT_LIMIT_BYTES
    )
    assert MemoryBudget().available_bytes(NETWORK, CPU) == 0
    with pytest.raises(TrainingError, match=r"got 0\.50 GB of memory, expected 2\.47 GB or more"):
        MemoryBudget(5 * 10**8).available_bytes(NETWORK, CPU)


def test_memory_of_a_film_is_released(tmp_path):
    card = Card("film", "film", 30, FRAMES, 4 * FRAMES, 120, (0, 4 * FRAMES))
    np.save(tmp_path / "frames.npy", np.ones((FRAMES, 64, 64), np.uint8))
    np.save(tmp_path / "sound.npy", np.ones(4 * FRAMES, np.float32))
    film, before = PickledFilm(tmp_path, card), resident_bytes()
    total = int(film.frames.sum(dtype=np.int64))
    assert resident_bytes() - before > 0.9 * film.frames.nbytes
    film.release_memory()
    assert resident_bytes() - before < 0.1 * film.frames.nbytes
    assert total == film.frames.sum(dtype=np.int64) == film.frames.size
