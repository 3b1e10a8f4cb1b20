"""The folders of a library: which are films, which is meant, and keeping one out, in or no more."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from frame2sound.atomic import atomic_write, remove_folder, write_error_message
from frame2sound.errors import LibraryError

CARD_FILE = "film.json"
"""The file that makes a folder a pickled film; it is written last."""

ARRAY_FILES = ("frames.npy", "times.npy", "sound.npy")
"""What a film is pickled into."""

EXCLUDED_FILE = "excluded"
"""The file, empty, that keeps a film out of training and comparison."""


def film_folders(library: Path) -> list[Path]:
    """Return the folders that hold a film, or what is left of one, by name; links are none."""
    return [path for path in _candidate_folders(library) if not path.is_symlink()]


def symlinked_folders(library: Path) -> list[Path]:
    """Return the links to such folders, by name: they are not followed."""
    return [path for path in _candidate_folders(library) if path.is_symlink()]


def _candidate_folders(library: Path) -> list[Path]:
    folders = (path for path in library.glob("[!.]*") if path.is_dir())
    return sorted(
        p for p in folders if any(os.path.lexists(p / n) for n in (CARD_FILE, *ARRAY_FILES))
    )


def find_film_folder(library: Path, name: str) -> Path:
    """Return the folder of the film with this name, or the only one whose name begins so.

    Raises
    ------
    LibraryError
        There is none, or there are several.
    """
    folders = {path.name: path for path in film_folders(library)}
    if any(path.name == name for path in symlinked_folders(library)):
        raise LibraryError(
            f"{library / name} is a link, which is not followed; expected the folder itself: "
            "copy it there, or name the library that it belongs to"
        )
    return folders[resolve_film_name(name, folders, f"of {library}")]


def resolve_film_name(name: str, names: Iterable[str], owner: str) -> str:
    """Return the film with this name, or the only one whose name begins so.

    Parameters
    ----------
    where : str
        What the films are of, for the error.

    Raises
    ------
    LibraryError
        There is none, or there are several.
    """
    known = list(names)
    if name in known:
        return name
    begun = [each for each in known if name and each.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise LibraryError(
            f"got {name!r}, expected one film {owner}, and {len(begun)} begin so; "
            f"say more of: {', '.join(begun)}"
        )
    if not known:
        raise LibraryError(f"got {name!r}, expected a film {owner}, which holds none")
    near = get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]
    raise LibraryError(f"got {name!r}, expected a film {owner}; the nearest are: {', '.join(near)}")


def exclude(folder: Path) -> None:
    """Keep a film out of training and comparison, until it is included again."""
    with atomic_write(folder / EXCLUDED_FILE, LibraryError) as partial:
        partial.touch()


def include(folder: Path) -> None:
    """Let a film take part again."""
    try:
        with suppress(FileNotFoundError):
            (folder / EXCLUDED_FILE).unlink()
    except OSError as failure:
        raise LibraryError(write_error_message(folder, failure)) from failure


def delete_film(folder: Path) -> None:
    """Delete a film: at once as the library sees it, however long the disk takes."""
    remove_folder(folder, LibraryError)
