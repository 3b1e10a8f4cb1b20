"""Folders that come with the program: the demo films and the brains."""

from __future__ import annotations

from pathlib import Path

_PACKAGE_FOLDER = Path(__file__).resolve().parent


def bundled_folder(name: str) -> Path:
    """Return the path of the folder ``videos`` or ``brains``.

    It is inside an installed package, and beside the package in a checkout.

    Raises
    ------
    FileNotFoundError
        The folder is in neither place: the installation is incomplete.
    """
    candidates = (_PACKAGE_FOLDER / name, _PACKAGE_FOLDER.parent / name)
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"got no folder {name!r}, expected {candidates[0]} or {candidates[1]}")
