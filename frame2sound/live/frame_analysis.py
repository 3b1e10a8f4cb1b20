"""What a brain says of a frame as it arrives, from this frame and those before it alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_head import MotionHead, thumbnails
from frame2sound.brain.event_scale import EventScale
from frame2sound.brain.ground import FrameGround, GroundEstimator, GroundMap, choose_map
from frame2sound.brain.motion import (
    USUAL_SCALE,
    Motion,
    MotionContext,
    MotionScale,
    MotionStream,
)
from frame2sound.brain.predictor import Predictor
from frame2sound.film.small_frames import luma
from frame2sound.rendering.events.bed import frame_levels_db
from frame2sound.rendering.level_matching import LevelMatcher
from frame2sound.rendering.prepared_frames import LOOK_AHEAD_SECONDS, MIN_MOVING_SECONDS

Frame = NDArray[np.uint8]

USUAL_PICTURES = 60
"""The usual scale counts as much as so many pictures of the film itself."""

MAX_MISSED_TICKS = 8
"""A network is shown a picture that stands for at most so many of its frames at once."""

RISE_DB, RISE_SECONDS, RISE_FLOOR_DB = 9.0, 0.12, -60.0
"""Without a motion head, a predicted level that rises so far above its mean is an event."""


@dataclass(frozen=True)
class FrameAnalysis:
    """What is known of one frame.

    Attributes
    ----------
    strength : float
        How likely an event is; the brain's threshold is 1.
    is_new : bool
        Whether it shows another picture than the frame before.
    level_db, bed_db : float
        The level of an event that begins here, and of the sound between events, in dBFS.
    appearance : float32 (64,)
        The thumbnail.
    """

    strength: float
    is_new: bool
    level_db: float
    bed_db: float
    appearance: NDArray[np.float32]


class FrameAnalyser:
    """Analyses the frames of one film or camera, one by one.

    Motion is measured between the frames that arrive, in units of the brain's frames, whatever
    their rate. The network runs on the brain's own clock: of faster frames it sees those that are
    on screen at its ticks, and slower ones several times.

    Parameters
    ----------
    brain : Predictor
    fps : float
        The frames per second that arrive.
    """

    def __init__(self, brain: Predictor, fps: float) -> None:
        self._brain_fps = float(brain.clock.fps)
        self._ratio = np.float32(fps / self._brain_fps)
        self._predictor = brain.start_prediction()
        self._prediction: NDArray[Any] | None = None
        self._shown: tuple[Frame, float] | None = None
        self._predicted: Frame | None = None
        self._tick = -1
        self._ground = _LiveGround(self._brain_fps) if brain.maps_ground else None
        head = brain.motion_head
        self._rises = _PredictedRises(fps)
        self._motion = None if head is None else _LiveMotion(head, fps, self._ratio)

    def process(self, picture: Frame, seconds: float) -> FrameAnalysis:
        """Return what is known of the frame that arrives at a time.

        Parameters
        ----------
        picture : uint8 array (64, 64) or (64, 64, 3)
        seconds : float
            Not before the frame before it.
        """
        if self._ground is not None:
            picture = self._ground.apply(picture)
        self._shown = picture, seconds
        grey = luma(picture) if picture.ndim == 3 else picture
        if self._motion is not None:
            analysis = self._motion.process(grey)
            if self._motion.speaks:
                return analysis
            self._motion.decide(self.predict())
        return self._rises.process(grey, self.predict())

    def predict(self) -> NDArray[Any]:
        """Return the network's prediction for the last frame; it is computed once."""
        assert self._shown is not None
        picture, seconds = self._shown
        tick = math.floor(seconds * self._brain_fps + 1e-6)
        if self._prediction is None or tick > self._tick:
            before = picture if self._predicted is None else self._predicted
            missed = min(tick - self._tick, MAX_MISSED_TICKS) - 1 if self._tick >= 0 else 0
            self._tick = tick
            frames = np.stack([*[before] * missed, picture])
            self._prediction = self._predictor.predict(frames)[-1]
        self._predicted = picture
        return self._prediction


