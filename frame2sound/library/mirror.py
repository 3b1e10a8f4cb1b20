"""A library on another system, and the copy of it here that is read and written."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from frame2sound.errors import LibraryError
from frame2sound.library.folders import ARRAYS, CARD, EXCLUDED, drop, film_folders
from frame2sound.library.lock import writing
from frame2sound.places import Address, Place, place
from frame2sound.safe import unwritable, whole_file, whole_folder
from frame2sound.untrusted import read_text

ABOUT = "library.json"
"""The file that makes a folder a library."""

TIMES = "times.npy"
"""What must be here of a film to pickle others beside it."""


class Mirror:
    """A copy of a library, kept in the user's cache from one time to the next.

    Films are copied one by one, and each appears whole: there with its card, which is sent last.

    Parameters
    ----------
    address : Address
        The library's folder. Nobody else may write to it meanwhile: no lock reaches so far.

    Attributes
    ----------
    path : Path
        The copy.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.path = cache() / hashlib.sha256(address.url.encode()).hexdigest()[:16]
        self._there: dict[str, str] = {}

    def fetch(self, *, whole: bool = True, new: bool = False) -> Path:
        """Make the copy like the library, and return where it is.

        Parameters
        ----------
        whole : bool
            With pictures and sound; else with what must be known to add films.
        new : bool
            There may be no library yet.

        Raises
        ------
        LibraryError
            There is none, or another process here is writing to the copy.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise LibraryError(
                f"{unwritable(self.path, failure)}; it would hold a copy of {self.address}: "
                "set XDG_CACHE_HOME to a folder that you may write to"
            ) from failure
        with FileLock(self.path.with_suffix(".lock")), writing(self.path):
            about = self.address.read(ABOUT)
            if about is None and not new:
                raise LibraryError(
                    f"{self.address} is no library; make one with: "
                    f"frame2sound pickle FILM... --library {self.address}"
                )
            if about is None:
                (self.path / ABOUT).unlink(missing_ok=True)
            else:
                with whole_file(self.path / ABOUT, LibraryError) as partial:
                    partial.write_text(about)
            self._there = self._cards()
            for folder in film_folders(self.path):
                if folder.name not in self._there:
                    drop(folder)
            for name, card in self._there.items():
                self._fetch_film(name, card, ARRAYS if whole else (TIMES,))
        return self.path

    def push(self) -> None:
        """Make the library like the copy: what is new, excluded or included; and what was dropped.

        What others have put there since it was fetched is left alone.
        """
        if not (self.path / ABOUT).exists():
            return
        if self.address.read(ABOUT) is None:
            self.address.send(self.path / ABOUT, ABOUT)
        folders = (folder for folder in film_folders(self.path) if (folder / CARD).exists())
        here = {folder.name: folder for folder in folders}
        for name, folder in here.items():
            card = read_text(folder / CARD)
            if self._there.get(name) != card:
                for array in (*ARRAYS, CARD):
                    self.address.send(folder / array, f"{name}/{array}")
                self._there[name] = card
            self._push_mark(name, folder)
        for name in set(self._there) - set(here):
            self.address.remove(f"{name}/{CARD}")
            self.address.remove(name)
            del self._there[name]

    def _cards(self) -> dict[str, str]:
        names = [name for name in self.address.names() if not name.startswith(".")]
        cards = {name: self.address.read(f"{name}/{CARD}") for name in names}
        return {name: card for name, card in cards.items() if card is not None}

    def _fetch_film(self, name: str, card: str, arrays: tuple[str, ...]) -> None:
        folder = self.path / name
        excluded = self.address.read(f"{name}/{EXCLUDED}") is not None
        if not _holds(folder, card, arrays):
            if folder.exists():
                drop(folder)
            with whole_folder(folder, LibraryError, CARD) as partial:
                for array in arrays:
                    self.address.fetch(f"{name}/{array}", partial / array)
                (partial / CARD).write_text(card)
        with suppress(FileNotFoundError):
            (folder / EXCLUDED).unlink()
        if excluded:
            (folder / EXCLUDED).touch()

    def _push_mark(self, name: str, folder: Path) -> None:
        marked = self.address.read(f"{name}/{EXCLUDED}") is not None
        excluded = (folder / EXCLUDED).exists()
        if excluded and not marked:
            self.address.send(folder / EXCLUDED, f"{name}/{EXCLUDED}")
        elif marked and not excluded:
            self.address.remove(f"{name}/{EXCLUDED}")


class Home:
    """A library in a folder of this machine, as a `Mirror` of itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fetch(self, *, whole: bool = True, new: bool = False) -> Path:
        """Return the folder."""
        return self.path

    def push(self) -> None:
        """Do nothing: it is all there."""


def at_hand(library: str) -> Home | Mirror:
    """Return where a library can be read and written, be it a folder or an address."""
    lies: Place = place(library, LibraryError)
    return Home(lies) if isinstance(lies, Path) else Mirror(lies)


def cache() -> Path:
    """Return the folder of copies: in XDG_CACHE_HOME, or else in ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "frame2sound" / "libraries"


def _holds(folder: Path, card: str, arrays: tuple[str, ...]) -> bool:
    if not all((folder / array).exists() for array in arrays):
        return False
    try:
        return read_text(folder / CARD) == card
    except (OSError, ValueError):
        return False
