"""The folder of a studio's project: its parts, the names in it, and what may be read from it."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from frame2sound.atomic import truncate_name, write_error_message
from frame2sound.errors import StudioError

ANIMATIONS, FILMS, LIBRARY = "animations", "films", "library"
BRAINS, TAKES, COMPARISONS = "brains", "takes", "comparisons"
SOUNDS, DRAWINGS, PAIRS, DRAWN, SUNG = "sounds", "drawings", "pairs", "drawn", "sung"
STATE = ".studio"
"""Jobs, their logs, and what can be computed again."""

_PARTS = (
    *(ANIMATIONS, FILMS, BRAINS, TAKES, COMPARISONS),
    *(SOUNDS, DRAWINGS, PAIRS, DRAWN, SUNG),
)
_READABLE = frozenset((*_PARTS, LIBRARY))

MAX_TITLE_BYTES = 120
"""Longest name of an uploaded file, in bytes; outputs add to it."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\%*?\ud800-\udfff\u202a-\u202e\u2066-\u2069]+")
"""Characters that steer a terminal, separate folders, or stand for several files."""

_UNSENDABLE = re.compile(r"[\n\r\ud800-\udfff]")
"""What no address of a page holds: ends of lines, and bytes that are no text."""


@dataclass(frozen=True)
class Project:
    """A project: one folder, outside which the studio reads and writes nothing.

    Attributes
    ----------
    root : Path
        Absolute.
    """

    root: Path

    @classmethod
    def create(cls, folder: Path) -> Project:
        """Return the project of a folder, and make the folder and its parts where they are missing.

        Raises
        ------
        StudioError
            The folder cannot be written, or a part of it is a link.
        """
        root = folder.expanduser().resolve()
        try:
            for part in (*_PARTS, LIBRARY, STATE, f"{STATE}/cache", f"{STATE}/output"):
                if (root / part).is_symlink():
                    raise StudioError(
                        f"{root / part} is a link; the studio follows none; move here what it "
                        "leads to"
                    )
            for part in (*_PARTS, STATE):
                (root / part).mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise StudioError(write_error_message(root, failure)) from failure
        return cls(root)

    @property
    def state(self) -> Path:
        """The folder of what the studio remembers."""
        return self.root / STATE

    def resolve(self, name: str) -> Path:
        """Return the path of a file or folder of the project, given from its root.

        Parameters
        ----------
        name : str
            As ``animations/walk.mp4``.

        Raises
        ------
        StudioError
            It is not there, is hidden, is or goes through a link, or lies outside.
        """
        parts = name.split("/")
        if parts[0] not in _READABLE or len(parts) < 2 or "\x00" in name:
            raise _unknown(name)
        if any(not part or part.startswith(".") for part in parts):
            raise _unknown(name)
        path = self.root
        try:
            for part in parts:
                path = path / part
                if stat.S_ISLNK(path.lstat().st_mode):
                    raise _unknown(name)
        except (OSError, ValueError) as failure:
            raise _unknown(name) from failure
        if not (path.is_file() or path.is_dir()):
            raise _unknown(name)
        return path

    def file(self, name: str) -> Path:
        """Return the path of a file of the project; see `resolve`."""
        path = self.resolve(name)
        if not path.is_file():
            raise _unknown(name)
        return path

    def names(self, part: str) -> list[str]:
        """Return the visible files and folders in a part, as `resolve` takes them."""
        return [f"{part}/{path.name}" for path in visible(self.root / part)]

    def new_name(self, part: str, title: str, suffix: str, taken: frozenset[str]) -> str:
        """Return a name ``PART/TITLE-001SUFFIX`` that no file has and that is not ``taken``."""
        stem = truncate_name(title, MAX_TITLE_BYTES)
        for number in range(1, 100_000):
            name = f"{part}/{stem}-{number:03}"
            is_used = any((self.root / part).glob(f"{_escape(f'{stem}-{number:03}')}.*"))
            if name not in taken and not is_used:
                return name + suffix
        raise StudioError(f"{part} holds 100000 files named {stem}; move some of them elsewhere")


def safe_title(name: str) -> str:
    """Return a name of an upload without what could leave its folder or be taken for an option.

    Examples
    --------
    >>> safe_title("../../etc/passwd"), safe_title("-rf.mp4"), safe_title("walk %03d.png")
    ('_.._etc_passwd', 'rf.mp4', 'walk _03d.png')
    """
    text = _UNSAFE.sub("_", name).strip().lstrip(".-").strip()
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > 8:
        return truncate_name(text, MAX_TITLE_BYTES) or "unnamed"
    return f"{truncate_name(stem, MAX_TITLE_BYTES) or 'unnamed'}.{suffix}"


def visible(folder: Path) -> Iterator[Path]:
    """Yield what is no link, and has a name that the page can send."""
    for path in sorted(folder.iterdir(), key=lambda each: each.name.lower()):
        is_text = not _UNSENDABLE.search(path.name)
        if is_text and not path.name.startswith(".") and not path.is_symlink():
            yield path


def _escape(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def _unknown(name: str) -> StudioError:
    return StudioError(f"there is no {name[:200]!r} in this project; reload the page")
