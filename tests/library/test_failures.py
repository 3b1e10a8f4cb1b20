"""A full disk or a vanishing film gives one line of error and leaves nothing incomplete."""

import errno
import os
import shutil
import subprocess
import sys

import pytest

from frame2sound.errors import FilmError, LibraryError
from frame2sound.library import pickler
from frame2sound.library.npy_writer import NpyWriter
from frame2sound.library.pickler import pickle_film


@pytest.fixture
def source(tmp_path, make_film):
    return make_film(tmp_path / "film.mkv", seconds=12)


def names(library):
    return sorted(path.name for path in library.path.rglob("*"))


@pytest.mark.parametrize(
    ("number", "match"),
    [
        (errno.ENOSPC, "^the disk is full, .* was not written; make room and run"),
        (errno.EROFS, r"cannot be written \(read-only file system\); choose a folder that you may"),
        (errno.EIO, r"cannot be written \(input/output error\)"),
    ],
)
@pytest.mark.parametrize("method", ["append", "_write_header"])
def test_a_disk_that_fails_half_way(source, library, monkeypatch, number, match, method):
    write, calls = getattr(NpyWriter, method), []

    def fail(self, *rows):
        calls.append(1)
        if len(calls) > 4:
            raise OSError(number, os.strerror(number))
        write(self, *rows)

    monkeypatch.setattr(NpyWriter, method, fail)
    with pytest.raises(LibraryError, match=match) as caught:
        pickle_film(source, library)
    assert "\n" not in str(caught.value)
    assert names(library) == ["library.json"]


SMALL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
sys.argv = ["frame2sound", *sys.argv[1:]]
from frame2sound.cli import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs RLIMIT_FSIZE")
def test_the_command_says_that_the_disk_is_full(source, library):
    words = ["pickle", source, "--library", library.path, "--no-calibration", "--jobs", "1"]
    result = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, *words], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert "the disk is full, " in result.stderr
    assert "Traceback" not in result.stderr
    assert names(library) == [".lock", "library.json"]


def meanwhile(monkeypatch, happen):
    """Call a function when the first frames are written."""
    append, once = NpyWriter.append, []

    def write(self, rows):
        if not once:
            once.append(happen())
        append(self, rows)

    monkeypatch.setattr(NpyWriter, "append", write)


def test_a_film_truncated_while_it_is_read(source, library, monkeypatch):
    meanwhile(monkeypatch, lambda: os.truncate(source, 300_000))
    with pytest.raises(FilmError, match=r"film\.mkv (is damaged|changed while)") as caught:
        pickle_film(source, library)
    assert "\n" not in str(caught.value)
    assert names(library) == ["library.json"]


def test_a_film_that_grows_while_it_is_read(source, library, monkeypatch):
    def grow():
        with source.open("ab") as file:
            file.write(bytes(1000))

    meanwhile(monkeypatch, grow)
    with pytest.raises(FilmError, match="changed while it was being pickled; wait until"):
        pickle_film(source, library)
    assert names(library) == ["library.json"]


def test_a_film_that_is_replaced_while_it_is_read(
    source, tmp_path, make_film, library, monkeypatch
):
    other = make_film(tmp_path / "other.mkv", seed=1)
    meanwhile(monkeypatch, lambda: other.replace(source))
    with pytest.raises(FilmError, match="changed while it was being pickled; wait until"):
        pickle_film(source, library)
    assert names(library) == ["library.json"]


def test_a_film_deleted_while_it_is_read_is_complete_or_absent(source, library, monkeypatch):
    meanwhile(monkeypatch, source.unlink)
    try:
        film, _ = pickle_film(source, library)
    except FilmError:
        assert names(library) == ["library.json"]
    else:
        assert film.frames.shape == (300, 64, 64)


@pytest.mark.parametrize("moment", ["film_digest", "FilmReader"])
def test_a_film_deleted_before_it_is_read(source, library, monkeypatch, moment):
    function = getattr(pickler, moment)

    def go(*args, **settings):
        returned = function(*args, **settings)
        source.unlink()
        return returned

    monkeypatch.setattr(pickler, moment, go)
    with pytest.raises(FilmError, match=r"film\.mkv: no such file"):
        pickle_film(source, library)
    assert names(library) == ["library.json"]


def test_a_library_deleted_while_a_film_is_pickled(source, library, monkeypatch):
    meanwhile(monkeypatch, lambda: shutil.rmtree(library.path))
    with pytest.raises(LibraryError, match=r"cannot be written \(no such file or directory\)"):
        pickle_film(source, library)
    assert not library.path.exists()
