"""Names of the films that are written while a brain is trained; see `CheckpointFilms`."""

from __future__ import annotations

import re
from pathlib import Path

ORIGINAL = "original.mp4"
"""The film with its own sound."""

_FILM_NAME = re.compile(r"epoch-(\d{5,7})\.mp4")


def film_name(epoch: int) -> str:
    """Return the name of the film of an epoch.

    Examples
    --------
    >>> film_name(12)
    'epoch-00012.mp4'
    """
    return f"epoch-{epoch:05}.mp4"


def find_films(folder: Path) -> list[tuple[int, Path]]:
    """Return the epochs and paths of the films in a folder, in the order of epochs."""
    paths = folder.iterdir() if folder.is_dir() else ()
    matches = ((_FILM_NAME.fullmatch(path.name), path) for path in paths)
    return sorted((int(match[1]), path) for match, path in matches if match is not None)
