"""The library command: what it lists, verifies, keeps out and drops."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from frame2sound.library.store import Library
from frame2sound.library.write_lock import write_lock
from tests.commanding import run
from tests.media_files import Audio, grey_pictures, make_film

RATE = 22050


@pytest.fixture
def films(tmp_path: Path, add_film):
    library = Library.create(tmp_path / "library")
    tone = 0.1 * np.sin(2 * np.pi * 997 * np.arange(6 * RATE) / RATE)
    tone[: 3 * RATE] = 0  # -23.0 LUFS, less what blocks that reach into the silence lose
    return [
        add_film(library, "harbour", 6, sound=tone),
        add_film(library, "hall", 6, seed=1),
        add_film(library, "mill", 9),
    ]


def test_it_lists_films_and_totals(tmp_path: Path, films) -> None:
    said = run(tmp_path, "library", "library")
    assert said.returncode == 0, said.stderr
    hall, harbour, mill, total, coupling = said.stdout.splitlines()
    assert hall.startswith("hall  0:00:06  1.3 MB  -")
    assert hall.endswith(" LUFS  0% silent  too short to tell")
    assert harbour == "harbour  0:00:06  1.3 MB  -23.2 LUFS  50% silent  too short to tell"
    assert mill.startswith("mill  0:00:09  ")
    assert re.search(r"  (follows well|hardly follows|does not follow): .*; levels -?\.\d\d$", mill)
    assert coupling.startswith("sound ")
    assert coupling.endswith("), measured on 21 s")
    assert total == "3 films  0.01 hours  4.4 MB"


def test_it_says_the_same_as_json_and_the_second_time(tmp_path: Path, films) -> None:
    said = run(tmp_path, "library", "library", "--json")
    table = json.loads(said.stdout)
    assert [row["film"] for row in table["films"]] == ["hall", "harbour", "mill"]
    assert table["films"][1]["loudness_lufs"] == pytest.approx(-23.2, abs=0.01)
    assert table["films"][1]["silent"] == pytest.approx(0.5)
    assert table["films"][1]["seconds"] == 6
    assert table["seconds"] == 21
    assert table["films"][0]["coupling"] == {"verdict": None, "reason": "too short to tell"}
    assert table["films"][2]["coupling"]["seconds"] == 9
    assert table["coupling"]["seconds"] == 21
    assert 0 <= table["coupling"]["onset_chance"] <= 1
    again = json.loads(run(tmp_path, "library", "library", "--json").stdout)
    assert again["films"][0]["loudness_lufs"] == table["films"][0]["loudness_lufs"]


@pytest.mark.parametrize(
    ("words", "column", "row"),
    [
        ([], "  44.1 kHz stereo  ", {"sample_rate": 44_100, "channels": 2}),
        (["--full-rate", "8000"], "  8 kHz stereo  ", {"sample_rate": 8000, "channels": 2}),
        (["--full-rate", "0"], None, None),
    ],
)
def test_the_full_sound_is_listed(tmp_path: Path, words, column, row) -> None:
    audio = Audio(np.zeros((2, 44_100), np.float32), 44_100, "pcm_f32le", "stereo")
    make_film(tmp_path / "film.mov", grey_pictures([90] * 24), audio=audio)
    added = run(tmp_path, "pickle", "film.mov", "--library", "library", *words)
    assert added.returncode == 0, added.stderr
    calibration, film, *_ = run(tmp_path, "library", "library").stdout.splitlines()
    assert "kHz" not in calibration
    assert (column is None and "kHz" not in film) or column in film
    rows = json.loads(run(tmp_path, "library", "library", "--json").stdout)["films"]
    assert [each["full_sound"] for each in rows] == [None, row]


@pytest.mark.parametrize("rate", ["1", "999", "192001", "-1"])
def test_an_impossible_full_rate_is_refused(tmp_path: Path, rate) -> None:
    said = run(tmp_path, "pickle", "film.mov", "--library", "library", "--full-rate", rate)
    assert said.returncode in (1, 2)
    assert "--full-rate" in said.stderr
    assert rate in said.stderr
    assert "Traceback" not in said.stderr


def test_twins_notes_and_damage_are_listed(tmp_path: Path, films, add_film) -> None:
    library = Library.open(tmp_path / "library")
    add_film(library, "twin", 6, frames=np.array(films[0].frames), sound=np.zeros(6 * RATE))
    card = films[1].path / "film.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"notes": ["took sound 0 of 2"]}))
    (films[2].path / "sound.npy").unlink()
    (library.path / f".new.{os.getpid()}-0.partial").mkdir()
    lines = run(tmp_path, "library", "library").stdout.splitlines()
    assert "  note: took sound 0 of 2" in lines
    assert lines[-4] == "  the same picture as harbour"
    assert any(line.startswith("  damaged: library/mill/sound.npy is missing") for line in lines)
    assert any(line.startswith("half-written: .new.") for line in lines)
    assert lines[-2].startswith("4 films  ")
    assert lines[-2].endswith("  1 damaged")
    assert "twin  0:00:06  1.3 MB  -  100% silent  too short to tell" in lines


def test_an_empty_library_is_listed(tmp_path: Path) -> None:
    Library.create(tmp_path / "empty")
    assert run(tmp_path, "library", "empty").stdout == "0 films  0.00 hours  0.0 MB\n"
    assert run(tmp_path, "library", "empty", "--verify").returncode == 0


def test_what_is_excluded_is_shown_and_kept_out(tmp_path: Path, films) -> None:
    library = Library.open(tmp_path / "library")
    said = run(tmp_path, "library", "library", "--exclude", "harb", "--exclude", "mill")
    assert said.stdout.splitlines() == ["harbour  excluded", "mill  excluded"]
    assert [film.name for film in library.films()] == ["hall"]
    lines = run(tmp_path, "library", "library").stdout.splitlines()
    assert lines[1].endswith("  excluded")
    assert lines[-2].endswith("  2 excluded")
    said = run(tmp_path, "library", "library", "--exclude", "hall", "--include", "mill", "--json")
    assert json.loads(said.stdout) == [
        {"film": "hall", "state": "excluded"},
        {"film": "mill", "state": "included"},
    ]
    run(tmp_path, "library", "library", "--exclude", "mill")
    said = run(tmp_path, "train", "library", "--out", "brain.safetensors")
    assert said.returncode == 1
    assert "all films of library are excluded; include one with: frame2sound" in said.stderr


def test_an_excluded_film_pickled_again_is_already_there(tmp_path: Path) -> None:
    from frame2sound.film.drawing.demo_films import load_scene
    from frame2sound.film.drawing.scene_writer import write_scene

    for name, seed in (("film.mp4", 0), ("other.mp4", 1)):
        scene = load_scene("typing", seconds=2, seed=seed, size=(64, 64))
        write_scene(scene, tmp_path / name)
    words = ["pickle", "film.mp4", "--library", "library", "--no-calibration"]
    assert run(tmp_path, *words).returncode == 0
    assert run(tmp_path, "library", "library", "--exclude", "film").returncode == 0
    assert "film.mp4  already there, excluded" in run(tmp_path, *words).stdout
    (tmp_path / "other.mp4").replace(tmp_path / "film.mp4")
    said = run(tmp_path, *words, "--json")  # changed, and still excluded
    (row,) = json.loads(said.stdout)["films"]
    assert (row["new"], row["excluded"]) == (True, True)
    library = Library.open(tmp_path / "library")
    assert len(library.all_films()) == 1
    assert library.films() == []


def test_a_dropped_film_is_gone(tmp_path: Path, films) -> None:
    said = run(tmp_path, "library", "library", "--delete", "mill")
    assert said.stdout == "mill  deleted\n"
    names = {path.name for path in (tmp_path / "library").iterdir()}
    assert names == {".lock", "library.json", "hall", "harbour"}


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--delete", "ha"], "but 2 names begin with it; choose one of: hall, harbour"),
        (["--exclude", "haarbour"], "got 'haarbour', expected a film of library; the nearest are:"),
        (["--include", "mill", "--delete", "none"], "got 'none', expected a film of library"),
    ],
)
def test_a_wrong_name_changes_nothing(tmp_path: Path, films, words, match) -> None:
    said = run(tmp_path, "library", "library", *words)
    assert said.returncode == 1
    assert match in said.stderr
    assert said.stderr.count("\n") == 1
    assert Library.open(tmp_path / "library").films() == sorted(films, key=lambda film: film.name)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--delete", "mill", "--exclude", "mi"], "mill more than once"),
        (["--delete", "mill", "--verify"], "got --verify and films to change"),
    ],
)
def test_contradictions_are_wrong_usage(tmp_path: Path, films, words, match) -> None:
    said = run(tmp_path, "library", "library", *words)
    assert said.returncode == 2
    assert match in " ".join(said.stderr.split())
    assert (films[2].path / "film.json").exists()


def test_verify_ends_with_1_where_a_film_is_not_whole(tmp_path: Path, films, add_film) -> None:
    from frame2sound.library.calibration import add_calibration_film

    calibrated = add_calibration_film(Library.open(tmp_path / "library"))
    said = run(tmp_path, "library", "library", "--verify")
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[0] == "calibration  whole"
    assert said.stdout.splitlines()[1] == "hall  whole, as far as can be told without checksums"
    assert "verify  100 %" in said.stderr
    path = calibrated.path / "frames.npy"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    said = run(tmp_path, "library", "library", "--verify")
    assert said.returncode == 1
    assert "calibration  not whole\n  frames.npy is not what was pickled" in said.stdout
    assert "1 of 4 films not whole: calibration; copy their folders again" in said.stderr
    rows = json.loads(run(tmp_path, "library", "library", "--verify", "--json").stdout)
    assert [row["whole"] for row in rows] == [False, True, True, True]


def test_who_writes_waits_for_no_one_and_who_reads_needs_not(tmp_path: Path, films) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film")
    with write_lock(tmp_path / "library"):
        for words in (
            ["pickle", "film.mp4", "--library", "library"],
            ["library", "library", "--delete", "mill"],
        ):
            said = run(tmp_path, *words)
            assert said.returncode == 1
            assert f"is being written to by process {os.getpid()} on " in said.stderr
            assert said.stderr.count("\n") == 1
        assert run(tmp_path, "library", "library").returncode == 0
        assert run(tmp_path, "library", "library", "--verify").returncode == 0


MEMORY = """
import resource, sys
from pathlib import Path
from frame2sound.library.store import Library
from frame2sound.library.summary import summarise
from frame2sound.library.verification import verify
library = Library.open(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
summarise(library)
for film in library.films():
    verify(library, film.path)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures as Linux does")
def test_memory_does_not_grow_with_a_film(tmp_path: Path, add_film) -> None:
    library = Library.create(tmp_path / "library")
    minutes = 15
    sound = np.full(minutes * 60 * RATE, 0.01, np.float32)  # 79 MB
    frames = np.full((minutes * 600, 64, 64), 7, np.uint8)  # 37 MB
    add_film(library, "long", minutes * 60, fps=10, sound=sound, frames=frames)
    said = subprocess.run(
        [sys.executable, "-c", MEMORY, library.path], capture_output=True, text=True, timeout=120
    )
    assert said.returncode == 0, said.stderr
    assert float(said.stdout) < 50, said.stdout
