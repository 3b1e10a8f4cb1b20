"""Predict and render: from the frames of an animation to a stream of sound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
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
from frame2sound.rendering.segment import WHOLE, Segment

BATCH_FRAMES = 128
"""Frames that are predicted at once."""


def render_batches(
    clock: Clock,
    renderer: Renderer,
    batches: Iterable[PreparedBatch],
    previous_frame: NDArray[np.uint8] | None = None,
    first_frame: int = 0,
) -> Iterator[NDArray[np.float32]]:
    """Yield the sound that is ready after each batch of frames; `renderer.flush` has the rest.

    Parameters
    ----------
    clock : Clock
        The brain's; the sound is at the renderer's sample rate.
    batches : iterable of PreparedBatch
    previous_frame : uint8 array (64, 64), optional
        The grey frame before the first.
    first_frame : int
        The number of the first frame.
    """
    first, sound_clock = first_frame, Clock(clock.fps, renderer.sample_rate)
    for batch in batches:
        bounds = sound_clock.sample_bounds(len(batch.grey), first)
        frame_curves = FrameCurves.from_frames(batch.grey, previous_frame, batch.events)
        yield renderer.process(batch.predictions, bounds, frame_curves)
        previous_frame = batch.grey[-1]
        first += len(batch.grey)


class Soundtrack:
    """The sound of an animation as a stream of samples at the renderer's sample rate.

    Sample 0 is the start of the first frame, and the length is the animation's, to the sample:
    ``round(seconds * sample_rate)``. A segment's stream begins at `Segment.origin_seconds`; it ends
    at or after `Segment.end_seconds`, or with the animation.

    Attributes
    ----------
    seconds : Fraction
        Duration of the animation, or how far it was read; known when the stream has ended.
    """

    def __init__(
        self,
        animation: FilmReader,
        brain: Predictor,
        renderer: Renderer,
        on_progress: ProgressCallback = ignore_progress,
        segment: Segment = WHOLE,
    ) -> None:
        self.animation = animation
        self.brain = brain
        self.renderer = renderer
        self.on_progress = on_progress
        self.segment = segment
        self.seconds = Fraction(0)
        self._predicted_batch, rendered_batch = segment.first_batches(brain.clock, BATCH_FRAMES)
        self._rendered_frame = rendered_batch * BATCH_FRAMES
        self._unrendered_batches = rendered_batch - self._predicted_batch

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Yield chunks of sound, ``(n,)`` or ``(n, 2)`` float32.

        Raises
        ------
        FilmError
            The animation has no frames or cannot be read.
        BrainError
            A prediction is not finite.
        SoundtrackError
            The segment is not within the animation.
        """
        clock, predictor = self.brain.clock, self.brain.start_prediction()
        sample_rate, channels = self.renderer.sample_rate, self.renderer.channels
        sound_clock, segment = Clock(clock.fps, sample_rate), self.segment
        max_samples_per_frame = sound_clock.max_samples_per_frame
        stop = None if segment.end_seconds is None else segment.end_seconds * sample_rate
        surplus = segment.origin_seconds * sample_rate
        surplus -= sound_clock.start_sample(self._rendered_frame)
        pending = np.empty((0,) if channels == 1 else (0, channels), np.float32)
        count = segment.origin_seconds * sample_rate
        prepared = prepare_frames(
            self.brain,
            lambda frames: _predict_finite(predictor, frames),
            _batches(self._pictures()),
        )
        previous_frame = None
        for batch in islice(prepared, self._unrendered_batches):
            previous_frame = batch.grey[-1]
        for sound in render_batches(
            clock, self.renderer, prepared, previous_frame, self._rendered_frame
        ):
            pending = np.concatenate([pending, sound[surplus:]])
            surplus = max(surplus - len(sound), 0)
            # The animation may end before its last frame at the brain's frame rate does.
            ready = max(len(pending) - max_samples_per_frame, 0)
            count += ready
            yield pending[:ready]
            pending = pending[ready:]
            self._report()
            if stop is not None and count >= stop:
                return
        if not self.seconds:
            raise FilmError(f"{self.animation.streams.path} has no frames to give sound to")
        segment.check_length(self.seconds)
        rest = np.concatenate([pending, self.renderer.flush()[surplus:]])
        yield rest[: sample_at(self.seconds, sample_rate) - count]

    def _report(self) -> None:
        streams, done = self.animation.streams, float(self.seconds)
        total = streams.declared_seconds
        if self.segment.end_seconds is not None:
            done = min(done, self.segment.end_seconds)
            total = min(total or math.inf, self.segment.end_seconds)
        self.on_progress(streams.path.name, done, None if total is None else max(total, done), "")

    def _pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the picture of each frame at the brain's frame rate."""
        clock, first_frame = self.brain.clock, self._predicted_batch * BATCH_FRAMES
        frames = self.animation.frames(
            colour=self.brain.colour, from_seconds=first_frame / clock.fps
        )
        for frame in frames:
            self.seconds = frame.end_seconds
            begin, end = _frame_range(frame, clock)
            for _ in range(max(begin, first_frame), end):
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
