"""Locations of films and libraries: paths, or addresses that fsspec reads, as s3://a/b.mp4."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from frame2sound.errors import Frame2SoundError

_ADDRESS = re.compile(r"[a-zA-Z][\w+.-]+(://|::).+", re.DOTALL)

MAX_TEXT_BYTES = 16 << 20
"""Largest text file that is read from a remote system, in bytes."""


@dataclass(frozen=True)
class Address:
    """The address of a film or a folder on a remote system.

    Raises
    ------
    error
        From every method: fsspec does not know the kind of address or lacks a package for it, or
        the remote system refuses.

    Examples
    --------
    >>> Address("s3://archive/1931/city.mp4").name
    'city.mp4'
    """

    url: str
    error: type[Frame2SoundError] = Frame2SoundError

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of the address."""
        return PurePosixPath(self.url.split("?", 1)[0].rstrip("/")).name

    @property
    def stem(self) -> str:
        """The last part of the address without its suffix."""
        return PurePosixPath(self.name).stem

    def compute_stamp(self) -> str:
        """Return a hash of the remote system's metadata, which changes when the file does."""
        with self._translated_errors():
            self._filesystem.invalidate_cache()
            metadata = sorted(self._filesystem.info(self._path).items())
        return hashlib.sha256(repr(metadata).encode()).hexdigest()

    @contextmanager
    def local_copy(self) -> Iterator[Path]:
        """Yield the path of a temporary local copy of the file, with the same name."""
        with tempfile.TemporaryDirectory(prefix="frame2sound-") as folder:
            path = Path(folder) / self.name
            self.download("", path)
            yield path

    def list_names(self) -> list[str]:
        """Return the names in the folder; none if it does not exist."""
        with self._translated_errors():
            self._filesystem.invalidate_cache()
            if not self._filesystem.isdir(self._path):
                return []
            return sorted(
                PurePosixPath(each).name for each in self._filesystem.ls(self._path, False)
            )

    def download_text(self, name: str) -> str | None:
        """Return the text of a file in the folder, or None if it does not exist."""
        with self._translated_errors():
            try:
                size = self._filesystem.info(self._join(name)).get("size") or 0
                if size > MAX_TEXT_BYTES:
                    raise ValueError(f"{name} has {size} bytes, expected at most {MAX_TEXT_BYTES}")
                return str(self._filesystem.cat_file(self._join(name)).decode())
            except (FileNotFoundError, NotADirectoryError):
                return None

    def download(self, name: str, path: Path) -> None:
        """Copy a file of the folder to a path; an empty name stands for the address itself."""
        with self._translated_errors():
            self._filesystem.get_file(self._join(name), str(path))

    def upload(self, path: Path, name: str) -> None:
        """Copy a local file into the folder."""
        with self._translated_errors():
            self._filesystem.makedirs(str(PurePosixPath(self._join(name)).parent), exist_ok=True)
            self._filesystem.put_file(str(path), self._join(name))

    def delete(self, name: str) -> None:
        """Delete a file or a folder in the folder."""
        with self._translated_errors():
            self._filesystem.rm(self._join(name), recursive=True)

    def _join(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}" if name else self._path

    @cached_property
    def _system_and_path(self) -> tuple[Any, str]:
        import fsspec

        with self._translated_errors():
            system, path = fsspec.url_to_fs(self.url)
        return system, path

    @property
    def _filesystem(self) -> Any:
        return self._system_and_path[0]

    @property
    def _path(self) -> str:
        return self._system_and_path[1]

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Raise ``self.error`` with a message of one line for any error of fsspec."""
        try:
            yield
        except Frame2SoundError:
            raise
        except Exception as error:
            why = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(". ")
            raise self.error(
                f"{self} cannot be reached ({why}); expected an address that fsspec knows, "
                "where you may read and write"
            ) from error


Location = Path | Address


def parse_location(text: str, error: type[Frame2SoundError] = Frame2SoundError) -> Location:
    """Return the path or the address that a text means.

    A colon alone does not make an address: "12:30 take.mp4" is a file. A text that is the name of
    an existing file is a path.

    Examples
    --------
    >>> parse_location("https://films.example/city.mp4?size=small").name
    'city.mp4'
    """
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    if _ADDRESS.fullmatch(text) is None or os.path.lexists(text):
        return Path(text)
    return Address(text, error)