class _LiveGround:
    """Maps frames to light figures on black, as far as the ground is known by now."""

    def __init__(self, fps: float) -> None:
        self._estimator = GroundEstimator(LOOK_AHEAD_SECONDS * fps)
        self._applied: GroundMap | None = None

    def apply(self, picture: Frame) -> Frame:
        ground = FrameGround.of(picture)
        self._estimator.observe_one(ground)
        self._applied = choose_map(self._applied, self._estimator.current(), ground)
        return self._applied.apply(picture)


class LearnedScale:
    """The scale of the motion so far; at first the usual one, which counts less and less."""

    def __init__(self) -> None:
        self._scale = MotionScale()
        self._pictures = 0

    def observe(self, motion: Motion) -> None:
        """Add the numbers of new pictures."""
        self._pictures += int(motion.is_new.sum())
        self._scale.observe(motion)

    @property
    def values(self) -> NDArray[np.float64]:
        """The scale of each number, ``(16,)``: a geometric mean of the usual one and the film's."""
        share = self._pictures / (self._pictures + USUAL_PICTURES)
        own = np.log(self._scale.values)
        values: NDArray[np.float64] = np.exp(share * own + (1 - share) * np.log(USUAL_SCALE))
        return values


class _LiveMotion:
    """What a motion head says, and whether it is listened to."""

    def __init__(self, head: MotionHead, fps: float, ratio: np.float32) -> None:
        self.head = head
        self._ratio = ratio
        self._motion = MotionStream()
        self._scale = LearnedScale()
        self._context = MotionContext()
        self._event_scale = EventScale(head.settings.event_scale)
        self._events = head.start(fps)
        self._levels = LevelMatcher(head.settings.loud_level_db)
        self._frames_to_move = MIN_MOVING_SECONDS * fps
        self._is_new = np.zeros(1, np.bool_)
        self.speaks = head.settings.events == "motion"
        if self.speaks:
            self._events.begin_events()

    def process(self, grey: Frame) -> FrameAnalysis:
        frames = grey[None]
        motion = self._motion.process(frames)
        motion = Motion(motion.is_new, motion.gap_frames, motion.numbers * self._ratio)
        self._scale.observe(motion)
        scale = self._scale.values
        features = self._context.process(motion, scale)
        self._event_scale.observe(self.head.onset.predict(features))
        curves = self._events.predict(frames, motion, scale, self._event_scale.value)
        self._is_new = motion.is_new
        return FrameAnalysis(
            float(curves.strength[0]),
            bool(curves.is_new[0]),
            float(curves.level_db[0]),
            float(curves.bed_db[0]),
            curves.appearance[0],
        )

    def decide(self, prediction: NDArray[Any]) -> None:
        """Let the head speak from the next frame on if the network turns out to be mute."""
        if self._frames_to_move <= 0:
            return
        self._levels.observe(prediction[None], self._is_new)
        self._frames_to_move -= int(self._is_new.sum())
        if self._frames_to_move <= 0 and self._levels.is_mute:
            self.speaks = True
            self._events.begin_events()


class _PredictedRises:
    """Events where the level that the network predicts rises."""

    def __init__(self, fps: float) -> None:
        self._share = 1 - math.exp(-1 / (fps * RISE_SECONDS))
        self._mean_db = RISE_FLOOR_DB
        self._shown: Frame | None = None

    def process(self, grey: Frame, prediction: NDArray[Any]) -> FrameAnalysis:
        level_db = float(frame_levels_db(prediction[None])[0])
        rise = max(level_db, RISE_FLOOR_DB) - self._mean_db
        bed_db = min(level_db, self._mean_db) if rise > RISE_DB else level_db
        self._mean_db += self._share * rise
        is_new = self._shown is None or not np.array_equal(self._shown, grey)
        self._shown = grey
        return FrameAnalysis(rise / RISE_DB, is_new, level_db, bed_db, thumbnails(grey[None])[0])
