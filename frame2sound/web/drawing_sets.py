"""What of a project can be learned from, drawn and sung, as the page Draw lists it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from frame2sound.film.decoding.image_sequence import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from frame2sound.synaesthesia.sounds import SOUND_SUFFIXES
from frame2sound.web.project import (
    ANIMATIONS,
    DRAWINGS,
    DRAWN,
    FILMS,
    PAIRS,
    SOUNDS,
    SUNG,
    Project,
    visible,
)

DRAWING_SUFFIXES = IMAGE_SUFFIXES | {".svg"}
"""Suffixes of files that are drawings."""

_MOVING = (SOUND_SUFFIXES - AUDIO_SUFFIXES) | {".gif"}

SHOWN_OF_SET = 24
"""Files of a set that the page offers by name, of thousands."""

SHOWN_FILES = 1000


def drawing_table(project: Project) -> dict[str, Any]:
    """Return sounds, drawings, films, pairs of networks, and what was drawn and sung."""
    pairs = project.names(PAIRS)
    return {
        "sounds": _examples(project, SOUNDS, SOUND_SUFFIXES),
        "drawings": _examples(project, DRAWINGS, DRAWING_SUFFIXES),
        "films": [name for name in project.names(FILMS) if _suffix(name) in SOUND_SUFFIXES],
        "animations": [name for name in project.names(ANIMATIONS) if _is_animation(project, name)],
        "pairs": [name for name in pairs if name.endswith(".safetensors")],
        "reports": [name for name in pairs if name.endswith(".html")],
        "drawn": project.names(DRAWN)[:SHOWN_FILES],
        "sung": project.names(SUNG)[:SHOWN_FILES],
    }


def _examples(project: Project, part: str, suffixes: frozenset[str]) -> list[dict[str, Any]]:
    """Return a part of a project and the folders in it: name, number of files, and some of them."""
    folders = [name for name in project.names(part) if (project.root / name).is_dir()]
    rows = []
    for name in (part, *folders):
        files = _files(project.root / name, (project.root / name).stat().st_mtime_ns, suffixes)
        shown = files[: SHOWN_FILES if name == part else SHOWN_OF_SET]
        rows.append(
            {"name": name, "count": len(files), "files": [f"{name}/{file}" for file in shown]}
        )
    return [row for row in rows if row["count"]]


def _is_animation(project: Project, name: str) -> bool:
    return _suffix(name) in _MOVING or (project.root / name).is_dir()


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


@functools.lru_cache(64)
def _files(folder: Path, changed: int, suffixes: frozenset[str]) -> list[str]:
    """Return the names of files in a folder, which was last ``changed`` then."""
    return [path.name for path in visible(folder) if path.suffix.lower() in suffixes]
