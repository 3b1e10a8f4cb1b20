"""An animation and a brain to a soundtrack, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.predictor import FramePredictor, Predictor
from frame2sound.clock import Clock, sample_at
from frame2sound.errors import BrainError, FilmError
from frame2sound.film.decoding.frame_resizer import luma
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.rendering.frame_curves import FrameCurves

BATCH_FRAMES = 128
"""Frames that a brain is shown at once."""


class Synthesiser(Protocol):
    """Joins a brain's predictions, one a frame, into one sound without delay."""

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], /
    ) -> NDArray[np.float32]:
        """Take predictions ``(n, ...)`` and frame bounds ``(n + 1,)``; return what is ready."""

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""


class Renderer(Protocol):
    """The same, for renderers that also follow what the picture does."""

    @property
    def channels(self) -> int:
        """One or two."""

    @property
    def summary(self) -> str:
        """What a person should know of the sound that was made; nothing if empty."""

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Return what is ready: ``(m,)``, or ``(m, 2)`` where there are two channels."""

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""


@dataclass(frozen=True)
class PlainRenderer:
    """A renderer that only joins."""

    synthesiser: Synthesiser
    channels: int = 1
    summary: str = ""

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Join; the picture is not looked at."""
        return self.synthesiser.process(predictions, bounds)

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""
        return self.synthesiser.flush()


class Soundtrack:
    """What a brain makes of an animation, as a stream of samples at the brain's rate.

    Sample 0 is the start of the first frame, and the length is the animation's, to the sample:
    ``round(seconds * sample_rate)``.

    Attributes
    ----------
    seconds : Fraction
        How long the animation is; known when the stream has ended.
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
        """Yield pieces of sound, ``(n,)`` or ``(n, 2)`` float32."""
        first = made = 0
        performance = self.brain.start_prediction()
        before = None
        held = np.empty((0,) if self.renderer.channels == 1 else (0, 2), np.float32)
        for pictures in _batches(self._pictures()):
            bounds = self.brain.clock.sample_bounds(len(pictures), first)
            grey = luma(pictures) if self.brain.colour else pictures
            gestures = FrameCurves.from_frames(grey, before)
            sound = self.renderer.process(_predict(performance, pictures), bounds, gestures)
            before = grey[-1]
            held = np.concatenate([held, sound])
            # The last frame may be shown for less than a frame of the brain.
            ready = max(len(held) - self.brain.clock.max_samples_per_frame, 0)
            first, made = first + len(pictures), made + ready
            yield held[:ready]
            held = held[ready:]
            self._report()
        if not first:
            raise FilmError(f"{self.animation.streams.path} has no frames to give sound to")
        length = sample_at(self.seconds, self.brain.clock.sample_rate)
        yield np.concatenate([held, self.renderer.flush()])[: length - made]

    def _report(self) -> None:
        streams, done = self.animation.streams, float(self.seconds)
        total = streams.declared_seconds
        self.on_progress(streams.path.name, done, None if total is None else max(total, done), "")

    def _pictures(self) -> Iterator[NDArray[np.uint8]]:
        for frame in self.animation.frames(colour=self.brain.colour):
            self.seconds = frame.end_seconds
            for _ in range(*_frame_range(frame, self.brain.clock)):
                yield frame.picture


def _predict(performance: FramePredictor, pictures: NDArray[np.uint8]) -> NDArray[Any]:
    predictions = performance.predict(pictures)
    if not np.isfinite(predictions).all():
        raise BrainError("the brain made no sound: its numbers are not finite; train it again")
    return predictions


def _frame_range(frame: Frame, clock: Clock) -> tuple[int, int]:
    """Return the first brain frame that sees a film's frame, and the first that no longer does."""
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
