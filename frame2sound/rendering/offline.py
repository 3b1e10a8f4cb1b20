"""Render frames that are in memory, without a film file."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.predictor import Predictor, StatelessPredictor
from frame2sound.rendering.prepared_frames import prepare_frames
from frame2sound.rendering.soundtrack import BATCH_FRAMES, render_batches
from frame2sound.rendering.style import Style


def render_frames(
    predictor: Predictor,
    style: Style,
    frames: NDArray[np.uint8],
    corpus: Corpus | CorpusPointer | None = None,
    warmup_frames: int = 0,
) -> NDArray[np.float32]:
    """Return the sound of frames at the predictor's own frame rate.

    Parameters
    ----------
    frames : uint8 array (n, 64, 64)
    corpus : Corpus or CorpusPointer, optional
        The source of the units for the mode ``mosaic``.
    warmup_frames : int
        Number of leading frames that are predicted only to set the state of a recurrent
        predictor, and not rendered.

    Returns
    -------
    float32 array (samples,) or (samples, 2)
        The sound of the frames after the warm-up; finite.
    """
    if isinstance(predictor, StatelessPredictor):
        previous_frame = frames[warmup_frames - 1] if warmup_frames else None
        frames, warmup_frames = frames[warmup_frames:], 0
    else:
        previous_frame = None
    warmup = _batches(frames[:warmup_frames])
    prepared = prepare_frames(
        predictor,
        predictor.start_prediction().predict,
        [*warmup, *_batches(frames[warmup_frames:])],
    )
    for batch in islice(prepared, len(warmup)):
        previous_frame = batch.grey[-1]
    renderer = style.build_renderer(predictor, corpus)
    chunks = render_batches(predictor.clock, renderer, prepared, previous_frame)
    return np.concatenate([*chunks, renderer.flush()])


def _batches(frames: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    starts = range(0, len(frames), BATCH_FRAMES)
    return [frames[start : start + BATCH_FRAMES] for start in starts]
