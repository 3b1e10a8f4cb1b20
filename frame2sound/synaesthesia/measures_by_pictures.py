"""What pairs of any kind do with held-out sounds and drawings, all judged by PNG pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.synaesthesia.descriptors import DRAWING_WORDS, Pairing
from frame2sound.synaesthesia.drawings import outline_of_picture, raster_of_picture
from frame2sound.synaesthesia.judges import judge_outlines, judge_sounds
from frame2sound.synaesthesia.painter import paint_drawn
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.pictures import picture_ink
from frame2sound.synaesthesia.raster import PICTURE_SIZE
from frame2sound.synaesthesia.sounds import Sounds
from frame2sound.synaesthesia.statistics import (
    diversity,
    found_first,
    kernel_distance,
    rank_correlation,
)

FloatArray = NDArray[np.float32]

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class PictureMeasures:
    """What a pair does with held-out sounds, as pictures of 64 x 64 pixels in 8 bits.

    Attributes
    ----------
    drawn : dict of str to float
        Rank correlation of each pairing: of sounds with the longest outline in their pictures, by
        the measures of `judges`, except that darkness is the mean ink. Of the asked sign if
        positive.
    cycle : float
        Error of the leading components after sound, picture and sound, as a share of that of always
        giving the mean.
    found_first : float
        Share of sounds that are the nearest to what comes back through the picture.
    diversity : float
        Of the pictures, as a share of that of real drawings.
    distance, distance_of_real : float
        Kernel distance to held-out drawings: of the pictures, and of drawings of the training.
    pictures : uint8 array (n, 64, 64, 3)
    """

    drawn: dict[str, float]
    cycle: float
    found_first: float
    diversity: float
    distance: float
    distance_of_real: float
    pictures: Pictures


def measure_by_pictures(
    pair: Pair,
    sounds: Sounds,
    drawings: FloatArray,
    training_drawings: FloatArray,
    pairings: tuple[Pairing, ...],
) -> PictureMeasures:
    """Return what a pair does with held-out sounds and drawings.

    Parameters
    ----------
    pair : Pair
    sounds : Sounds
    drawings, training_drawings : float32 array (n, colours, 64, 64)
        Ink: held out, and trained on.
    pairings : tuple of Pairing
        The pairings to judge.
    """
    heard = pair.components.transform(sounds.spectra)[:, : pair.recipe.network.leading]
    drawn = pair.draw(sounds.windows)
    pictures = np.stack([paint_drawn(each[None], PICTURE_SIZE) for each in drawn])
    again = pair.read(read_pictures(pair, pictures))[:, : heard.shape[1]]
    ink = np.stack([picture_ink(each, pair.recipe.colours) for each in pictures])
    seen = judge_outlines([outline_of_picture(each) for each in pictures])
    seen[:, DRAWING_WORDS.index("darkness")] = ink.mean(axis=(1, 2, 3))
    judged = judge_sounds(sounds.windows)
    reference = training_drawings[:512]
    return PictureMeasures(
        drawn={
            str(each): each.sign * rank_correlation(judged[:, each.sound], seen[:, each.drawing])
            for each in pairings
        },
        cycle=float(((again - heard) ** 2).mean() / (heard.astype(np.float64) ** 2).mean()),
        found_first=found_first(again, heard),
        diversity=diversity(ink) / diversity(drawings),
        distance=kernel_distance(ink, drawings, reference),
        distance_of_real=kernel_distance(training_drawings[: len(drawings)], drawings, reference),
        pictures=pictures,
    )


def read_pictures(pair: Pair, pictures: Pictures) -> FloatArray:
    """Return the rasters of pictures as a pair reads them from files."""
    read = picture_ink if pair.recipe.kind == "raster" else raster_of_picture
    return np.stack([read(each, pair.recipe.colours) for each in pictures])
