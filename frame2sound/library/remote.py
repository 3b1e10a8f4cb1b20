"""A library on a remote system, and the local copy that the program reads and writes."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from frame2sound.atomic import atomic_folder, atomic_write, write_error_message
from frame2sound.errors import LibraryError
from frame2sound.library.card import Card, media_files
from frame2sound.library.folders import (
    ARRAY_FILES,
    CARD_FILE,
    EXCLUDED_FILE,
    LIBRARY_FILE,
    delete_film,
    film_folders,
)
from frame2sound.library.store import CREATE_REMEDY
from frame2sound.library.write_lock import write_lock
from frame2sound.storage import Address, Location, parse_location
from frame2sound.untrusted import read_text

TIMES_FILE = "times.npy"
"""The only array of a film that must be local to add other films."""


class RemoteLibrary:
    """A remote library with a local copy in the user's cache folder.

    Films are transferred one by one, and each becomes visible when it is complete: its card is sent
    last.

    Parameters
    ----------
    address : Address
        The library's folder. No lock protects it, so nobody else may write to it at the same time.

    Attributes
    ----------
    path : Path
        The local copy.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.path = cache_folder() / hashlib.sha256(address.url.encode()).hexdigest()[:16]
        self._remote_cards: dict[str, str] = {}

    def fetch(self, *, with_media: bool = True, allow_missing: bool = False) -> Path:
        """Update the local copy from the remote library, and return its path.

        Parameters
        ----------
        with_media : bool
            Whether to fetch frames and sound; without, only what adding films needs.
        allow_missing : bool
            Whether the remote library need not exist yet.

        Raises
        ------
        LibraryError
            The remote library does not exist, or another local process is writing to the copy.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise LibraryError(
                f"{write_error_message(self.path, failure)}; it would hold a copy of "
                f"{self.address}: set XDG_CACHE_HOME to a folder that you may write to"
            ) from failure
        with FileLock(self.path.with_suffix(".lock")), write_lock(self.path):
            library_text = self.address.download_text(LIBRARY_FILE)
            if library_text is None and not allow_missing:
                raise LibraryError(f"{self.address} is no library; {CREATE_REMEDY}")
            if library_text is None:
                (self.path / LIBRARY_FILE).unlink(missing_ok=True)
            else:
                with atomic_write(self.path / LIBRARY_FILE, LibraryError) as partial:
                    partial.write_text(library_text)
            self._remote_cards = self._read_remote_cards()
            for folder in film_folders(self.path):
                if folder.name not in self._remote_cards:
                    delete_film(folder)
            for name, card in self._remote_cards.items():
                self._fetch_film(name, card, _media_files(card) if with_media else (TIMES_FILE,))
        return self.path

    def push(self) -> None:
        """Update the remote library from the local copy: new, excluded, included, deleted films.

        Films that others have added to the remote library since it was fetched are left alone.
        """
        if not (self.path / LIBRARY_FILE).exists():
            return
        if self.address.download_text(LIBRARY_FILE) is None:
            self.address.upload(self.path / LIBRARY_FILE, LIBRARY_FILE)
        folders = (folder for folder in film_folders(self.path) if (folder / CARD_FILE).exists())
        local = {folder.name: folder for folder in folders}
        for name, folder in local.items():
            card = read_text(folder / CARD_FILE)
            if self._remote_cards.get(name) != card:
                for file in (*_media_files(card), CARD_FILE):
                    self.address.upload(folder / file, f"{name}/{file}")
                self._remote_cards[name] = card
            self._push_exclusion(name, folder)
        for name in set(self._remote_cards) - set(local):
            self.address.delete(f"{name}/{CARD_FILE}")
            self.address.delete(name)
            del self._remote_cards[name]

    def _read_remote_cards(self) -> dict[str, str]:
        names = [name for name in self.address.list_names() if not name.startswith(".")]
        cards = {name: self.address.download_text(f"{name}/{CARD_FILE}") for name in names}
        return {name: card for name, card in cards.items() if card is not None}

    def _fetch_film(self, name: str, card: str, files: tuple[str, ...]) -> None:
        folder = self.path / name
        excluded = self.address.download_text(f"{name}/{EXCLUDED_FILE}") is not None
        if not _is_up_to_date(folder, card, files):
            if folder.exists():
                delete_film(folder)
            with atomic_folder(folder, LibraryError, CARD_FILE) as partial:
                for file in files:
                    self.address.download(f"{name}/{file}", partial / file)
                (partial / CARD_FILE).write_text(card)
        with suppress(FileNotFoundError):
            (folder / EXCLUDED_FILE).unlink()
        if excluded:
            (folder / EXCLUDED_FILE).touch()

    def _push_exclusion(self, name: str, folder: Path) -> None:
        is_remote = self.address.download_text(f"{name}/{EXCLUDED_FILE}") is not None
        is_local = (folder / EXCLUDED_FILE).exists()
        if is_local and not is_remote:
            self.address.upload(folder / EXCLUDED_FILE, f"{name}/{EXCLUDED_FILE}")
        elif is_remote and not is_local:
            self.address.delete(f"{name}/{EXCLUDED_FILE}")


class LocalLibrary:
    """A library in a local folder, with the interface of `RemoteLibrary`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fetch(self, *, with_media: bool = True, allow_missing: bool = False) -> Path:
        """Return the folder."""
        return self.path

    def push(self) -> None:
        """Do nothing, because the folder is the library."""


def locate_library(library: str) -> LocalLibrary | RemoteLibrary:
    """Return the library at a path or an address, not yet fetched."""
    location: Location = parse_location(library, LibraryError)
    return LocalLibrary(location) if isinstance(location, Path) else RemoteLibrary(location)


def cache_folder() -> Path:
    """Return the folder of local copies: in XDG_CACHE_HOME, or else in ``~/.cache``."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "frame2sound" / "libraries"


def _media_files(card: str) -> tuple[str, ...]:
    """Return the files of a film by the text of its card; those of any film if it is damaged."""
    try:
        return media_files(Card.from_json(card))
    except (LibraryError, ValueError):
        return ARRAY_FILES


def _is_up_to_date(folder: Path, card: str, files: tuple[str, ...]) -> bool:
    if not all((folder / file).exists() for file in files):
        return False
    try:
        return read_text(folder / CARD_FILE) == card
    except (OSError, ValueError):
        return False
