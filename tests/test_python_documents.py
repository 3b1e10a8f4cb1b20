"""The Python in the documents runs: the README's ten lines, and the researcher's notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

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
