"""Commands import what they use and nothing else: most of the time of a short one is imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene

ROOT = Path(__file__).resolve().parents[1]
RUN = """
import sys
from frame2sound.cli import main
sys.argv = ["frame2sound", *sys.argv[1:]]
try:
    main()
finally:
    print(*sorted(sys.modules), sep="\\n", file=open("modules.txt", "w"))
"""
DRAWING = {"matplotlib", "PIL"}
OPTIONS = {"pedalboard", "pyo", "ray", "fsspec", "mido", "opentimelineio", "reathon", "onnx"}
TORCH = {"torch", "safetensors.torch"}
SCIPY = {"scipy", "scipy.signal", "scipy.ndimage"}
SCORES = {"mir_eval", "decorator"}
TRAINING = {"frame2sound.training.trainer", "torch._dynamo", "torch._inductor", "sympy"}
UNUSED = {"numpy.testing", "frame2sound.library.store", "frame2sound.brain.networks"}
FAR = DRAWING | OPTIONS | SCIPY | SCORES | TRAINING


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films, and a library of the longer one that has been listed once."""
    folder = tmp_path_factory.mktemp("imports")
    for name, seconds in (("film", 9), ("short", 2)):
        scene = load_scene("typing", seconds=seconds, seed=0, size=(64, 64))
        write_scene(scene, folder / f"{name}.mp4")
    imported(folder, "pickle film.mp4 --library library --no-calibration")
    imported(folder, "library library")
    return folder


def imported(folder: Path, words: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    made = subprocess.run(
        [sys.executable, "-c", RUN, *words.split()], cwd=folder, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    return set((folder / "modules.txt").read_text().split())


@pytest.mark.parametrize(
    ("words", "spared", "most", "most_own"),
    [
        ("--help", FAR | {"torch", "numpy", "av", "cv2", "msgspec", "soundfile"}, 300, 43),
        ("films", FAR | {"torch", "soundfile"}, None, None),
        ("pickle short.mp4 --library other --no-calibration", FAR | {"torch"}, None, None),
        (
            "pickle short.mp4 --library bare --no-calibration --full-rate 0",
            FAR | {"torch", "soundfile"},
            None,
            None,
        ),
        ("library library", FAR | {"torch", "soundfile"}, None, None),
        (
            "brains",
            FAR | TORCH | {"av", "cv2", "soundfile", "frame2sound.library.store"},
            520,
            58,
        ),
        ("brains sketchbook", FAR | TORCH, None, None),
        ("render short.mp4 -o sounding.wav", FAR | TORCH | UNUSED, 760, 186),
        ("render short.mp4 -o sounding.mp4", FAR | TORCH | UNUSED, None, None),
        ("render short.mp4 --brain bells -o bells.wav", FAR | TORCH | UNUSED, None, None),
        (
            "live short.mp4 --brain bells --offline --max-seconds 1",
            DRAWING | SCORES | TRAINING | TORCH | {"pyo", "mido", "mss", "pythonosc", "ray"},
            None,
            None,
        ),
        (
            "measure short.mp4",
            DRAWING | OPTIONS | SCORES | TRAINING | {"torch", "soundfile"},
            None,
            None,
        ),
    ],
)
def test_a_command_imports_little_and_nothing_that_it_does_not_use(
    folder: Path, words: str, spared: set[str], most: int | None, most_own: int | None
) -> None:
    """Most modules are those of NumPy, PyAV, Typer, and Pydantic, which Typer uses."""
    modules = imported(folder, words)
    assert not modules & spared
    if most is not None:
        assert len(modules) <= most
        assert sum(name.startswith("frame2sound") for name in modules) <= most_own


def test_the_first_listing_of_a_library_measures_motion_without_torch(folder: Path) -> None:
    (cache,) = folder.glob("library/*/coupling.json")
    cache.unlink()
    assert not imported(folder, "library library") & {"torch", "soundfile"}
    assert cache.exists()


def test_the_subprocess_that_decodes_imports_nothing_else() -> None:
    told = "import sys, frame2sound.film.decoding.subprocess_reader; print(*sys.modules)"
    made = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert not set(made.stdout.split()) & (FAR | {"torch", "typer", "rich", "soundfile"})


def test_writing_a_film_that_is_copied_loads_no_opencv() -> None:
    code = "import sys, frame2sound.film.encoding.soundtrack_writer; print('cv2' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "False\n"


def test_benchmarks_import_names_that_are_there() -> None:
    scripts = sorted((ROOT / "benchmarks").rglob("*.py"))
    assert len(scripts) > 50
    missing = [
        f"{script.name}: {found.module}.{alias.name}"
        for script in scripts
        for found in ast.walk(ast.parse(script.read_text(encoding="utf-8")))
        if isinstance(found, ast.ImportFrom) and (source := source_of(found.module or ""))
        for alias in found.names
        if alias.name not in names_in(source) and not source_of(f"{found.module}.{alias.name}")
    ]
    assert not missing


def source_of(module: str) -> Path | None:
    """Return the file of a module of the package or of benchmarks; None of any other."""
    path = ROOT.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py", ROOT / "benchmarks" / f"{module}.py")
    return next((file for file in files if module and file.exists()), None)


@cache
def names_in(source: Path) -> set[str]:
    """Return what a module defines, assigns, imports or lists anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)  # as in `__all__`
    return names
