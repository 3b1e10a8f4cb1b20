"""The Python in the documents runs: the README's ten lines, and the researcher's notebook."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

import frame2sound as f2s
from frame2sound.cli import app
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene

ROOT = Path(__file__).resolve().parents[1]
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, seed in (("my-film.mp4", 0), ("my-animation.mp4", 1)):
        write_scene(load_scene("typing", seconds=2, seed=seed, size=(64, 64)), Path(name))
    (code,) = PYTHON.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len([line for line in code.splitlines() if line]) <= 10
    shortened = code.replace(
        'recipe="deep"', 'recipe="deep", settings=["training.epochs=1", "input.count=24"]'
    )
    assert shortened != code
    names: dict[str, object] = {}
    exec(shortened, names)
    assert Path("played.mp4").stat().st_size > 10_000
    assert names["spectra"].shape == (60, 4, 513)  # type: ignore[attr-defined]


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = json.loads((ROOT / "docs/tutorials/researcher.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    found = names["found"].measurements  # type: ignore[attr-defined]
    assert found.onset_f > 0.8
    assert found.onset_f > names["found"].baselines["shuffled"].onset_f + 0.2  # type: ignore[attr-defined]
    assert (tmp_path / "comparison" / "report.html").exists()
    differences = names["result"].table["differences"]  # type: ignore[attr-defined]
    assert {row["figure"] for row in differences} >= {"onset_f", "envelope_correlation"}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "train": f2s.train,
    "render": f2s.render,
    "live": f2s.play_live,
    "hear": f2s.hear,
    "measure": f2s.measure,
    "compare": f2s.compare,
    "sort": f2s.sort,
    "to-picture": f2s.to_picture,
    "to-sound": f2s.to_sound,
    "sonify": f2s.sonify,
    "tones": f2s.tones,
    "filter-picture": f2s.filter_picture,
    "dream": f2s.dream,
    "synaesthesia train": f2s.train_pair,
    "synaesthesia draw": f2s.draw_sound,
    "synaesthesia sing": f2s.sing_drawing,
    "synaesthesia report": f2s.report_pair,
    "synaesthesia live": f2s.draw_live,
}
FIRST = {"film", "sound", "animation"}
"""What a function takes one of where its command takes any number."""

PYTHON_ONLY = {"progress", "on_note", "on_ready", "on_drawing"}


def test_the_page_names_all_arguments_that_are_called_otherwise_than_their_options() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    named = set()
    for row in re.findall(r"^\| (`--.*) \| (`\w.*`) \|$", page, re.MULTILINE):
        options, arguments = (re.findall(r"`([-\w]+)`", cell) for cell in row)
        options = [each for each in options if each.startswith("--")]
        assert len(options) == len(arguments)
        named |= {*zip(options, arguments, strict=True)}
    group: Any = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    group |= {f"synaesthesia {n}": each for n, each in group["synaesthesia"].commands.items()}
    used = set()
    for name, function in FUNCTIONS.items():
        words = {option for each in group[name].params for option in each.opts}
        words |= {each.name for each in group[name].params if each.param_type_name == "argument"}
        for argument in set(inspect.signature(function).parameters) - PYTHON_ONLY - FIRST:
            if argument in words or f"--{argument.replace('_', '-')}" in words:
                continue
            found = {pair for pair in named if pair[0] in words and pair[1] == argument}
            assert found, (name, argument)
            used |= found
    assert used == named
