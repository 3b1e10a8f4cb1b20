"""The shelves: folders that ship beside the code, such as the demo films and the brains."""

from __future__ import annotations

from pathlib import Path

_PACKAGE_FOLDER = Path(__file__).resolve().parent


def bundled_folder(name: str) -> Path:
    """Return the folder ``videos`` or ``brains``.

    An installed package carries them inside itself; a checkout has them beside the package.

    Raises
    ------
    FileNotFoundError
        The folder is in neither place: the installation is not whole.
    """
    places = (_PACKAGE_FOLDER / name, _PACKAGE_FOLDER.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"got no folder {name!r}, expected {places[0]} or {places[1]}")
