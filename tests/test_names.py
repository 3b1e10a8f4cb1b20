"""Films, outputs and libraries work under every name that a file system accepts."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from frame2sound.atomic import (
    MAX_NAME_BYTES,
    atomic_folder,
    atomic_write,
    remove_stale,
    truncate_name,
)
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import save_brain
from frame2sound.brain.recipe import parse_recipe
from frame2sound.comparison.results import write_results
from frame2sound.errors import FilmError, LibraryError
from frame2sound.library.pickler import folder_title
from frame2sound.library.store import Library
from frame2sound.library.write_lock import write_lock
from frame2sound.rendering.render import default_output_path
from frame2sound.storage import Address, parse_location
from frame2sound.studio.gallery_page import MEASURES_FILE, write_pages
from frame2sound.training.checkpoint import checkpoint_path
from tests.commanding import run
from tests.media_files import Audio, grey_pictures, make_film

LATIN = os.fsdecode(b"f\xe9te.mkv")
NAMES = [
    LATIN,
    "12:30 take.mkv",
    "cut:final.mkv",
    "a::b.mkv",
    "n" * 246 + ".mkv",
    "ü" * 124 + ".mkv",
    "夜" * 80 + ".mkv",
    "e\x1b[31m\nvil.mkv",
    "[b][red] %04d.mkv",
    "=1+1.mkv",
]


FEW = [LATIN, "12:30 take.mkv", "n" * 246 + ".mkv", "夜" * 80 + ".mkv", "e\x1b[31m\nvil.mkv"]


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(0)
    for name in NAMES:
        sound = rng.normal(0, 3000, 24_000).astype(np.int16)
        written = make_film(
            folder / "made.mkv", grey_pictures(rng.integers(0, 255, 12)), audio=Audio(sound)
        )
        try:
            written.rename(folder / name)
        except OSError:
            pytest.skip("this file system does not take every name")
    recipe = parse_recipe(
        {"name": "x", "network": {"kind": "mlp", "hidden": [4]}, "clock": {"sample_rate": 8000}}
    )
    save_brain(Brain.untrained(recipe, seed=1), folder / "brain.safetensors")
    return folder


def test_films_of_all_names_are_pickled_and_found_again(films, tmp_path):
    words = ["--library", str(tmp_path / "a:lib"), "--no-calibration", "--sample-rate", "8000"]
    result = run(films, "pickle", *FEW, *words, "--jobs", "1")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == len(FEW)
    assert "f\\xe9te.mkv  pickled" in result.stdout
    assert "e\\x1b[31m\\nvil.mkv  pickled" in result.stdout
    again = json.loads(run(films, "pickle", *FEW, *words, "--json").stdout)["films"]
    assert {row["film"] for row in again} == set(FEW)
    assert not any(row["new"] for row in again)
    library = Library.open(tmp_path / "a:lib")
    sources = {film.card.source for film in library.films()}
    assert sources == {str(films / name) for name in FEW}
    listed = json.loads(run(tmp_path, "library", "a:lib", "--json").stdout)["films"]
    assert {row["source"] for row in listed} == sources


def test_films_of_all_names_are_rendered(films, tmp_path):
    words = ["--brain", "brain.safetensors", "-o", str(tmp_path), "--json"]
    result = run(films, "render", *FEW, *words)
    assert result.returncode == 0, result.stderr
    written = {Path(row["soundtrack"]).name for row in json.loads(result.stdout)["soundtracks"]}
    assert written == {path.name for path in tmp_path.iterdir()}
    assert len(written) == len(FEW)
    assert {os.fsdecode(b"f\xe9te-sounding.mkv"), "12:30 take-sounding.mkv"} < written
    assert all(len(os.fsencode(name)) <= MAX_NAME_BYTES for name in written)


@pytest.mark.parametrize("out", ["cut:b.mkv", "http:x.mp4", os.fsdecode(b"\xe9.mov"), "a:b.wav"])
def test_outputs_of_all_names_are_written(films, tmp_path, out):
    shutil.copy(films / "12:30 take.mkv", tmp_path)
    result = run(
        tmp_path, "render", "12:30 take.mkv", "--brain", films / "brain.safetensors", "-o", out
    )
    assert result.returncode == 0, result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"12:30 take.mkv", out}


@pytest.mark.parametrize("name", [LATIN, "12:30 take.mkv", "e\x1b[31m\nvil.mkv"])
def test_films_of_all_names_are_measured_and_drawn(films, tmp_path, name):
    result = run(films, "measure", name, "--json", "--picture", str(tmp_path / "a$b$.png"))
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["film"] == name
    assert (tmp_path / "a$b$.png").stat().st_size > 1000


def test_a_failing_film_with_a_name_that_is_not_utf_8_stops_no_other(films, tmp_path):
    bad = tmp_path / os.fsdecode(b"b\xe9.mkv")
    bad.write_bytes(b"no film")
    words = ["--library", tmp_path / "lib", "--no-calibration"]
    result = run(films, "pickle", bad, "cut:final.mkv", *words)
    assert result.returncode == 1
    assert "cut:final.mkv  pickled" in result.stdout
    assert "1 of 2 films not pickled, the others are kept:" in result.stderr
    assert "should not have happened" not in result.stderr


def test_a_colon_alone_is_not_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in ("12:30 take.mp4", "cut:final.mkv", "C:film.mp4", "a:b:c", "::x", "1::b"):
        assert parse_location(text) == Path(text)
    for text in ("s3://a/b.mp4", "zip://a::s3://b", "simplecache::s3://a/b"):
        assert parse_location(text, FilmError) == Address(text, FilmError)
    assert isinstance(parse_location("a1::b.mp4"), Address)
    Path("a1::b.mp4").touch()
    assert parse_location("a1::b.mp4") == Path("a1::b.mp4")


@pytest.mark.parametrize("letter", ["n", "ü", "夜", "🎬", os.fsdecode(b"\xe9")])
def test_default_outputs_fit_and_stay_apart(letter):
    stem = (letter * 300)[: 251 // len(os.fsencode(letter))]
    names = {
        default_output_path(Path(f"{stem[:-1]}{last}.mkv"), Path("out"), wav=False).name
        for last in "ab"
    }
    assert len(names) == 2
    for name in names:
        assert 240 < len(os.fsencode(name)) <= MAX_NAME_BYTES
        assert name.startswith(letter * 50)
        assert name.endswith("-sounding.mkv")
    assert default_output_path(Path("a.mkv"), Path(), wav=False) == Path("a-sounding.mkv")


def test_names_are_cut_between_characters():
    assert truncate_name("夜" * 100, 10) == "夜夜夜"
    assert truncate_name("n" * 255) == "n" * 255
    assert truncate_name("n" * 10**5, 3) == "nnn"
    assert truncate_name("🎬", 3) == ""
    long = Path("b" * 243 + ".safetensors")
    assert len(checkpoint_path(long).name) == MAX_NAME_BYTES
    assert len(os.fsencode(folder_title(Path("夜" * 80 + ".mkv")))) <= 160


@pytest.mark.parametrize("name", [*NAMES, "x." + "y" * 250])
def test_partial_files_of_long_names_fit_and_are_removed(tmp_path, name):
    path = tmp_path / name
    with atomic_write(path, LibraryError) as partial:
        partial.write_text("text")
        assert len(os.fsencode(partial.name)) <= MAX_NAME_BYTES
        partial.name.encode("utf-8")
        left = partial.name.replace(f"{os.getpid()}-", "999999999-")
        (tmp_path / left).touch()
    assert path.read_text() == "text"
    with atomic_write(path, LibraryError) as partial:
        partial.touch()
        assert not (tmp_path / left).exists()
    (tmp_path / left).touch()
    remove_stale(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {name}


def test_an_impossible_folder_name_is_refused_before_the_work(tmp_path):
    with (
        pytest.raises(LibraryError, match="file name too long"),
        atomic_folder(tmp_path / ("n" * 256), LibraryError),
    ):
        pytest.fail("the work was begun")


def test_a_lock_lies_in_a_folder_of_any_name(tmp_path):
    library = Library.create(tmp_path / os.fsdecode(b"biblioth\xe8que"), 8000)
    with write_lock(library.path):
        assert (library.path / ".lock.json").exists()


def test_names_in_csv_are_not_formulas_and_numbers_are_numbers(tmp_path):
    names = ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\tx", "\rx", "plain", "a=b"]
    stretches = [
        {"name": f"{name}-1", "film": name, "from": 0.0, "to": 2.5, "shown": False}
        for name in names
    ]
    track = {"group": "=deep", "kind": "brain", "seed": 0}
    track["stretches"] = {each["name"]: {"black_db": -60.5} for each in stretches}
    write_results({"stretches": stretches, "soundtracks": [track]}, tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    escaped = [*(f"'{name}" for name in names[:5]), "'\\rx", *names[6:]]
    assert [row["film"] for row in rows] == escaped
    assert {row["player"] for row in rows} == {"'=deep"}
    assert {row["value"] for row in rows} == {"-60.5"}
    assert not any(cell[0] in "=+@\t\r" for row in rows for cell in row.values())
    assert json.loads((tmp_path / "results.json").read_text())["stretches"][0]["film"] == names[0]


EVIL = '<img src=x onerror=alert(1)>"&#|'


def gallery(folder, figures):
    (folder / EVIL).mkdir()
    (folder / EVIL / MEASURES_FILE).write_text(json.dumps(figures))
    write_pages(folder, [EVIL], f"frame2sound gallery {EVIL}", 10, 60)


def test_names_with_html_are_escaped_in_the_gallery(tmp_path):
    gallery(tmp_path, {"overlap-add": {"onset_f": 0.5, "why": {}}})
    page = (tmp_path / "index.html").read_text()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    address = "%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%22%26%23%7C"
    assert f'src="{address}/overlap-add.mp4"' in page
    marked = (tmp_path / "README.md").read_text().partition("    frame2sound")[2]
    assert f"]({address}/overlap-add.mp4)" in marked
    assert "\\<img src=x onerror=alert(1)\\>" in marked


@pytest.mark.parametrize("figures", [[], {"overlap-add": {"onset_f": "<b>"}}, {"overlap-add": 5}])
def test_invalid_figures_give_no_page(tmp_path, figures):
    from frame2sound.errors import SoundtrackError

    with pytest.raises(SoundtrackError, match="is not readable as measures of a gallery"):
        gallery(tmp_path, figures)
