"""The pretrained brains that come with the program."""

from __future__ import annotations

import os
from pathlib import Path

from frame2sound.bundled import bundled_folder
from frame2sound.errors import BrainError
from frame2sound.name_matching import near_names

DEFAULT_BRAIN = "sketchbook"
"""The brain that renders unless another is named; it was trained on all demo films."""


def pretrained_brains() -> dict[str, Path]:
    """Return the pretrained brains: their names and their files."""
    return {path.stem: path for path in sorted(bundled_folder("brains").glob("*.safetensors"))}


def find_brain(name_or_path: Path) -> Path:
    """Return the file of a brain, given as a path or as the name of a pretrained brain.

    A file that exists takes precedence.

    Raises
    ------
    BrainError
        There is no such file or name.
    """
    if os.path.lexists(name_or_path):
        return name_or_path
    brains = pretrained_brains()
    recipes = {path.stem for path in bundled_folder("brains").glob("*.toml")} - set(brains)
    if str(name_or_path) in brains:
        return brains[str(name_or_path)]
    if str(name_or_path) in recipes:
        raise BrainError(
            f"{name_or_path} is a recipe, not a trained brain; train it first, with "
            f"frame2sound train LIBRARY and the recipe {name_or_path}"
        )
    files = (path.name for path in name_or_path.parent.glob("*.safetensors"))
    near = near_names(name_or_path.name, [*brains, *files]) or [*brains]
    raise BrainError(
        f"no brain {str(name_or_path)!r}; expected a .safetensors file or the name of a "
        f"pretrained brain; the nearest are: {', '.join(near)}"
    )
