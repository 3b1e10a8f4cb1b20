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

from frame2sound.brain.flow_statistics import (
    CELLS,
    DIRECTIONS,
    measure_change,
    measure_flow,
)

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

USUAL_SCALE = np.array(
    [4.47, 0.65, 0.68, 17.0, 0.62, 0.62, 1.02, 5.37, 0.37, 0.56, 0.27, 0.65, 0.34, 0.54, 0.68, 0.54]
)
"""The median of `MotionScale` over the demo films: what is assumed before a picture has moved."""

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

CUT_CHANGE, CUT_CORRELATION = 25.0, 0.3
"""A cut: pixels change by more grey levels in the mean, and pictures correlate less."""

MIN_CONTRAST = 4.0
"""A picture whose grey values have a smaller standard deviation is plain."""

BATCH_PICTURES = 16
"""Pictures whose flow is measured at once: so many stay in a processor's cache."""

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


@dataclass(frozen=True)
class _Last:
    """What is kept of the last picture."""

    grey: NDArray[np.uint8]
    large: NDArray[np.uint8]
    change: float
    histogram: NDArray[np.float64]
    cells: FloatArray
    widened: FloatArray


class MotionStream:
    """Measures the motion of one film's grey frames, chunk by chunk; it sees only past frames."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._shown: NDArray[np.uint8] | None = None
        self._last: _Last | None = None
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
            if self._shown is None or _differs(frame, self._shown):
                motion.is_new[index] = True
                motion.gap_frames[index] = self._next_gap()
                self._shown = frame
        new = np.flatnonzero(motion.is_new)
        for batch in (new[at : at + BATCH_PICTURES] for at in range(0, len(new), BATCH_PICTURES)):
            motion.numbers[batch] = self._measure(frames[batch], motion.gap_frames[batch])
        return motion

    def _next_gap(self) -> float:
        """Return the frames since the last picture; the mean of the last few if they alternate.

        Pictures at 25 a second appear after one or two frames of a clock of 30, but are all equally
        far apart.
        """
        gap, self._since = min(self._since, MAX_GAP_FRAMES), 0
        self._gaps = [*self._gaps, gap][-GAP_MEMORY:] if self._shown is not None else []
        mean = sum(self._gaps) / len(self._gaps) if self._gaps else 1.0
        return mean if abs(gap - mean) < 1 else float(gap)

    def _measure(self, pictures: NDArray[np.uint8], gaps: NDArray[np.float64]) -> FloatArray:
        """Return the numbers ``(n, 16)`` of successive new pictures."""
        last = self._last or _nothing_before(pictures[0])
        previous = np.concatenate([last.grey[None], pictures[:-1]])
        large = np.stack([last.large, *map(_enlarge, pictures)])
        begins = np.array([_is_cut(*pair) for pair in zip(pictures, previous, strict=True)])
        begins[0] |= self._last is None
        planes, camera = self._flow_planes(large, gaps, ~begins)
        fields = measure_flow(planes, camera)
        change, largest, lighter = measure_change(pictures, previous, gaps)
        for each in (change, largest, lighter, *fields.values()):
            each[begins] = 0
        cells, histogram = fields.pop("cells"), fields.pop("histogram")
        widened = np.stack([cv2.dilate(each, _NEIGHBOURS) for each in cells])
        faster, slower = _differences(change, np.float64(last.change))
        _, slows = _differences(histogram, last.histogram)
        past_cells, past_widened = _shifted(cells, last.cells), _shifted(widened, last.widened)
        reversal = np.minimum(np.roll(past_widened, DIRECTIONS // 2, axis=3), cells)
        columns = {
            **fields,
            "change": change,
            "change falls": slower,
            "change rises": faster,
            "largest change": largest,
            "lighter minus darker": lighter,
            "brightness rises": lighter,
            "deceleration": slows.sum(axis=1),
            "local deceleration": _directed_mean(np.maximum(past_cells - widened, 0)),
            "local acceleration": _directed_mean(np.maximum(cells - past_widened, 0)),
            "reversal": _directed_mean(reversal),
        }
        self._last = _Last(
            pictures[-1], large[-1], float(change[-1]), histogram[-1], cells[-1], widened[-1]
        )
        numbers = np.stack([columns[name] for name in MOTION_NUMBERS], axis=1)
        numbers[begins] = 0
        return numbers.astype(np.float32)

    def _flow_planes(
        self, large: NDArray[np.uint8], gaps: NDArray[np.float64], moves: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        """Return the flow to each of the pictures after the first, less the camera's, and that.

        The shapes are ``(2, n, 64, 64)`` and ``(2, n)``; the first axis is right and down. Pictures
        that do not move have no flow.
        """
        side = FLOW_SIZE // 2
        planes = np.zeros((2, len(gaps), side, side), np.float32)
        for index in np.flatnonzero(moves):
            flow = _half(self._flow.calc(large[index], large[index + 1], _NO_GUESS))
            planes[:, index] = np.moveaxis(flow, 2, 0)
        planes /= gaps.astype(np.float32)[:, None, None]
        camera = np.median(planes.reshape(2, len(gaps), -1)[..., ::4], axis=2).astype(np.float32)
        planes -= camera[..., None, None]
        return planes, camera


def _nothing_before(picture: NDArray[np.uint8]) -> _Last:
    """Return what is kept before the first picture, which does not move from it."""
    still = np.zeros((CELLS, CELLS, DIRECTIONS), np.float32)
    return _Last(picture, _enlarge(picture), 0.0, np.zeros(DIRECTIONS), still, still)


def _shifted(values: NDArray[Any], before: Any) -> NDArray[Any]:
    """Return each picture's predecessor's values, given those before the first."""
    return np.concatenate([np.asarray(before, values.dtype)[None], values[:-1]])


def _differences(values: NDArray[Any], before: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return by how much values rise and fall from one picture to the next."""
    difference = values - _shifted(values, before)
    return np.maximum(difference, 0), np.maximum(-difference, 0)


def _directed_mean(cells: FloatArray) -> FloatArray:
    """Return the mean over cells of the sum over directions."""
    mean: FloatArray = cells.reshape(len(cells), -1).mean(axis=1) * np.float32(DIRECTIONS)
    return mean


def _enlarge(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (FLOW_SIZE, FLOW_SIZE)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _half(flow: NDArray[Any]) -> FloatArray:
    """Return every second vector of a flow in both directions."""
    return np.asarray(flow[::2, ::2], np.float32)


def _differs(frame: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
    return bool(cv2.norm(frame, last, cv2.NORM_INF) > MAX_EQUAL_DIFFERENCE)


def _is_cut(frame: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
    """Return whether two pictures are of different shots; a flash of a plain screen is no cut."""
    if cv2.norm(frame, last, cv2.NORM_L1) < CUT_CHANGE * frame.size:
        return False
    here, before = (picture.astype(np.float32) - picture.mean() for picture in (frame, last))
    spreads = float(here.std()), float(before.std())
    if min(spreads) < MIN_CONTRAST:
        return False
    correlation = float((here * before).mean()) / (spreads[0] * spreads[1])
    return abs(correlation) < CUT_CORRELATION


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
