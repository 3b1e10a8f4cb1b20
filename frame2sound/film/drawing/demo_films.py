"""Load demo films by name: each is a program in the folder ``videos``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from frame2sound.bundled import bundled_folder
from frame2sound.errors import FilmError
from frame2sound.film.drawing.scene import Scene


def demo_film_names() -> list[str]:
    """Return the names of the demo films, sorted."""
    return sorted(path.stem for path in bundled_folder("videos").glob("[!_]*.py"))


def load_scene(name: str, **settings: Any) -> Scene:
    """Return the scene of a demo film.

    Parameters
    ----------
    name : str
        One of `demo_film_names`.
    **settings
        Arguments of the program's ``scene``: seconds, fps, seed, size, sample_rate.

    Raises
    ------
    FilmError
        There is no demo film of that name.
    """
    if name not in demo_film_names():
        known = ", ".join(demo_film_names())
        raise FilmError(f"got the demo film {name!r}, expected one of {known}")
    scene: Scene = load_program(bundled_folder("videos") / f"{name}.py").scene(**settings)
    return scene


def load_program(path: Path) -> ModuleType:
    """Import the program of a film by its path, under a name that no other module has.

    Its ``scene`` takes the arguments of `load_scene` and returns a `Scene`.
    """
    spec = importlib.util.spec_from_file_location(f"frame2sound_video_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise FilmError(f"got {path}, expected a Python program")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up their module by name
    spec.loader.exec_module(module)
    return module
