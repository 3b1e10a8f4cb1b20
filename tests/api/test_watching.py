"""A watched folder: what is put there is sounded once it is complete, and nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import frame2sound as f2s
from frame2sound.api import watching
from frame2sound.api.watching import FailedSoundtrack, FolderWatcher
from frame2sound.errors import SoundtrackError
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from tests.commanding import run


@pytest.fixture(scope="module")
def animation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watching") / "film.mp4"
    write_scene(load_scene("typing", seconds=1, seed=0, size=(64, 64)), path, with_audio=False)
    return path


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look at the folder come a second after the one before, without waiting."""
    now = iter(range(10**6))
    monkeypatch.setattr(watching, "sleep", lambda seconds: None)
    monkeypatch.setattr(watching, "monotonic", lambda: float(next(now)))


def looks(count: int, *acts: Callable[[], object]) -> Callable[[], bool]:
    """Return an ``until`` that ends after some looks; before each of the first ones it acts."""
    state = {"look": 0}

    def until() -> bool:
        look = state["look"]
        state["look"] += 1
        if look < len(acts):
            acts[look]()
        return look >= count

    return until


def nothing() -> None:
    pass


def test_a_film_that_is_still_being_copied_waits(tmp_path: Path) -> None:
    watcher, path = FolderWatcher(tmp_path), tmp_path / "film.mp4"
    assert watcher.ready(0) == []
    path.touch()
    assert [watcher.ready(now) for now in (1, 9)] == [[], []]  # empty
    path.write_bytes(b"a")
    assert [watcher.ready(now) for now in (10, 11.9)] == [[], []]
    path.write_bytes(b"ab")
    assert [watcher.ready(now) for now in (12, 13.9)] == [[], []]
    assert [watcher.ready(now) for now in (14, 20)] == [[path], []]
    path.write_bytes(b"abc")
    assert [watcher.ready(now) for now in (21, 23)] == [[], [path]]
    path.unlink()
    assert watcher.ready(30) == []
    path.write_bytes(b"abc")
    assert [watcher.ready(now) for now in (31, 33)] == [[], [path]]


def test_outputs_hidden_and_unfinished_files_are_ignored(tmp_path: Path) -> None:
    names = [".film.mp4", "film.mp4.part", "film-sounding.mp4", "film-sounding.wav", "x.TMP"]
    for name in names:
        (tmp_path / name).write_bytes(b"a")
    (tmp_path / "stems").mkdir()
    (tmp_path / "stems" / "a.wav").write_bytes(b"a")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_bytes(b"a")
    watcher = FolderWatcher(tmp_path)
    assert [watcher.ready(now) for now in (0, 2)] == [[], [tmp_path / "pictures"]]
    (tmp_path / "pictures" / "2.png").write_bytes(b"a")
    assert [watcher.ready(now) for now in (3, 5)] == [[], [tmp_path / "pictures"]]


def test_what_is_put_there_is_sounded_and_an_error_stops_nothing(
    animation: Path, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    until = looks(
        12,
        lambda: (inbox / "a.mp4").write_bytes(b"no film"),
        lambda: shutil.copy(animation, inbox / "b.mp4"),
        nothing,
        nothing,
        nothing,
        lambda: shutil.copy(animation, inbox / "a.mp4"),
    )
    results = list(f2s.watch(inbox, until=until, wav=True))
    failed, made, mended = results
    assert isinstance(failed, FailedSoundtrack)
    assert "a.mp4" in str(failed)
    assert len(str(failed).splitlines()) == 1
    assert [str(result.path.name) for result in (made, mended)] == [
        "b-sounding.wav", "a-sounding.wav"
    ]  # fmt: skip
    names = ["a-sounding.wav", "a.mp4", "b-sounding.wav", "b.mp4"]
    assert sorted(path.name for path in inbox.iterdir()) == names
    # Another run finds nothing to do, until a film is newer than its soundtrack.
    assert list(f2s.watch(inbox, until=looks(4), wav=True)) == []
    os.utime(inbox / "b.mp4", (time.time() + 60, time.time() + 60))
    (refused,) = f2s.watch(inbox, until=looks(4), wav=True)
    assert "b-sounding.wav exists already" in str(refused)
    (again,) = f2s.watch(inbox, until=looks(4), wav=True, overwrite=True)
    assert again.path == inbox / "b-sounding.wav"


def test_a_film_that_is_replaced_is_rendered_again(animation: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"

    def replace_film() -> None:
        shutil.copy(animation, film)
        os.utime(film, (time.time() + 60, time.time() + 60))

    shutil.copy(animation, film)
    until = looks(9, nothing, nothing, nothing, nothing, replace_film)
    out = tmp_path / "out"
    results = list(f2s.watch(tmp_path, out=out, until=until, wav=True))
    assert [result.path for result in results] == [out / "film-sounding.wav"] * 2


def test_what_cannot_be_watched_is_told(tmp_path: Path) -> None:
    with pytest.raises(SoundtrackError, match=r"nowhere cannot be watched .*expected a folder"):
        list(f2s.watch(tmp_path / "nowhere"))
    with pytest.raises(SoundtrackError, match=r"got one file `midi=a\.mid` for all animations"):
        list(f2s.watch(tmp_path, midi="a.mid"))
    said = run(tmp_path, "render", "--watch", ".", "--markers", "a.csv")
    assert said.stderr.startswith("frame2sound: got one file --markers a.csv for all animations")
    said = run(tmp_path, "render", "a.mp4", "--watch", ".")
    assert said.returncode == 2
    assert "got FILM and --watch, expected one of FILM and --watch" in said.stderr


def test_ctrl_c_ends_it_cleanly(animation: Path, tmp_path: Path) -> None:
    shutil.copy(animation, tmp_path / "film.mp4")
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    words = ["render", "--watch", str(tmp_path), "--wav", "--json"]
    watching = subprocess.Popen(
        [sys.executable, "-m", "frame2sound", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert watching.stdout is not None
    rows = [json.loads(watching.stdout.readline()) for _ in range(2)]
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert "1 soundtrack rendered, 1 failed" in said
    assert "Traceback" not in said
    assert "bad.mp4" in rows[0]["error"]
    assert rows[1]["soundtrack"] == str(tmp_path / "film-sounding.wav")
    names = ["bad.mp4", "film-sounding.wav", "film.mp4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
