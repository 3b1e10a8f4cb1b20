"""Playing to frames that are at hand, without a film's file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.predictor import Predictor, StatelessPredictor
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.soundtrack import BATCH_FRAMES
from frame2sound.rendering.style import Style


def render_frames(
    predictor: Predictor,
    style: Style,
    frames: NDArray[np.uint8],
    corpus: Corpus | CorpusPointer | None = None,
    warmup_frames: int = 0,
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
    performance = predictor.start_prediction()
    if not isinstance(predictor, StatelessPredictor):
        for first in range(0, warmup_frames, BATCH_FRAMES):
            performance.predict(frames[first : min(first + BATCH_FRAMES, warmup_frames)])
    renderer, sound = style.build_renderer(predictor, corpus), []
    before = frames[warmup_frames - 1] if warmup_frames else None
    heard = frames[warmup_frames:]
    for first in range(0, len(heard), BATCH_FRAMES):
        batch = heard[first : first + BATCH_FRAMES]
        bounds = predictor.clock.sample_bounds(len(batch), first)
        gestures = FrameCurves.from_frames(batch, before)
        sound.append(renderer.process(performance.predict(batch), bounds, gestures))
        before = batch[-1]
    return np.concatenate([*sound, renderer.flush()])
