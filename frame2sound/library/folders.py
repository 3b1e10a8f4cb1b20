"""The folders of a library: which are films, which is meant, and keeping one out, in or no more."""

from __future__ import annotations

from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from frame2sound.errors import LibraryError
from frame2sound.safe import remove_folder, unwritable, whole_file

CARD = "film.json"
"""The file that makes a folder a pickled film; it is written last."""

ARRAYS = ("frames.npy", "times.npy", "sound.npy")
"""What a film is pickled into."""

EXCLUDED = "excluded"
"""The file, empty, that keeps a film out of training and comparison."""


def film_folders(library: Path) -> list[Path]:
    """Return the folders that hold a film, or what is left of one, by name."""
    folders = (path for path in library.glob("[!.]*") if path.is_dir())
    return sorted(path for path in folders if any((path / n).exists() for n in (CARD, *ARRAYS)))


def folder_named(library: Path, name: str) -> Path:
    """Return the folder of the film with this name, or the only one whose name begins so.

    Raises
    ------
    LibraryError
        There is none, or there are several.
    """
    folders = {path.name: path for path in film_folders(library)}
    if name in folders:
        return folders[name]
    begun = [known for known in folders if name and known.startswith(name)]
    if len(begun) == 1:
        return folders[begun[0]]
    if begun:
        raise LibraryError(
            f"got {name!r}, expected one film of {library}, and {len(begun)} begin so; "
            f"say more of: {', '.join(begun)}"
        )
    if not folders:
        raise LibraryError(f"got {name!r}, expected a film of {library}, which holds none")
    near = get_close_matches(name, folders, n=3, cutoff=0.3) or list(folders)[:3]
    raise LibraryError(
        f"got {name!r}, expected a film of {library}; the nearest are: {', '.join(near)}"
    )


def exclude(folder: Path) -> None:
    """Keep a film out of training and comparison, until it is included again."""
    with whole_file(folder / EXCLUDED, LibraryError) as partial:
        partial.touch()


def include(folder: Path) -> None:
    """Let a film take part again."""
    try:
        with suppress(FileNotFoundError):
            (folder / EXCLUDED).unlink()
    except OSError as failure:
        raise LibraryError(unwritable(folder, failure)) from failure


def drop(folder: Path) -> None:
    """Delete a film: at once as the library sees it, however long the disk takes."""
    remove_folder(folder, LibraryError)
