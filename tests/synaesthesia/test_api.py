"""The whole way from Python: sets, training, and a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import frame2sound as f2s
from frame2sound.errors import Frame2SoundError


def test_notes_and_squiggles_train_a_pair_that_draws(tmp_path: Path) -> None:
    reports: list[str] = []
    made = f2s.make_notes(tmp_path / "notes", count=32, seed=1)
    drawn = f2s.make_squiggles(tmp_path / "squiggles", count=32, seed=1)
    assert made.lines() == [f"{tmp_path / 'notes'}  32 notes"]
    assert len(list(drawn.folder.glob("*.svg"))) == drawn.files == 32
    pair = f2s.train_pair(
        made.folder, [drawn.folder], tmp_path / "pair.safetensors", pairing="loudness=-size",
        settings=["training.steps=2", "training.batch=8", "network.channels=4", "clips=8"], seed=3,
        progress=lambda task, done, total, note: reports.append(task),
    )  # fmt: skip
    assert [str(each) for each in pair.recipe.pairings] == ["loudness=-size"]
    assert list(dict.fromkeys(reports)) == ["sounds", "drawings", "training"]
    loaded = f2s.load_pair(tmp_path / "pair.safetensors")
    assert np.array_equal(loaded.draw(loaded.clips), pair.draw(pair.clips))
    assert loaded.draw(loaded.clips).shape == (8, 37)


def test_what_is_out_of_range_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for refused, reason in (
        (lambda: f2s.make_notes(tmp_path / "n", count=0), "count=0"),
        (lambda: f2s.make_squiggles(tmp_path / "n", seed=-1), "seed"),
        (lambda: f2s.make_squiggles(tmp_path / "there"), "exists already"),
        (lambda: f2s.train_pair(tmp_path / "there", tmp_path / "there"), "no sounds"),
        (lambda: f2s.train_pair("a", "b", pairing="loud=size"), "loudness"),
        (lambda: f2s.train_pair("a", "b", tmp_path / "there"), "is a folder"),
    ):
        with pytest.raises(Frame2SoundError, match=reason):
            refused()
    assert not (tmp_path / "n").exists()
