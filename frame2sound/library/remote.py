"""A library on another system, and the copy of it here that is read and written."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from frame2sound.atomic import atomic_folder, atomic_write, write_error_message
from frame2sound.errors import LibraryError
from frame2sound.library.folders import (
    ARRAY_FILES,
    CARD_FILE,
    EXCLUDED_FILE,
    delete_film,
    film_folders,
)
from frame2sound.library.write_lock import write_lock
from frame2sound.storage import Address, Location, parse_location
from frame2sound.untrusted import read_text

LIBRARY_FILE = "library.json"
"""The file that makes a folder a library."""

TIMES_FILE = "times.npy"
"""What must be here of a film to pickle others beside it."""


class RemoteLibrary:
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
        self.path = cache_folder() / hashlib.sha256(address.url.encode()).hexdigest()[:16]
        self._remote_cards: dict[str, str] = {}

    def fetch(self, *, with_media: bool = True, allow_missing: bool = False) -> Path:
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
                f"{write_error_message(self.path, failure)}; it would hold a copy of {self.address}: "
                "set XDG_CACHE_HOME to a folder that you may write to"
            ) from failure
        with FileLock(self.path.with_suffix(".lock")), write_lock(self.path):
            about = self.address.download_text(LIBRARY_FILE)
            if about is None and not allow_missing:
                raise LibraryError(
                    f"{self.address} is no library; make one with: "
                    f"frame2sound pickle FILM... --library {self.address}"
                )
            if about is None:
                (self.path / LIBRARY_FILE).unlink(missing_ok=True)
            else:
                with atomic_write(self.path / LIBRARY_FILE, LibraryError) as partial:
                    partial.write_text(about)
            self._remote_cards = self._read_remote_cards()
            for folder in film_folders(self.path):
                if folder.name not in self._remote_cards:
                    delete_film(folder)
            for name, card in self._remote_cards.items():
                self._fetch_film(name, card, ARRAY_FILES if with_media else (TIMES_FILE,))
        return self.path

    def push(self) -> None:
        """Make the library like the copy: what is new, excluded or included; and what was dropped.

        What others have put there since it was fetched is left alone.
        """
        if not (self.path / LIBRARY_FILE).exists():
            return
        if self.address.download_text(LIBRARY_FILE) is None:
            self.address.upload(self.path / LIBRARY_FILE, LIBRARY_FILE)
        folders = (folder for folder in film_folders(self.path) if (folder / CARD_FILE).exists())
        here = {folder.name: folder for folder in folders}
        for name, folder in here.items():
            card = read_text(folder / CARD_FILE)
            if self._remote_cards.get(name) != card:
                for array in (*ARRAY_FILES, CARD_FILE):
                    self.address.upload(folder / array, f"{name}/{array}")
                self._remote_cards[name] = card
            self._push_exclusion(name, folder)
        for name in set(self._remote_cards) - set(here):
            self.address.delete(f"{name}/{CARD_FILE}")
            self.address.delete(name)
            del self._remote_cards[name]

    def _read_remote_cards(self) -> dict[str, str]:
        names = [name for name in self.address.list_names() if not name.startswith(".")]
        cards = {name: self.address.download_text(f"{name}/{CARD_FILE}") for name in names}
        return {name: card for name, card in cards.items() if card is not None}

    def _fetch_film(self, name: str, card: str, arrays: tuple[str, ...]) -> None:
        folder = self.path / name
        excluded = self.address.download_text(f"{name}/{EXCLUDED_FILE}") is not None
        if not _is_up_to_date(folder, card, arrays):
            if folder.exists():
                delete_film(folder)
            with atomic_folder(folder, LibraryError, CARD_FILE) as partial:
                for array in arrays:
                    self.address.download(f"{name}/{array}", partial / array)
                (partial / CARD_FILE).write_text(card)
        with suppress(FileNotFoundError):
            (folder / EXCLUDED_FILE).unlink()
        if excluded:
            (folder / EXCLUDED_FILE).touch()

    def _push_exclusion(self, name: str, folder: Path) -> None:
        marked = self.address.download_text(f"{name}/{EXCLUDED_FILE}") is not None
        excluded = (folder / EXCLUDED_FILE).exists()
        if excluded and not marked:
            self.address.upload(folder / EXCLUDED_FILE, f"{name}/{EXCLUDED_FILE}")
        elif marked and not excluded:
            self.address.delete(f"{name}/{EXCLUDED_FILE}")


class LocalLibrary:
    """A library in a folder of this machine, as a `Mirror` of itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fetch(self, *, with_media: bool = True, allow_missing: bool = False) -> Path:
        """Return the folder."""
        return self.path

    def push(self) -> None:
        """Do nothing: it is all there."""


def locate_library(library: str) -> LocalLibrary | RemoteLibrary:
    """Return where a library can be read and written, be it a folder or an address."""
    lies: Location = parse_location(library, LibraryError)
    return LocalLibrary(lies) if isinstance(lies, Path) else RemoteLibrary(lies)


def cache_folder() -> Path:
    """Return the folder of copies: in XDG_CACHE_HOME, or else in ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "frame2sound" / "libraries"


def _is_up_to_date(folder: Path, card: str, arrays: tuple[str, ...]) -> bool:
    if not all((folder / array).exists() for array in arrays):
        return False
    try:
        return read_text(folder / CARD_FILE) == card
    except (OSError, ValueError):
        return False
