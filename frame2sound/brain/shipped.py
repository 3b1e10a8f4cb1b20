"""The trained brains that ship: the first sound needs no training."""

from __future__ import annotations

import os
from pathlib import Path

from frame2sound.bundled import bundled_folder

DEFAULT = "sketchbook"
"""The brain that plays where none is named: it knows a little of all the demo films."""


def shipped() -> dict[str, Path]:
    """Return the names of the trained brains that ship, and where they lie."""
    return {path.stem: path for path in sorted(bundled_folder("brains").glob("*.safetensors"))}


def find_brain(named: Path) -> Path:
    """Return the path of a brain: of a file, or of a shipped one by its name.

    A file that exists comes first.
    """
    return named if os.path.lexists(named) else shipped().get(str(named), named)
