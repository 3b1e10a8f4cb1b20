"""The motion of a picture as a few numbers, from the frames that libraries hold.

Sound with a visible cause follows how things move, stop and turn more than how they look. The
numbers combine the change of pixels with the optical flow between pictures (dense inverse search:
Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016), the deceleration of its
histogram over directions (the impact envelope of Davis and Agrawala, "Visual rhythm and beat", ACM
Transactions on Graphics 37, 2018), and the same in the cells of a grid.

Motion is measured between pictures that differ, in units of time: an animation drawn on twos, or a
film of 15 frames a second, shows each picture for several frames of the brain's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

MOTION_NUMBERS = (
    "change",
    "change falls",
    "change rises",
    "largest change",
    "lighter minus darker",
    "brightness rises",
    "speed",
    "largest speed",
    "deceleration",
    "divergence",
    "mean divergence",
    "downward speed",
    "camera speed",
    "local deceleration",
    "local acceleration",
    "reversal",
)
"""The names of the numbers, in their order."""

PAST_PICTURES = 4
"""Pictures before the current one whose numbers enter a regression with its own."""

FEATURE_COUNT = (PAST_PICTURES + 1) * len(MOTION_NUMBERS)

MAX_EQUAL_DIFFERENCE = 3
"""A frame shows the picture before if no pixel differs by more grey levels: coding noise."""

MAX_GAP_FRAMES = 8
"""A picture that was shown for longer counts as having been shown for so many frames."""

MAX_LEAD_SECONDS = 0.5
"""The longest time by which an event may begin before the frame that shows it."""

GAP_MEMORY = 6
"""Pictures over which the time between two is averaged where the clocks beat."""

FLOW_SIZE = 128
"""Pictures are enlarged to this side: the flow of small things is found more surely."""

CELLS, DIRECTIONS = 8, 8
"""Cells along a side of the grid, and directions of the histograms."""

CUT_CHANGE, CUT_CORRELATION = 25.0, 0.3
"""A cut: pixels change by more grey levels in the mean, and pictures correlate less."""

MIN_CONTRAST = 4.0
"""A picture whose grey values have a smaller standard deviation is plain."""

_ANGLES = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
_PROJECTION = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)]).astype(np.float32)
_NO_GUESS: Any = None
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Motion:
    """The motion of successive frames.

    Attributes
    ----------
    is_new : bool (n,)
        Whether a frame shows another picture than the one before it.
    gap_frames : float64 (n,)
        The time since the picture before appeared, in frames, where a frame is new; else 0.
    numbers : float32 (n, 16)
        The `MOTION_NUMBERS` of new pictures, in units of one frame; 0 for other frames, for the
        first one and for those after a cut.
    """

    is_new: NDArray[np.bool_]
    gap_frames: NDArray[np.float64]
    numbers: FloatArray

    def __len__(self) -> int:
        return len(self.is_new)

    def select(self, frames: slice) -> Motion:
        """Return the motion of some of the frames."""
        return Motion(self.is_new[frames], self.gap_frames[frames], self.numbers[frames])

    @classmethod
    def concatenate(cls, parts: list[Motion]) -> Motion:
        """Return the motion of successive frames in one."""
        return cls(
            np.concatenate([part.is_new for part in parts]),
            np.concatenate([part.gap_frames for part in parts]),
            np.concatenate([part.numbers for part in parts]),
        )


@dataclass
class _Picture:
    """What is kept of the last picture."""

    grey: NDArray[np.uint8]
    large: NDArray[np.uint8]
    brightness: float
    change: float
    histogram: FloatArray
    cells: FloatArray
    widened: FloatArray


class MotionStream:
    """Measures the motion of one film's grey frames, chunk by chunk; it sees only past frames."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._last: _Picture | None = None
        self._since = 0
        self._gaps: list[int] = []

    def process(self, frames: NDArray[np.uint8]) -> Motion:
        """Return the motion of the next frames ``(n, 64, 64)``."""
        count = len(frames)
        motion = Motion(
            np.zeros(count, np.bool_),
            np.zeros(count),
            np.zeros((count, len(MOTION_NUMBERS)), np.float32),
        )
        for index, frame in enumerate(frames):
            self._since += 1
            if self._last is None or _differs(frame, self._last.grey):
                motion.is_new[index] = True
                motion.gap_frames[index] = self._next_gap()
                motion.numbers[index] = self._measure(frame, float(motion.gap_frames[index]))
        return motion

    def _next_gap(self) -> float:
        """Return the frames since the last picture; the mean of the last few if they alternate.

        Pictures at 25 a second appear after one or two frames of a clock of 30, but are all equally
        far apart.
        """
        gap, self._since = min(self._since, MAX_GAP_FRAMES), 0
        self._gaps = [*self._gaps, gap][-GAP_MEMORY:] if self._last is not None else []
        mean = float(np.mean(self._gaps)) if self._gaps else 1.0
        return mean if abs(gap - mean) < 1 else float(gap)

    def _measure(self, frame: NDArray[np.uint8], gap: float) -> FloatArray:
        large = _enlarge(frame)
        last = self._last
        still = np.zeros((CELLS, CELLS, DIRECTIONS), np.float32)
        if last is None or _is_cut(frame, last.grey):
            brightness = float(frame.mean())
            self._last = _Picture(
                frame, large, brightness, 0.0, np.zeros(DIRECTIONS, np.float32), still, still
            )
            return np.zeros(len(MOTION_NUMBERS), np.float32)
        difference = frame.astype(np.float32) - last.grey
        size = np.abs(difference)
        flow = _half(self._flow.calc(last.large, large, _NO_GUESS)) / np.float32(gap)
        camera = np.median(flow.reshape(-1, 2)[::4], axis=0).astype(np.float32)
        flow = flow - camera
        speed, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
        octant = (angle * (DIRECTIONS / (2 * np.pi))).astype(np.int64) % DIRECTIONS
        histogram = np.bincount(octant.ravel(), speed.ravel(), DIRECTIONS) / speed.size
        divergence = _divergence(flow)
        cells = _direction_cells(flow)
        widened = np.asarray(cv2.dilate(cells, _NEIGHBOURS), np.float32)
        reversal = np.minimum(np.roll(last.widened, DIRECTIONS // 2, axis=2), cells)
        change, brightness = float(size.mean()) / gap, float(frame.mean())
        numbers = [
            change,
            max(last.change - change, 0.0),
            max(change - last.change, 0.0),
            _percentile(size) / gap,
            float(difference.mean()) / gap,
            (brightness - last.brightness) / gap,
            float(speed.mean()),
            _percentile(speed),
            float(np.maximum(last.histogram - histogram, 0).sum()),
            float(np.abs(divergence).mean()),
            float(divergence.mean()),
            float(flow[..., 1].mean()),
            float(np.hypot(*camera)),
            float(np.maximum(last.cells - widened, 0).mean()) * DIRECTIONS,
            float(np.maximum(cells - last.widened, 0).mean()) * DIRECTIONS,
            float(reversal.mean()) * DIRECTIONS,
        ]
        self._last = _Picture(
            frame, large, brightness, change, histogram.astype(np.float32), cells, widened
        )
        return np.array(numbers, np.float32)


def _enlarge(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (FLOW_SIZE, FLOW_SIZE)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _half(flow: NDArray[Any]) -> FloatArray:
    """Return every second vector of a flow in both directions."""
    return np.asarray(flow[::2, ::2], np.float32)


def _differs(frame: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
    return bool(cv2.absdiff(frame, last).max() > MAX_EQUAL_DIFFERENCE)


def _is_cut(frame: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
    """Return whether two pictures are of different shots; a flash of a plain screen is no cut."""
    if cv2.absdiff(frame, last).mean() < CUT_CHANGE:
        return False
    here, before = (picture.astype(np.float32) - picture.mean() for picture in (frame, last))
    spreads = float(here.std()), float(before.std())
    if min(spreads) < MIN_CONTRAST:
        return False
    correlation = float((here * before).mean()) / (spreads[0] * spreads[1])
    return abs(correlation) < CUT_CORRELATION


def _percentile(values: FloatArray) -> float:
    """Return the 95th percentile."""
    flat = values.ravel()
    rank = round(0.95 * (len(flat) - 1))
    return float(np.partition(flat, rank)[rank])


def _divergence(flow: FloatArray) -> FloatArray:
    across = cv2.Sobel(np.ascontiguousarray(flow[..., 0]), cv2.CV_32F, 1, 0)
    down = cv2.Sobel(np.ascontiguousarray(flow[..., 1]), cv2.CV_32F, 0, 1)
    return np.asarray(across + down, np.float32)


def _direction_cells(flow: FloatArray) -> FloatArray:
    """Return the mean speed in each direction and cell, ``(8, 8, 8)``."""
    towards = np.maximum(flow @ _PROJECTION, 0)
    side = len(flow) // CELLS
    cells = towards.reshape(CELLS, side, CELLS, side, DIRECTIONS).mean(axis=(1, 3))
    return np.ascontiguousarray(cells, np.float32)


class MotionScale:
    """The 95th percentile of each number over all pictures of a film so far.

    Films differ in how large things are and how fast they move; divided by its film's percentiles,
    motion is comparable between films. Percentiles are read from histograms of logarithms, so that
    memory does not grow with the film.
    """

    _DECADES = (-4.0, 4.0)
    _BINS_PER_DECADE = 50
    QUANTILE = 0.95
    SMALLEST = 0.002
    """The smallest scale: about one pixel that changes by ten grey levels in each picture."""

    def __init__(self) -> None:
        low, high = self._DECADES
        self._counts = np.zeros(
            (len(MOTION_NUMBERS), round((high - low) * self._BINS_PER_DECADE)), np.int64
        )

    def observe(self, motion: Motion) -> None:
        """Add the numbers of new pictures."""
        sizes = np.abs(motion.numbers[motion.is_new].astype(np.float64))
        low = self._DECADES[0]
        bins = (np.log10(np.maximum(sizes, 10**low)) - low) * self._BINS_PER_DECADE
        bins = bins.astype(np.int64).clip(0, self._counts.shape[1] - 1)
        for number, column in enumerate(bins.T):
            self._counts[number] += np.bincount(column, minlength=self._counts.shape[1])

    @property
    def values(self) -> NDArray[np.float64]:
        """The percentiles, ``(16,)``; at least `SMALLEST`."""
        total = self._counts.sum(axis=1)
        reached = self._counts.cumsum(axis=1) >= np.maximum(self.QUANTILE * total, 1)[:, None]
        edges = self._DECADES[0] + (reached.argmax(axis=1) + 0.5) / self._BINS_PER_DECADE
        return np.where(total > 0, np.maximum(10**edges, self.SMALLEST), 1.0)


class MotionContext:
    """Turns scaled numbers into the features of a regression, chunk by chunk.

    A picture's features are its numbers and those of the `PAST_PICTURES` before it, oldest first,
    with their size compressed to ``log(1 + 3 |x|)``. Before a film's first picture there is no
    motion.
    """

    def __init__(self) -> None:
        self._past = np.zeros((PAST_PICTURES, len(MOTION_NUMBERS)), np.float64)

    def process(self, motion: Motion, scale: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the features ``(m, 80)`` of the ``m`` new pictures among the next frames."""
        scaled = motion.numbers[motion.is_new] / scale
        compressed = np.sign(scaled) * np.log1p(3 * np.abs(scaled))
        rows = np.concatenate([self._past, compressed])
        self._past = rows[len(rows) - PAST_PICTURES :]
        count = len(compressed)
        return np.concatenate([rows[at : at + count] for at in range(PAST_PICTURES + 1)], axis=1)


def rescale_features(features: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return the features of the same motion, enlarged by a factor."""
    enlarged = np.log1p(factor * np.expm1(np.abs(features)))
    return np.asarray(np.sign(features) * enlarged)
