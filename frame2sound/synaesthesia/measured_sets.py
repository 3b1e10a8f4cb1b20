"""Sounds and drawings to measure a pair with: given ones, or new notes and squiggles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from frame2sound.errors import SynaesthesiaError
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.synaesthesia.drawings import Drawings
from frame2sound.synaesthesia.measures import HELD_OUT
from frame2sound.synaesthesia.notes import make_notes
from frame2sound.synaesthesia.pictures import load_drawings_of_kind, strokes_of_kind
from frame2sound.synaesthesia.recipe import SynaesthesiaRecipe
from frame2sound.synaesthesia.sounds import Sounds, load_sounds, sounds_of_windows
from frame2sound.synaesthesia.squiggles import draw_squiggles

LEAST = 64
"""Fewest sounds and drawings that measures make sense of."""


def sounds_to_measure(
    path: Path | None, seed: int, on_progress: ProgressCallback = ignore_progress
) -> Sounds:
    """Return at most 128 sounds of files, evenly spaced; by default notes of a seed.

    Raises
    ------
    SynaesthesiaError
        They cannot be read, or are fewer than 64.
    """
    if path is None:
        names, windows = zip(*make_notes(HELD_OUT, seed), strict=True)
        return sounds_of_windows(list(names), np.stack(windows))
    sounds = load_sounds([path], on_progress=on_progress)
    return sounds.select(_spread(len(sounds), HELD_OUT, f"seconds of sound in {path}"))


def drawings_to_measure(
    path: Path | None,
    seed: int,
    recipe: SynaesthesiaRecipe,
    on_progress: ProgressCallback = ignore_progress,
) -> tuple[Drawings, Drawings]:
    """Return two halves of the drawings in files, at most 128 each; by default of squiggles.

    Raises
    ------
    SynaesthesiaError
        They cannot be read, are fewer than 64, or are all alike.
    """
    if path is None:
        strokes = draw_squiggles(2 * HELD_OUT, seed, recipe.colours)
        drawings = strokes_of_kind(recipe.kind, strokes)
    else:
        drawings = load_drawings_of_kind(recipe.kind, [path], recipe.colours, on_progress)
    chosen = _spread(len(drawings), 2 * HELD_OUT, f"drawings in {path}")
    halves = drawings.select(chosen[::2]), drawings.select(chosen[1::2])
    if not all(np.ptp(each.rasters, axis=0).any() for each in halves):
        raise SynaesthesiaError(
            f"got drawings in {path} that are all alike, expected different ones; give others"
        )
    return halves


def _spread(count: int, most: int, what: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if count < LEAST:
        raise SynaesthesiaError(f"got {count} {what}, expected at least {LEAST}; give more")
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)
