"""Untrusted files are read only if they are regular, of limited size and plain."""

import json
import os
import socket
import struct
from pathlib import Path

import numpy as np
import pytest

from frame2sound.errors import LibraryError
from frame2sound.untrusted import (
    MAX_TOML_LINE,
    guess_file_kind,
    map_array,
    open_regular,
    parse_json,
    read_bytes,
    read_json,
    read_toml,
    refuse_newer_version,
)


def fifo(path):
    os.mkfifo(path)


def listening(path):
    socket.socket(socket.AF_UNIX).bind(str(path))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (fifo, "it is a named pipe, expected a regular file"),
        (lambda p: p.mkdir(), "it is a folder, expected a regular file"),
        (lambda p: p.symlink_to("/dev/zero"), "it is a link, expected a regular file"),
        (lambda p: p.symlink_to("nowhere"), "it is a link, expected a regular file"),
        (listening, "it is a socket, expected a regular file"),
        (lambda p: p.write_bytes(bytes(11)), "it has 11 bytes, expected at most 10"),
    ],
)
def test_only_small_regular_files_are_read(tmp_path, monkeypatch, make, why):
    monkeypatch.chdir(tmp_path)  # the address of a socket is short
    path = Path("file")
    make(path)
    with pytest.raises(OSError, match="expected") as error:
        read_bytes(path, 10)
    assert error.value.strerror == why


def test_a_device_behind_a_link_is_not_read(tmp_path):
    path = tmp_path / "brain"
    path.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="it is a device"):
        open_regular(path, follow_links=True)
    path.unlink()
    (tmp_path / "there").write_text("{}")
    path.symlink_to(tmp_path / "there")
    assert read_json(path, follow_links=True) == {}


def test_refused_files_are_closed(tmp_path):
    fifo(tmp_path / "pipe")
    handles = Path("/proc/self/fd")
    if not handles.is_dir():
        pytest.skip("this system does not tell which files are open")
    before = len(list(handles.iterdir()))
    for _ in range(5):
        with pytest.raises(OSError, match="named pipe"):
            open_regular(tmp_path / "pipe")
    assert len(list(handles.iterdir())) == before


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a":' * 10**5, "1" * 5000, ""])
def test_invalid_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a" * 70_000, "it has 70000 bytes, expected at most 65536"),
        (".".join("a" * 2000) + " = 1", f"a line of .* expected at most {MAX_TOML_LINE}"),
        ("a = " + "1" * 1990, "."),
        ("a = " + "[" * 1990, "."),
    ],
)
def test_huge_toml_is_refused_at_once(tmp_path, text, why):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    if text.startswith("a = 1"):
        assert read_toml(path) == {"a": int("1" * 1990)}
        return
    with pytest.raises((OSError, ValueError), match=why):
        read_toml(path)


def npy(shape=(3,), descr="<f4", version=(1, 0), header=None):
    text = header or repr({"descr": descr, "fortran_order": False, "shape": shape})
    data = text.encode() + b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(data))
    return b"\x93NUMPY" + bytes(version) + size + data


KIND = np.dtype(np.float32)


def test_an_array_is_mapped_read_only(tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(npy() + np.float32([1, 2, 3]).tobytes())
    array = map_array(path, KIND, (3,))
    assert array.tolist() == [1, 2, 3]
    assert isinstance(array, np.memmap)
    assert not array.flags.writeable
    path.write_bytes(npy((0,)))
    assert map_array(path, KIND, (0,)).shape == (0,)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        npy()[:20],
        npy() + bytes(11),
        npy() + bytes(13),
        npy((3, 1)) + bytes(12),
        npy((10**18,)) + bytes(12),
        npy((-3,)) + bytes(12),
        npy(descr="|O") + bytes(24),
        npy(descr=">f4") + bytes(12),
        npy(version=(2, 0)) + bytes(12),
        npy(version=(9, 0)) + bytes(12),
        npy(header="{" * 60_000) + bytes(12),
        npy(header="__import__('os').mkdir('crater')") + bytes(12),
        npy(header=repr({"descr": "<f4", "fortran_order": True, "shape": (3,)})) + bytes(12),
    ],
    ids=range(14),
)
def test_an_array_that_contradicts_its_header_is_refused(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"."):
        map_array(path, KIND, (3,))
    assert [each.name for each in tmp_path.iterdir()] == ["a.npy"]


def test_a_newer_version_says_to_update():
    for version in (True, "9", None, 2.5, 3):
        refuse_newer_version(version, 3, "it", LibraryError)
    with pytest.raises(LibraryError, match="made by a newer version of the program") as error:
        refuse_newer_version(10**300, 3, "it", LibraryError)
    assert str(error.value).endswith("this program reads up to 3); update the program")
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (bytes(4) + b"ftypisom", "a film"),
        (b"\x1aE\xdf\xa3" + bytes(8), "a film"),
        (b"RIFF" + bytes(8), "a film or a sound"),
        (b"\x80\x05" + bytes(10), "a Python pickle"),
        (b"name = 'deep'\n", "an unknown file"),
        (bytes(100), "an unknown file"),
        (struct.pack("<Q", 5) + b"{", ""),
        (b"\x80" + bytes(7) + b'{"a', ""),
        (b"", ""),
    ],
)
def test_the_kind_of_a_file_is_guessed_by_its_signature(head, kind):
    assert guess_file_kind(head) == kind


def test_a_file_that_grows_while_it_is_read_is_bounded(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text(json.dumps("x" * 100))
    monkeypatch.setattr(os, "fstat", lambda handle, real=os.fstat: _small(real(handle)))
    with pytest.raises(OSError, match="it has 51 bytes, expected at most 50"):
        read_json(path, 50)


def _small(state):
    return os.stat_result((state.st_mode, *state[1:6], 5, *state[7:]))
