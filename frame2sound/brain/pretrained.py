"""The trained brains that ship: the first sound needs no training."""

from __future__ import annotations

import os
from pathlib import Path

from frame2sound.bundled import bundled_folder

DEFAULT_BRAIN = "sketchbook"
"""The brain that plays where none is named: it knows a little of all the demo films."""


def pretrained_brains() -> dict[str, Path]:
    """Return the names of the trained brains that ship, and where they lie."""
    return {path.stem: path for path in sorted(bundled_folder("brains").glob("*.safetensors"))}


def find_brain(name_or_path: Path) -> Path:
    """Return the path of a brain: of a file, or of a shipped one by its name.

    A file that exists comes first.
    """
    return (
        name_or_path
        if os.path.lexists(name_or_path)
        else pretrained_brains().get(str(name_or_path), name_or_path)
    )
