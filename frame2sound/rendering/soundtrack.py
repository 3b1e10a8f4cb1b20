"""Predict and render: from the frames of an animation to a stream of sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.predictor import FramePredictor, Predictor
from frame2sound.clock import Clock, sample_at
from frame2sound.errors import BrainError, FilmError
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.prepared_frames import PreparedBatch, prepare_frames
from frame2sound.rendering.renderer import Renderer

BATCH_FRAMES = 128
"""Frames that are predicted at once."""


def render_batches(
    clock: Clock,
    renderer: Renderer,
    batches: Iterable[PreparedBatch],
    previous_frame: NDArray[np.uint8] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the sound that is ready after each batch of frames; `renderer.flush` has the rest.

    Parameters
    ----------
    clock : Clock
        The brain's; the sound is at the renderer's sample rate.
    batches : iterable of PreparedBatch
    previous_frame : uint8 array (64, 64), optional
        The grey frame before the first.
    """
    first, sound_clock = 0, Clock(clock.fps, renderer.sample_rate)
    for batch in batches:
        bounds = sound_clock.sample_bounds(len(batch.grey), first)
        frame_curves = FrameCurves.from_frames(batch.grey, previous_frame, batch.events)
        yield renderer.process(batch.predictions, bounds, frame_curves)
        previous_frame = batch.grey[-1]
        first += len(batch.grey)


class Soundtrack:
    """The sound of an animation as a stream of samples at the renderer's sample rate.

    Sample 0 is the start of the first frame, and the length is the animation's, to the sample:
    ``round(seconds * sample_rate)``.

    Attributes
    ----------
    seconds : Fraction
        Duration of the animation; known when the stream has ended.
    """

    def __init__(
        self,
        animation: FilmReader,
        brain: Predictor,
        renderer: Renderer,
        on_progress: ProgressCallback = ignore_progress,
    ) -> None:
        self.animation = animation
        self.brain = brain
        self.renderer = renderer
        self.on_progress = on_progress
        self.seconds = Fraction(0)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Yield chunks of sound, ``(n,)`` or ``(n, 2)`` float32.

        Raises
        ------
        FilmError
            The animation has no frames or cannot be read.
        BrainError
            A prediction is not finite.
        """
        clock, predictor = self.brain.clock, self.brain.start_prediction()
        sample_rate, channels = self.renderer.sample_rate, self.renderer.channels
        max_samples_per_frame = Clock(clock.fps, sample_rate).max_samples_per_frame
        pending = np.empty((0,) if channels == 1 else (0, channels), np.float32)
        count = 0
        prepared = prepare_frames(
            self.brain,
            lambda frames: _predict_finite(predictor, frames),
            _batches(self._pictures()),
        )
        for sound in render_batches(clock, self.renderer, prepared):
            pending = np.concatenate([pending, sound])
            # The animation may end before its last frame at the brain's frame rate does.
            ready = max(len(pending) - max_samples_per_frame, 0)
            count += ready
            yield pending[:ready]
            pending = pending[ready:]
            self._report()
        if not self.seconds:
            raise FilmError(f"{self.animation.streams.path} has no frames to give sound to")
        rest = np.concatenate([pending, self.renderer.flush()])
        yield rest[: sample_at(self.seconds, sample_rate) - count]

    def _report(self) -> None:
        streams, done = self.animation.streams, float(self.seconds)
        total = streams.declared_seconds
        self.on_progress(streams.path.name, done, None if total is None else max(total, done), "")

    def _pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the picture of each frame at the brain's frame rate."""
        for frame in self.animation.frames(colour=self.brain.colour):
            self.seconds = frame.end_seconds
            for _ in range(*_frame_range(frame, self.brain.clock)):
                yield frame.picture


def _predict_finite(predictor: FramePredictor, frames: NDArray[np.uint8]) -> NDArray[Any]:
    predictions = predictor.predict(frames)
    if not np.isfinite(predictions).all():
        raise BrainError("the brain made no sound: its numbers are not finite; train it again")
    return predictions


def _frame_range(frame: Frame, clock: Clock) -> tuple[int, int]:
    """Return the first brain frame that shows a film's frame, and the first that no longer does."""
    return clock.count_frames_within(frame.start_seconds), clock.count_frames_within(
        frame.end_seconds
    )


def _batches(pictures: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    batch: list[NDArray[np.uint8]] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == BATCH_FRAMES:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
