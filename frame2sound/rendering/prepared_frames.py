"""Prepare an animation for rendering: match its ground, predict, and read ahead.

What a picture means depends on its film: how large its motion is beside the rest, and how loud its
prediction is beside the others. Frames are therefore read some seconds ahead of those that are
rendered; nothing that has been rendered changes any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_curves import EventCurves
from frame2sound.brain.event_head import MotionHead
from frame2sound.brain.event_scale import EventScale
from frame2sound.brain.ground import match_ground
from frame2sound.brain.motion import Motion, MotionContext, MotionScale, MotionStream
from frame2sound.brain.predictor import Predictor
from frame2sound.film.small_frames import luma
from frame2sound.rendering.level_matching import LevelMatcher

Frames = NDArray[np.uint8]

LOOK_AHEAD_SECONDS = 10
"""Seconds of frames that are read ahead."""

MAX_LOOK_AHEAD_SECONDS = 60
"""The most that is read ahead of a film's start, until `MIN_MOVING_SECONDS` of it move."""

MIN_MOVING_SECONDS = 3


@dataclass(frozen=True)
class PreparedBatch:
    """Successive frames with what a brain says of them.

    Attributes
    ----------
    grey : uint8 array (n, 64, 64)
    predictions : array (n, ...)
    events : EventCurves, optional
        Where the motion head says when something sounds.
    """

    grey: Frames
    predictions: NDArray[Any]
    events: EventCurves | None = None


def prepare_frames(
    predictor: Predictor, predict: Callable[[Frames], NDArray[Any]], batches: Iterable[Frames]
) -> Iterator[PreparedBatch]:
    """Yield the batches of a film's frames with their predictions, as many and as long as they are.

    Parameters
    ----------
    predictor : Predictor
    predict : callable
        Returns the predictions for the next frames.
    batches : iterable of uint8 arrays (n, 64, 64) or (n, 64, 64, 3)
    """
    if predictor.maps_ground:
        ahead = predictor.clock.count_frames_within(Fraction(LOOK_AHEAD_SECONDS))
        batches = match_ground(batches, ahead)
    predicted = (
        PreparedBatch(luma(frames) if frames.ndim == 4 else frames, predict(frames))
        for frames in batches
    )
    head = predictor.motion_head
    if head is None:
        return predicted
    return _LookAhead(head, predictor).prepare(predicted)


class _LookAhead:
    """Holds back batches until what follows them has been seen."""

    def __init__(self, head: MotionHead, predictor: Predictor) -> None:
        self.head = head
        self.fps = float(predictor.clock.fps)
        self._motion = MotionStream()
        self._scale = MotionScale()
        self._events = head.start(self.fps)
        self._event_scale = EventScale(head.settings.event_scale)
        self._context = MotionContext()
        self._unscaled: list[Motion] = []
        self._levels = LevelMatcher(head.settings.loud_level_db)
        self._waiting: deque[tuple[PreparedBatch, Motion]] = deque()
        self._waiting_frames = self._moving_frames = 0
        self._motion_speaks: bool | None = None

    def prepare(self, batches: Iterable[PreparedBatch]) -> Iterator[PreparedBatch]:
        for batch in batches:
            motion = self._motion.process(batch.grey)
            self._scale.observe(motion)
            self._levels.observe(batch.predictions, motion.is_new)
            self._unscaled.append(motion)
            self._waiting.append((batch, motion))
            self._waiting_frames += len(batch.grey)
            self._moving_frames += int(motion.is_new.sum())
            while self._waiting and self._has_seen_enough():
                yield self._finish_next()
        while self._waiting:
            yield self._finish_next()

    def _has_seen_enough(self) -> bool:
        ahead = (self._waiting_frames - len(self._waiting[0][0].grey)) / self.fps
        if self._motion_speaks is None and self._moving_frames < MIN_MOVING_SECONDS * self.fps:
            return ahead >= MAX_LOOK_AHEAD_SECONDS
        return ahead >= LOOK_AHEAD_SECONDS

    def _finish_next(self) -> PreparedBatch:
        batch, motion = self._waiting.popleft()
        self._waiting_frames -= len(batch.grey)
        settings = self.head.settings
        if self._motion_speaks is None:
            self._motion_speaks = settings.events == "motion" or self._levels.is_mute
            if self._motion_speaks:
                self._events.begin_events()
        scale = self._scale.values
        for ahead in self._unscaled:
            features = self._context.process(ahead, scale)
            self._event_scale.observe(self.head.onset.predict(features))
        self._unscaled.clear()
        curves = self._events.predict(batch.grey, motion, scale, self._event_scale.value)
        if self._motion_speaks:
            return PreparedBatch(batch.grey, batch.predictions, curves)
        predictions = self._levels.process(
            batch.predictions, curves.bed_db if settings.level == "motion" else None
        )
        return PreparedBatch(batch.grey, predictions)
