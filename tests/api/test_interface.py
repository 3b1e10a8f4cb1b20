"""The Python interface: what the command line prints and writes, from Python."""

from __future__ import annotations

import builtins
import inspect
import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file

import frame2sound as f2s
from frame2sound.api.records import MissingPackageError
from frame2sound.api.render_job import _load_corpus
from frame2sound.api.rendering import RenderOptions
from frame2sound.errors import BatchError, BrainError, FilmError, SoundtrackError, TrainingError
from tests.commanding import run

FAST = {"training.epochs": 2, "network.hidden": [16], "input.count": 24}
SETTINGS = ["--set", "training.epochs=2", "--set", "network.hidden=[16]"]
SETTINGS += ["--set", "input.count=24"]


class Reports:
    """A progress callback that keeps what it is called with."""

    def __init__(self) -> None:
        self.by_task: dict[str, list[tuple[float, float | None]]] = {}

    def __call__(self, task: str, done: float, total: float | None, note: str, /) -> None:
        self.by_task.setdefault(task, []).append((done, total))

    def assert_monotone(self) -> None:
        assert self.by_task
        for reports in self.by_task.values():
            done = [each for each, _ in reports]
            assert done == sorted(done)
            assert all(total is None or each <= total for each, total in reports)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with its truth, a silent animation, a library and a brain, all made from Python."""
    folder = tmp_path_factory.mktemp("interface")
    reports = Reports()
    for name, seed, silent in (("film", 0, False), ("animation", 1, True)):
        f2s.draw_film("typing", folder / f"{name}.mp4", seconds=6, size=(64, 64), seed=seed,
                      silent=silent, progress=reports)  # fmt: skip
    library = f2s.Library.create(folder / "library")
    (added,) = library.add_films([folder / "film.mp4"], progress=reports)
    assert (added.new, added.frames, added.error) == (True, 180, None)
    f2s.train(library, "deep", FAST, folder / "brain.safetensors", progress=reports)
    tasks = {"film.mp4", "animation.mp4", "measuring motion", "training deep"}
    assert set(reports.by_task) == tasks
    del reports.by_task["film.mp4"]  # drawn first, then pickled
    reports.assert_monotone()
    return folder


def test_importing_the_package_imports_no_library() -> None:
    code = "import sys, frame2sound as f2s; dir(f2s); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "numpy", "av", "cv2", "msgspec", "rich", "typer", "frame2sound.api"}
    assert not set(done.stdout.split()) & heavy


def test_every_public_name_is_there_and_others_are_not() -> None:
    assert all(getattr(f2s, name) is not None for name in f2s.__all__)
    assert set(f2s.__all__) <= set(dir(f2s))
    with pytest.raises(AttributeError, match="has no attribute 'pickle_it'"):
        f2s.pickle_it  # noqa: B018
    assert (Path(f2s.__file__).parent / "py.typed").exists()


def test_render_takes_all_options_that_the_command_has() -> None:
    given = inspect.signature(f2s.render).parameters
    options = {field.name: field.default for field in fields(RenderOptions)}
    assert {name: given[name].default for name in options} == options
    assert set(given) - set(options) == {"animation", "brain", "out", "progress"}


def test_a_library_gives_films_as_records(folder: Path) -> None:
    library = f2s.Library.open(str(folder / "library"))
    film = library["film"]
    assert (film.frames.shape, film.times.shape) == ((180, 64, 64), (181,))
    assert (film.sound.shape, film.seconds) == ((6 * 22050,), 6)
    assert [each.name for each in library] == ["calibration", film.name]
    assert (len(library), bool(library)) == (2, True)
    assert str(library.exclude("film")) == f"{film.name}  excluded"
    assert len(library) == 1
    library.include("film")
    assert [each.whole for each in library.verify()] == [True, True]


def test_records_are_what_the_command_line_prints(folder: Path) -> None:
    library = f2s.Library.open(folder / "library")
    library.summarise()  # writes its analysis into the library
    listing = library.summarise()
    shown = run(folder, "library", "library")
    assert str(listing).splitlines() == shown.stdout.splitlines()
    printed = json.loads(run(folder, "library", "library", "--json").stdout)
    assert listing.to_dict() | {"library": "library"} == printed
    words = ["film.mp4", "--truth", "film.json"]
    measured = f2s.measure(folder / "film.mp4", truth=folder / "film.json")
    assert str(measured).splitlines() == run(folder, "measure", *words).stdout.splitlines()
    printed = json.loads(run(folder, "measure", *words, "--json").stdout)
    assert measured.to_dict() | {"film": "film.mp4"} == printed
    card = f2s.describe_brain(folder / "brain.safetensors")
    (printed,) = json.loads(run(folder, "brains", "brain.safetensors", "--json").stdout)
    assert card.to_dict() | {"brain": "brain.safetensors"} == printed


def test_both_ways_train_and_render_the_same(folder: Path, tmp_path: Path) -> None:
    trained = run(tmp_path, "train", folder / "library", *SETTINGS, "--out", "brain.safetensors")
    assert trained.returncode == 0, trained.stderr
    mine, theirs = (load_file(each / "brain.safetensors") for each in (folder, tmp_path))
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    brain = f2s.load_brain(folder / "brain.safetensors")
    reports = Reports()
    options: dict[str, Any] = {"mode": "granular", "cloud": {"density": 200}, "gain": -6, "seed": 3}
    made = f2s.render(
        folder / "animation.mp4", brain=brain, out=tmp_path / "a.wav", progress=reports, **options
    )
    reports.assert_monotone()
    words = ["--brain", "brain.safetensors", "--mode", "granular", "--cloud", "density=200"]
    words += ["--gain", "-6dB", "--seed", "3", "-o", "b.wav", "--json"]
    said = run(tmp_path, "render", folder / "animation.mp4", *words)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    (row,) = json.loads(said.stdout)["soundtracks"]
    assert made.to_dict() | {"soundtrack": "b.wav"} == row
    assert made.seconds == 6


def test_errors_name_parameters_and_the_command_line_options(folder: Path) -> None:
    with pytest.raises(f2s.ParameterError, match=r"got `gain=loud`, expected a level"):
        f2s.render(folder / "animation.mp4", gain="loud")
    with pytest.raises(f2s.ParameterError, match=r"got `mode=loud`, expected overlap-add, gran"):
        f2s.render(folder / "animation.mp4", mode="loud")  # type: ignore[arg-type]
    for name in ("seed", "sample_rate"):
        with pytest.raises(f2s.ParameterError, match=rf"got `{name}=1.5`, expected a whole number"):
            f2s.render(folder / "animation.mp4", **{name: 1.5})
    for refused in (
        lambda: f2s.sonify("a.png", "a.wav", rows=1.5),
        lambda: f2s.to_picture("a.wav", "a.png", size=512.5),
    ):
        with pytest.raises(f2s.ParameterError, match=r"`, expected a whole number"):
            refused()
    with pytest.raises(SoundtrackError, match=r"`corpus` does nothing.*use `mode=mosaic`"):
        f2s.render(folder / "animation.mp4", corpus=folder / "library", mode="granular")
    words = ["animation.mp4", "--corpus", "library", "--mode", "granular"]
    said = run(folder, "render", *words).stderr
    assert said == (
        "frame2sound: --corpus does nothing in mode granular; leave it out or use --mode mosaic\n"
    )
    with pytest.raises(TrainingError, match="exists already"):
        f2s.train(folder / "library", "deep", FAST, folder / "brain.safetensors")
    with pytest.raises(BrainError):
        f2s.load_brain("sketchbok")


def test_films_that_fail_are_told_after_the_others_were_added(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no film")
    library, results = f2s.Library.create(tmp_path / "library"), []
    films = [tmp_path / "bad.mp4", folder / "film.mp4"]
    with pytest.raises(BatchError, match="1 of 2 films not pickled, the others are kept:"):
        library.add_films(films, calibration=False, on_result=results.append)
    assert {result.film is None for result in results} == {True, False}
    assert len(library) == 1
    with pytest.raises(FilmError, match=r"bad\.mp4"):
        library.add_films(films[:1], calibration=False)


def test_a_table_needs_pandas(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = f2s.Library.open(folder / "library").summarise()
    real_import = builtins.__import__

    def refuse(name: str, *args: Any, **options: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real_import(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingPackageError, match="pip install pandas"):
        listing.to_pandas()


class Frame(list):
    """Stands for a ``pandas.DataFrame``."""


def test_a_table_has_a_row_for_each_film(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", type(sys)("pandas"))
    monkeypatch.setattr(sys.modules["pandas"], "DataFrame", Frame, raising=False)
    listing = f2s.Library.open(folder / "library").summarise()
    assert listing.to_pandas() == listing.to_dict()["films"]
    rows = f2s.measure(folder / "film.mp4", truth=folder / "film.json").to_pandas()
    assert [row["sound"] for row in rows] == [str(folder / "film.mp4"), "silence", "shuffled"]
    assert rows[0]["onset_f"] > 0.9 > rows[1]["onset_f"]


def test_a_library_as_corpus_has_the_loudness_at_which_the_brain_learned(folder: Path) -> None:
    brain = f2s.load_brain(folder / "brain.safetensors")
    gains_db = {film["name"]: film["gain_db"] for film in brain.provenance["films"]}
    assert gains_db.pop("calibration") == 0
    assert abs(next(iter(gains_db.values()))) > 0.05
    (carried,) = brain.corpus.pieces
    (read,) = _load_corpus(folder / "library", brain).pieces
    np.testing.assert_allclose(read.samples, carried.samples, atol=2**-15)
