"""The measures of a pair, named and explained for its report."""

from __future__ import annotations

from frame2sound.synaesthesia.drawings import Drawings
from frame2sound.synaesthesia.measures import PairMeasures, measure_pair
from frame2sound.synaesthesia.measures_by_pictures import PictureMeasures, measure_by_pictures
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.sounds import Sounds

Row = tuple[str, float, str]
"""Name, value and meaning."""


def measure_and_describe(
    pair: Pair, sounds: Sounds, drawings: Drawings, training_drawings: Drawings
) -> list[Row]:
    """Return the name, the value and the meaning of each measure of a pair.

    Strokes are measured by their SVGs, the raster kind by its pictures.
    """
    if pair.recipe.kind == "strokes":
        return _stroke_rows(measure_pair(pair, sounds, drawings, training_drawings))
    real = drawings.rasters, training_drawings.rasters
    return _picture_rows(measure_by_pictures(pair, sounds, *real, pair.recipe.pairings))


def _stroke_rows(found: PairMeasures) -> list[Row]:
    rows = [
        (f"{name}, as drawn", value, "rank correlation; 0 by chance")
        for name, value in found.drawn.items()
    ]
    rows += [
        (f"{name}, as sung", value, "rank correlation; 0 by chance")
        for name, value in found.sung.items()
    ]
    return [
        *rows,
        ("error there and back", found.cycle, "1 is always the mean"),
        ("the same through SVG", found.cycle_svg, "1 is always the mean"),
        ("own sound found first through SVG", found.found_first, "1 / sounds by chance"),
        ("diversity of strokes", found.diversity, "1 is that of the drawings"),
        ("kernel distance to drawings", found.distance, f"{found.distance_of_real:.3f} is real"),
        ("movement of a tone", found.tone_movement, "pixels of 256 a frame"),
        ("size follows a crescendo", found.crescendo, "rank correlation"),
    ]


def _picture_rows(found: PictureMeasures) -> list[Row]:
    rows = [
        (f"{name}, as drawn", value, "rank correlation; 0 by chance")
        for name, value in found.drawn.items()
    ]
    return [
        *rows,
        ("error there and back", found.cycle, "1 is always the mean"),
        ("own sound found first", found.found_first, "1 / sounds by chance"),
        ("diversity of pictures", found.diversity, "1 is that of the drawings"),
        ("kernel distance to drawings", found.distance, f"{found.distance_of_real:.3f} is real"),
    ]
