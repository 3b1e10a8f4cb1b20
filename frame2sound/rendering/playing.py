"""Playing to frames that are at hand, without a film's file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.sounding import Memoryless, Sounding
from frame2sound.rendering.gestures import Gestures
from frame2sound.rendering.soundtrack import BATCH
from frame2sound.rendering.style import Style


def play(
    sounding: Sounding,
    style: Style,
    frames: NDArray[np.uint8],
    corpus: Corpus | CorpusPointer | None = None,
    unheard: int = 0,
) -> NDArray[np.float32]:
    """Return what a brain, or what stands in its place, plays to frames at its own rate.

    Parameters
    ----------
    frames : uint8 array (n, 64, 64)
    corpus : Corpus or CorpusPointer, optional
        What ``mosaic`` is made of.
    unheard : int
        So many of the first frames are only seen, so that what remembers them may.

    Returns
    -------
    float32 array (samples,) or (samples, 2)
        From the first frame that is heard on; finite.
    """
    performance = sounding.perform()
    if not isinstance(sounding, Memoryless):
        for first in range(0, unheard, BATCH):
            performance.predict(frames[first : min(first + BATCH, unheard)])
    renderer, sound = style.renderer(sounding, corpus), []
    before = frames[unheard - 1] if unheard else None
    heard = frames[unheard:]
    for first in range(0, len(heard), BATCH):
        batch = heard[first : first + BATCH]
        bounds = sounding.clock.bounds(len(batch), first)
        gestures = Gestures.of(batch, before)
        sound.append(renderer.feed(performance.predict(batch), bounds, gestures))
        before = batch[-1]
    return np.concatenate([*sound, renderer.flush()])
