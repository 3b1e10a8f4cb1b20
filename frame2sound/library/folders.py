"""The files of a library: which folders are films; find, exclude, include and delete them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from frame2sound.atomic import atomic_write, remove_folder, write_error_message
from frame2sound.errors import LibraryError
from frame2sound.name_matching import match_film_name

LIBRARY_FILE = "library.json"
"""The file that makes a folder a library."""

CARD_FILE = "film.json"
"""The file that makes a folder a pickled film; it is written last."""

ARRAY_FILES = ("frames.npy", "times.npy", "sound.npy")
"""The arrays of a pickled film."""

FULL_SOUND_FILE = "full_sound.flac"
"""A pickled film's sound as it is heard; only some films have it, as their card says."""

DEFAULT_FULL_RATE = 48_000
"""The highest sample rate at which a film's sound is kept as it is heard by default, in Hz."""

DAMAGED_REMEDY = "copy its folder again, or exclude it and pickle the film into another library"
"""The remedy in messages about damaged files of a film."""

EXCLUDED_FILE = "excluded"
"""The empty file that excludes a film from training and comparison."""


def film_folders(library: Path) -> list[Path]:
    """Return the folders that hold a film or a part of one, by name; links are left out."""
    return [path for path in _candidate_folders(library) if not path.is_symlink()]


def symlinked_folders(library: Path) -> list[Path]:
    """Return the links to such folders, by name: the program does not follow them."""
    return [path for path in _candidate_folders(library) if path.is_symlink()]


def _candidate_folders(library: Path) -> list[Path]:
    folders = (path for path in library.glob("[!.]*") if path.is_dir())
    return sorted(
        p for p in folders if any(os.path.lexists(p / n) for n in (CARD_FILE, *ARRAY_FILES))
    )


def find_film_folder(library: Path, name: str) -> Path:
    """Return the folder of the film with this name, or the only one whose name begins with it.

    Raises
    ------
    LibraryError
        No folder matches, or several do.
    """
    folders = {path.name: path for path in film_folders(library)}
    if any(path.name == name for path in symlinked_folders(library)):
        raise LibraryError(
            f"{library / name} is a link, and links are not followed; "
            "copy the folder itself there, or name the library that it belongs to"
        )
    return folders[match_film_name(name, folders, f"of {library}", LibraryError)]


def exclude(folder: Path) -> None:
    """Exclude a film from training and comparison until it is included again."""
    with atomic_write(folder / EXCLUDED_FILE, LibraryError) as partial:
        partial.touch()


def include(folder: Path) -> None:
    """Include a film in training and comparison again."""
    try:
        with suppress(FileNotFoundError):
            (folder / EXCLUDED_FILE).unlink()
    except OSError as failure:
        raise LibraryError(write_error_message(folder, failure)) from failure


def delete_film(folder: Path) -> None:
    """Delete a film: its name disappears at once, however long the disk takes for the rest."""
    remove_folder(folder, LibraryError)
