"""Read files of unknown origin safely: only regular files, of limited size, with plain values.

Other files raise `OSError` or `ValueError` before a read that could block or fill the memory.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import tomllib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import Frame2SoundError, error_reason

MAX_JSON_BYTES = 16 << 20
"""Largest JSON file in bytes; the card of a film has a thousandth of that."""

MAX_TOML_BYTES, MAX_TOML_LINE = 1 << 16, 2000
"""Largest TOML file in bytes, and longest line: parsing time is quadratic in a key's parts."""

MAX_HEADER_BYTES = 64 << 20
"""Largest header of a .safetensors file in bytes."""

PYTHON_PICKLE = "a Python pickle"

_SIGNATURES = (
    (0, b"\x80", PYTHON_PICKLE),
    (0, b"PK\x03\x04", PYTHON_PICKLE),
    (4, b"ftyp", "a film"),
    (4, b"moov", "a film"),
    (4, b"mdat", "a film"),
    (0, b"\x1aE\xdf\xa3", "a film"),
    (0, b"RIFF", "a film or a sound"),
    (0, b"OggS", "a film or a sound"),
    (0, b"FLV", "a film"),
    (0, b"\x00\x00\x01\xba", "a film"),
    (0, b"G", "a film"),
    (0, b"0&\xb2u", "a film"),
    (0, b"ID3", "a sound"),
    (0, b"fLaC", "a sound"),
    (0, b"GIF8", "a picture"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8", "a picture"),
)
"""File signatures: their offset, their bytes, and the kind of file."""

_IRREGULAR_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(
    path: Path, max_bytes: int | None = None, *, follow_links: bool = False
) -> IO[bytes]:
    """Open a regular file for reading, without blocking.

    The checks are made on the open file, so that it cannot be replaced in between.

    Parameters
    ----------
    path : Path
    max_bytes : int, optional
        Largest accepted size.
    follow_links : bool
        Whether a symbolic link is followed. Use it for paths that a user gives, not for files
        inside a folder that a user gives.

    Raises
    ------
    OSError
        The file cannot be opened, is a link, a folder, a named pipe or a device, or is too large.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags if follow_links else flags | os.O_NOFOLLOW)
    except OSError as failure:
        if failure.errno in (errno.ELOOP, errno.ENXIO):
            raise _irregular_error(path, path.lstat().st_mode) from failure
        raise
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise _irregular_error(path, state.st_mode)
        if max_bytes is not None and state.st_size > max_bytes:
            raise OSError(errno.EFBIG, _size_message(state.st_size, max_bytes), str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_bytes(path: Path, max_bytes: int, *, follow_links: bool = False) -> bytes:
    """Return the bytes of a regular file; see `open_regular`."""
    with open_regular(path, max_bytes, follow_links=follow_links) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:  # the file has grown since it was opened
        raise OSError(errno.EFBIG, _size_message(len(data), max_bytes), str(path))
    return data


def read_text(path: Path, max_bytes: int = MAX_JSON_BYTES, *, follow_links: bool = False) -> str:
    """Return the text of a regular file; raise `ValueError` if it is not UTF-8."""
    return read_bytes(path, max_bytes, follow_links=follow_links).decode("utf-8")


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES, *, follow_links: bool = False) -> Any:
    """Return the plain values of a JSON file; raise `ValueError` if it is not JSON."""
    return parse_json(read_text(path, max_bytes, follow_links=follow_links))


def parse_json(text: str) -> Any:
    """Return the plain values of a JSON text; raise `ValueError` if it is not JSON or too deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return the table of a TOML file that a user gives; raise `ValueError` if it is not TOML."""
    text = read_text(path, MAX_TOML_BYTES, follow_links=True)
    longest = max(map(len, text.splitlines()), default=0)
    if longest > MAX_TOML_LINE:
        raise ValueError(f"a line of {longest} characters, expected at most {MAX_TOML_LINE}")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def map_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the array of a ``.npy`` file, mapped into memory and read-only.

    Raises
    ------
    OSError
        See `open_regular`.
    ValueError
        The file is not an array of this type and shape to its last byte.
    """
    with open_regular(path) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("not in version 1.0 of the .npy format")
        got_shape, fortran, got = np.lib.format.read_array_header_1_0(file)
        if (got, got_shape, fortran) != (dtype, shape, False):
            raise ValueError(f"it holds {got} {_truncate(got_shape)}, expected {dtype} {shape}")
        begin, size = file.tell(), os.fstat(file.fileno()).st_size
        count = int(np.prod(shape, dtype=object))
        if size != begin + count * dtype.itemsize:
            raise ValueError(f"it has {size} bytes, expected {begin + count * dtype.itemsize}")
        if not count:
            return np.zeros(shape, dtype)
        return np.memmap(file, dtype, "r", begin, shape)


def read_safetensors_prefix(path: Path) -> bytes:
    """Return the first 64 bytes of a file, before it is opened as .safetensors.

    Raises
    ------
    OSError
        The file cannot be read, or is not a regular file.
    ValueError
        Its header is larger than `MAX_HEADER_BYTES`.
    """
    with open_regular(path, follow_links=True) as file:
        prefix = file.read(64)
    length = int.from_bytes(prefix[:8], "little")
    if prefix[8:9] == b"{" and length > MAX_HEADER_BYTES:
        raise ValueError(f"its header has {length} bytes, expected at most {MAX_HEADER_BYTES}")
    return prefix


def guess_file_kind(prefix: bytes) -> str:
    """Return the kind of a file by its first bytes; an empty text if it may be .safetensors."""
    if len(prefix) < 9 or prefix[8:9] == b"{":
        return ""
    kinds = (kind for at, signature, kind in _SIGNATURES if prefix[at:].startswith(signature))
    return next(kinds, "an unknown file")


def one_line_reason(error: Exception) -> str:
    """Return the reason that an error gives, in one line of at most 200 characters."""
    return " ".join(error_reason(error).split())[:200]


def refuse_newer_version(
    version: object, supported: int, subject: object, error: type[Frame2SoundError]
) -> None:
    """Raise ``error`` if ``version`` is higher than the version that the program supports."""
    if type(version) is int and version > supported:
        raise error(
            f"{subject} was made by a newer version of the program (it has version "
            f"{_truncate(version)}, this program reads up to {supported}); update the program"
        )


def _irregular_error(path: Path, mode: int) -> OSError:
    kind = next((name for matches, name in _IRREGULAR_KINDS if matches(mode)), "something else")
    return OSError(errno.EINVAL, f"it is {kind}, expected a regular file", str(path))


def _size_message(size: int, max_bytes: int) -> str:
    return f"it has {size} bytes, expected at most {max_bytes}"


def _truncate(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def escape_formula(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: such text gets an apostrophe in front.

    As OWASP advises against "CSV injection". Numbers stay numbers, and line breaks are escaped.
    """
    if not isinstance(value, str):
        return value
    is_formula = value.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return ("'" * is_formula + value).replace("\r", "\\r").replace("\n", "\\n")
