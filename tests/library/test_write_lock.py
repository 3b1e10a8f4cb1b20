"""Only one process writes to a library at a time, and a killed one does not block the next."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from frame2sound.errors import LibraryError
from frame2sound.library.folders import delete_film
from frame2sound.library.store import Library
from frame2sound.library.write_lock import HOLDER_FILE, write_lock


def test_a_second_writer_is_told_who_holds_the_lock(library):
    with write_lock(library.path):
        table = json.loads((library.path / HOLDER_FILE).read_text())
        assert table["process"] == os.getpid()
        assert table["host"] == socket.gethostname()
        match = rf"being written to by process {os.getpid()} on .* since {table['since']}.*; wait"
        with (
            pytest.raises(LibraryError, match=match.replace("+", r"\+")),
            write_lock(library.path),
        ):
            pytest.fail("the body must not run")
        assert (library.path / HOLDER_FILE).exists()
    assert not (library.path / HOLDER_FILE).exists()
    with write_lock(library.path):
        pass


def test_readers_need_no_lock(library, add_film):
    add_film(library, "film")
    with write_lock(library.path):
        assert Library.open(library.path).films()[0].sound.shape == (8000,)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"process": 1}'])
def test_an_unknown_holder_is_another_process(library, text):
    with write_lock(library.path):
        (library.path / HOLDER_FILE).write_text(text)
        with pytest.raises(LibraryError, match="by another process;"), write_lock(library.path):
            pytest.fail("the body must not run")


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_writer_that_fails_releases_the_lock(library, failure):
    with pytest.raises(failure), write_lock(library.path):
        raise failure
    with write_lock(library.path):
        pass


HOLDS = """
import sys, time
from pathlib import Path
from frame2sound.library.write_lock import write_lock
from frame2sound.errors import LibraryError
from frame2sound.atomic import atomic_folder
path = Path(sys.argv[1])
with write_lock(path), atomic_folder(path / "film", LibraryError) as partial:
    (partial / "frames.npy").write_bytes(b"half")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_after_a_killed_writer_the_next_one_cleans_up(library):
    command = [sys.executable, "-c", HOLDS, library.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(LibraryError, match=f"by process {holder.pid} on"),
            write_lock(library.path),
        ):
            pytest.fail("the body must not run")
        holder.kill()
    assert list(library.path.glob(".film.*.partial"))
    with write_lock(library.path):
        assert json.loads((library.path / HOLDER_FILE).read_text())["process"] == os.getpid()
        assert not list(library.path.glob(".film.*.partial"))


def test_a_full_disk_does_not_prevent_deletion(library, add_film, monkeypatch):
    film = add_film(library, "film")

    def full(self, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with write_lock(library.path):
        assert not (library.path / HOLDER_FILE).exists()
        delete_film(film.path)
    assert library.films() == []


def test_a_folder_that_cannot_be_written_is_an_error(library, monkeypatch):
    def refuse(self, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    match = r"cannot be written \(permission denied\); choose a folder that you may write to"
    with pytest.raises(LibraryError, match=match), write_lock(library.path):
        pytest.fail("the body must not run")
