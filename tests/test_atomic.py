"""Outputs appear complete or not at all, whatever fails."""

import errno
import os
import signal
import subprocess
import sys
import threading

import pytest

from frame2sound.atomic import (
    atomic_folder,
    atomic_write,
    check_writable,
    defer_interrupt,
    find_partial,
    remove_folder,
    remove_stale,
)
from frame2sound.errors import BrainError, LibraryError, SoundtrackError

FULL = "^the disk is full, .* was not written; make room and run the command again$"


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def fill(folder):
    (folder / "a.npy").write_bytes(b"a")
    (folder / "b.json").write_text("{}")


def test_a_file_appears_when_it_is_complete(tmp_path):
    out = tmp_path / "deep" / "out.wav"
    with atomic_write(out, SoundtrackError) as partial:
        assert partial.parent == out.parent
        assert partial.suffix == out.suffix  # writers choose a format by it
        partial.write_text("new")
        assert not out.exists()
    assert out.read_text() == "new"
    assert names(out.parent) == ["out.wav"]


def test_a_folder_appears_when_it_is_complete(tmp_path):
    with atomic_folder(tmp_path / "film", LibraryError) as partial:
        fill(partial)
        assert not (tmp_path / "film").exists()
    assert names(tmp_path) == ["a.npy", "b.json", "film"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_unfinished_output_leaves_nothing(tmp_path, failure):
    with pytest.raises(failure), atomic_write(tmp_path / "out.wav", SoundtrackError) as partial:
        partial.write_text("half")
        raise failure
    with pytest.raises(failure), atomic_folder(tmp_path / "film", LibraryError) as partial:
        fill(partial)
        raise failure
    assert names(tmp_path) == []


def test_an_existing_output_stays_if_its_replacement_fails(tmp_path):
    out = tmp_path / "out.wav"
    out.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_write(out, SoundtrackError) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert out.read_text() == "old"


def test_partial_files_of_a_killed_process_do_not_mix_with_the_next(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f".film.{ended.pid}-abc.partial"
    left.mkdir()
    (left / "stale.npy").write_bytes(b"stale")
    with atomic_folder(tmp_path / "film", LibraryError) as partial:
        fill(partial)
    assert names(tmp_path) == ["a.npy", "b.json", "film"]


def test_partial_files_are_removed_unless_their_process_runs(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lefts = [f".a.b.{ended.pid}-abc.partial", f".a.{ended.pid}-abc.partial.npy"]
    alive, others = f".film.{os.getpid()}-0af.partial", [".a.partial", ".b.partial.txt", "c.1-a"]
    for name in (lefts[0], alive):
        (tmp_path / name).mkdir()
    for name in (lefts[1], *others):
        (tmp_path / name).touch()
    assert {path.name: runs for path, runs in find_partial(tmp_path)} == {
        lefts[0]: False,
        lefts[1]: False,
        alive: True,
    }
    remove_stale(tmp_path)
    assert names(tmp_path) == sorted([alive, *others])


def test_a_folder_is_removed_completely(tmp_path):
    (tmp_path / "film").mkdir()
    fill(tmp_path / "film")
    remove_folder(tmp_path / "film", LibraryError)
    assert names(tmp_path) == []
    with pytest.raises(LibraryError, match=r"film cannot be written \(no such file or directory"):
        remove_folder(tmp_path / "film", LibraryError)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
@pytest.mark.parametrize("write", [atomic_write, atomic_folder])
def test_a_forbidden_folder_is_refused_with_a_remedy(tmp_path, write, number):
    match = r"film cannot be written \(.*\); choose a folder that you may write to$"
    with pytest.raises(LibraryError, match=match), write(tmp_path / "film", LibraryError):
        raise OSError(number, os.strerror(number))


def test_two_writers_do_not_disturb_each_other(tmp_path):
    with atomic_folder(tmp_path / "film", LibraryError, "b.json") as first:
        with atomic_folder(tmp_path / "film", LibraryError, "b.json") as second:
            assert first != second
            fill(second)
        fill(first)
    assert names(tmp_path) == ["a.npy", "b.json", "film"]


def test_an_existing_output_is_refused_without_overwrite(tmp_path):
    out = tmp_path / "out.wav"
    out.write_text("old")
    with (
        pytest.raises(SoundtrackError, match=r"out\.wav exists already; .*`overwrite=True`"),
        atomic_write(out, SoundtrackError, overwrite=False),
    ):
        pytest.fail("the body must not run")
    assert out.read_text() == "old"
    with atomic_write(out, SoundtrackError) as partial:
        partial.write_text("new")
    assert out.read_text() == "new"


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    with pytest.raises(BrainError, match="is a folder; expected the name of a file to write"):
        check_writable(tmp_path, BrainError, overwrite=True)


def test_a_folder_that_may_not_be_written_to_is_refused_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "film").write_text("")
    with pytest.raises(BrainError, match=r"a\.wav cannot be written \(not a directory\)$"):
        check_writable(tmp_path / "film" / "a.wav", BrainError, overwrite=False)
    check_writable(tmp_path / "new" / "deep" / "a.wav", BrainError, overwrite=False)
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append((path, mode)))
    with pytest.raises(BrainError, match=r"a\.wav cannot be .*; choose a folder that you may"):
        check_writable(tmp_path / "new" / "deep" / "a.wav", BrainError, overwrite=False)
    assert asked == [(tmp_path, os.W_OK | os.X_OK)]
    assert names(tmp_path) == ["film"]


def test_a_full_folder_is_not_replaced(tmp_path):
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "mine.txt").write_text("kept")
    with (
        pytest.raises(LibraryError, match=r"film cannot be written \(directory not empty\)"),
        atomic_folder(tmp_path / "film", LibraryError) as partial,
    ):
        fill(partial)
    assert names(tmp_path) == ["film", "mine.txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
@pytest.mark.parametrize("write", [atomic_write, atomic_folder])
def test_a_full_disk_has_its_own_message(tmp_path, write, number):
    with pytest.raises(LibraryError, match=FULL), write(tmp_path / "film", LibraryError):
        raise OSError(number, os.strerror(number))
    assert names(tmp_path) == []


@pytest.mark.parametrize("write", [atomic_write, atomic_folder])
@pytest.mark.parametrize("place", ["file.txt/out", "n" * 300])
def test_an_impossible_path_gives_one_line(tmp_path, write, place):
    (tmp_path / "file.txt").touch()
    with (
        pytest.raises(LibraryError, match=r"cannot be written \((not a dir|file exists|file name)"),
        write(tmp_path / place, LibraryError),
    ):
        pytest.fail("the body must not run")


@pytest.mark.skipif(os.name != "posix" or not os.geteuid(), reason="root may write anywhere")
@pytest.mark.parametrize("write", [atomic_write, atomic_folder])
def test_a_read_only_folder_gives_one_line(tmp_path, write):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    with (
        pytest.raises(LibraryError, match=r"cannot be written \(permission denied\)"),
        write(closed / "film", LibraryError) as partial,
    ):
        partial.write_text("")
    assert names(closed) == []


SMALL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
out = Path(sys.argv[1])

def disk_is_full_after(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

"""

WRITERS = {
    "rows": """
from frame2sound.library.npy_writer import NpyWriter
from frame2sound.atomic import atomic_folder
disk_is_full_after(100_000)
with atomic_folder(out / "film", Error) as partial:
    with NpyWriter(partial / "rows.npy", np.uint8, (64, 64)) as rows:
        for _ in range(100):
            rows.append(np.zeros((3, 64, 64), np.uint8))
""",
    "calibration": """
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.store import Library
library = Library.create(out, 8000)
disk_is_full_after(100_000)
add_calibration_film(library)
""",
    "brain": """
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import save_brain
from frame2sound.brain.recipe import parse_recipe
brain = Brain.untrained(parse_recipe({"name": "x", "network": {"kind": "mlp", "hidden": [32]}}))
disk_is_full_after(100_000)
save_brain(brain, out / "brain.safetensors")
""",
    "checkpoint": """
import torch
from frame2sound.training.adamw import FusedAdamW
from frame2sound.training.checkpoint import TrainingState, save_checkpoint
network = torch.nn.Linear(1000, 1000)
disk_is_full_after(100_000)
optimiser = FusedAdamW(network.parameters(), 1e-3)
save_checkpoint(out / "x.checkpoint.safetensors", TrainingState("x"), network, optimiser, {}, ())
""",
}


@pytest.mark.skipif(os.name != "posix", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_fills_up_leaves_nothing(tmp_path, writer):
    program = (
        SMALL_DISK
        + "from frame2sound.errors import Frame2SoundError as Error\ntry:\n"
        + "".join(f"    {line}\n" for line in WRITERS[writer].strip().splitlines())
        + "except Error as error:\n    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    line = run.stdout.strip()
    assert line.startswith("the disk is full, ")
    assert "\n" not in line
    assert set(names(tmp_path)) <= {"library.json"}


def test_sigint_is_deferred_until_the_body_ends():
    done = []
    with pytest.raises(KeyboardInterrupt):
        with defer_interrupt():
            signal.raise_signal(signal.SIGINT)
            done.append("inside")
        done.append("after")
    assert done == ["inside"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_is_deferred_until_the_body_ends():
    done, before = [], signal.signal(signal.SIGTERM, lambda *_: done.append("ended"))
    try:
        with defer_interrupt():
            signal.raise_signal(signal.SIGTERM)
            done.append("inside")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done == ["inside", "ended"]


def test_an_error_is_not_hidden_by_an_interrupt():
    with pytest.raises(ValueError, match="worse"), defer_interrupt():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("worse")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_defer_nothing():
    done = []

    def work():
        with defer_interrupt():
            done.append("inside")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["inside"]


KILLED = """
import os, signal, sys
from pathlib import Path
from frame2sound import atomic
from frame2sound.errors import LibraryError
when, what, out = sys.argv[1:]
name = "replace" if what == "file" else "rename"
real = getattr(Path, name)

def kill(path, target):
    if when == "after":
        real(path, target)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(Path, name, kill)
write = atomic.atomic_write if what == "file" else atomic.atomic_folder
with write(Path(out), LibraryError) as partial:
    if what == "file":
        partial.write_text("new")
    else:
        (partial / "a").write_text("new")
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_kill_while_renaming_leaves_the_old_or_the_new(tmp_path, when, what):
    out = tmp_path / "out"
    if what == "file":
        out.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, when, what, str(out)], check=False)
    assert done.returncode == -signal.SIGKILL
    inside = out if what == "file" else out / "a"
    content = inside.read_text() if inside.exists() else None
    assert content == ("new" if when == "after" else "old" if what == "file" else None)
    remove_stale(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"out"}


@pytest.mark.parametrize("mask", [0o077, 0o022])
def test_outputs_get_the_users_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_write(tmp_path / "file", LibraryError) as partial:
            partial.touch()
        with atomic_folder(tmp_path / "folder", LibraryError) as partial:
            (partial / "file").touch()
    finally:
        os.umask(before)
    for path, most in (("file", 0o666), ("folder", 0o777), ("folder/file", 0o666)):
        assert (tmp_path / path).stat().st_mode & 0o777 == most & ~mask
