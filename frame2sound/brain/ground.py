"""Match the ground of drawn films: paper of any brightness becomes black, with light figures.

A film that is drawn on a plain ground is mapped to what its brain would see if it were drawn on
black with full contrast. The map belongs to the film, not to the frame: a flash stays a flash, and
a strobe stays a strobe. Real films, and drawings on black, stay as they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.small_frames import luma

LEVELS = 256

BAND = 3
"""Grey levels this near to a ground belong to it: its grain, and the noise of its coding."""

MIN_FIGURE_DIFFERENCE = 16
"""Pixels that differ from the ground by more grey levels belong to a figure."""

MIN_GROUND_SHARE = 0.4
"""The least share of a picture that its ground fills."""

ADOPT_SHARE, KEEP_SHARE = 0.55, 0.4
"""Shares of the frames that a ground needs to be adopted, and to remain the film's."""

MAX_BLACK_LEVEL, MIN_WHITE_LEVEL = 12, 250
"""A ground up to the one grey level counts as black, and from the other on as white."""

PEAK_PERCENTILE, CONTRAST_PERCENTILE = 99.5, 90.0
"""Of the differences of figures' pixels from the ground: a film's peak, and its contrast."""

FULL_PEAK = 160
"""Figures on black or white whose peak is at least so many grey levels are not amplified."""

MIN_CONTRAST_RATIO = 1.2
"""A film's map changes when its contrast exceeds the one that the map was made for so far."""

HALF_LIFE_SHARE = 0.8
"""After this share of the frames that are read ahead, a frame counts half."""

MIN_HALF_LIFE_FRAMES = 24

_MAX_WEIGHT = 2.0**64


@dataclass(frozen=True)
class GroundMap:
    """A map of grey levels that puts light figures on a black ground.

    Attributes
    ----------
    ground : int or None
        The film's ground, 0 (black) to 255; None for a film without a plain ground.
    gain : float
        By which the difference from the ground is multiplied.
    """

    ground: int | None = None
    gain: float = 1.0

    @classmethod
    def for_figures(cls, ground: int, peak: float, contrast: float) -> GroundMap:
        """Return the map for figures whose differences from a ground have these percentiles."""
        if peak >= FULL_PEAK and ground <= MAX_BLACK_LEVEL:
            return cls(0)
        if peak >= FULL_PEAK and ground >= MIN_WHITE_LEVEL:
            return cls(LEVELS - 1)
        return cls(ground, (LEVELS - 1) / max(contrast, MIN_FIGURE_DIFFERENCE))

    @property
    def is_identity(self) -> bool:
        """Whether frames stay as they are."""
        return not self.ground and self.gain == 1

    def apply(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return mapped frames of the same shape.

        Each pixel becomes its absolute difference from the ground, times the gain, at most 255: on
        grey, darker and lighter figures both become light. Frames in colour become grey, with three
        equal values for each pixel, unless they stay as they are.

        Parameters
        ----------
        frames : uint8 array (..., 64, 64) or (..., 64, 64, 3)

        Examples
        --------
        >>> GroundMap(255).apply(np.array([[255, 55, 0]], np.uint8))
        array([[  0, 200, 255]], dtype=uint8)
        """
        if self.is_identity:
            return frames
        if frames.shape[-1] != 3:
            return self._table[frames]
        return np.repeat(self._table[luma(frames)][..., None], 3, -1)

    @cached_property
    def _table(self) -> NDArray[np.uint8]:
        """The mapped value of each grey level."""
        assert self.ground is not None
        difference = np.abs(np.arange(LEVELS) - self.ground)
        return np.minimum(np.rint(self.gain * difference), LEVELS - 1).astype(np.uint8)


class FrameGround(NamedTuple):
    """What one picture shows of its ground.

    Attributes
    ----------
    histogram : int64 array (256,)
        The number of pixels of each grey level.
    level : int or None
        The grey level that fills most of it; None if none fills enough.
    has_figure : bool
        Whether there is anything but the ground.
    """

    histogram: NDArray[np.int64]
    level: int | None
    has_figure: bool

    @classmethod
    def of(cls, frame: NDArray[np.uint8]) -> FrameGround:
        """Return the ground of a frame ``(64, 64)``, or ``(64, 64, 3)`` in colour."""
        grey = luma(frame) if frame.ndim == 3 else frame
        histogram = np.bincount(grey.ravel(), minlength=LEVELS)
        level = _densest_level(histogram)
        if _count_near(histogram, level, BAND) < MIN_GROUND_SHARE * grey.size:
            return cls(histogram, None, True)
        has_figure = _count_near(histogram, level, MIN_FIGURE_DIFFERENCE) < grey.size
        return cls(histogram, level, bool(has_figure))

    def lies_on(self, ground: int | None) -> bool:
        """Return whether the picture is a figure on this ground, or on none."""
        if ground is None or self.level is None:
            return ground is self.level
        return self.has_figure and abs(self.level - ground) <= BAND


class GroundEstimator:
    """Finds the ground and the contrast of a film in its frames, in constant memory.

    Frames in which something lies on a ground vote for it. Plain screens do not vote: they do not
    tell a ground from a flash. The map changes only if another ground has the majority of votes, or
    if figures exceed the contrast so far.

    Parameters
    ----------
    half_life_frames : float, optional
        Votes of frames so far back count half, so that a scene of such a length on another ground
        changes the map; by default, all frames count alike.
    """

    def __init__(self, half_life_frames: float | None = None) -> None:
        self._growth = 1.0 if half_life_frames is None else 2 ** (1 / half_life_frames)
        self._weight = 1.0
        self._total = 0.0
        self._votes = np.zeros(LEVELS)
        self._histograms = np.zeros((LEVELS, LEVELS))
        self._ground: int | None = None
        self._peak = self._contrast = 0.0
        self._map = GroundMap()

    def current(self) -> GroundMap:
        """Return the map for the film as far as it is known."""
        return self._map

    def observe(self, frames: NDArray[np.uint8]) -> bool:
        """Take in frames ``(n, 64, 64)``, or in colour; return whether the map has changed."""
        changes = [self.observe_one(FrameGround.of(frame)) for frame in frames]
        return any(changes)

    def observe_one(self, frame: FrameGround) -> bool:
        """Take in one frame; return whether the map has changed."""
        if not frame.has_figure:
            return False
        self._vote(frame)
        ground = self._find_ground()
        if ground != self._ground:
            self._ground, self._peak, self._contrast = ground, 0.0, 0.0
        before = self._map
        self._update_map()
        return self._map != before

    def _vote(self, frame: FrameGround) -> None:
        self._total += self._weight
        if frame.level is not None:
            self._votes[frame.level] += self._weight
            self._histograms[frame.level] += self._weight * frame.histogram
        self._weight *= self._growth
        if self._weight > _MAX_WEIGHT:
            for array in (self._votes, self._histograms):
                array /= _MAX_WEIGHT
            self._total, self._weight = self._total / _MAX_WEIGHT, self._weight / _MAX_WEIGHT

    def _find_ground(self) -> int | None:
        """Return the ground with the majority of votes; else the one so far, if enough are left."""
        level = _densest_level(self._votes)
        if _count_near(self._votes, level, BAND) >= ADOPT_SHARE * self._total:
            is_same = self._ground is not None and abs(level - self._ground) <= BAND
            return self._ground if is_same else level
        if self._ground is None:
            return None
        left = _count_near(self._votes, self._ground, BAND)
        return self._ground if left >= KEEP_SHARE * self._total else None

    def _update_map(self) -> None:
        if self._ground is None:
            self._map = GroundMap()
            return
        if self._peak >= FULL_PEAK:
            return
        peak, contrast = self._measure_figures(self._ground)
        if peak >= FULL_PEAK or contrast >= MIN_CONTRAST_RATIO * self._contrast:
            self._peak, self._contrast = peak, contrast
            self._map = GroundMap.for_figures(self._ground, peak, contrast)

    def _measure_figures(self, ground: int) -> tuple[float, float]:
        """Return the peak and the contrast of the figures on a ground."""
        histogram = self._histograms[_near(ground, BAND)].sum(0)
        difference = np.abs(np.arange(LEVELS) - ground)
        counts = np.bincount(difference, histogram, minlength=LEVELS)
        counts[: MIN_FIGURE_DIFFERENCE + 1] = 0
        if not counts.any():
            return MIN_FIGURE_DIFFERENCE, MIN_FIGURE_DIFFERENCE
        percentages = 100 * np.cumsum(counts) / counts.sum()
        peak, contrast = np.searchsorted(percentages, [PEAK_PERCENTILE, CONTRAST_PERCENTILE])
        return float(peak), float(contrast)


def match_ground(
    batches: Iterable[NDArray[np.uint8]], look_ahead_frames: int
) -> Iterator[NDArray[np.uint8]]:
    """Yield a film's batches of frames, mapped to light figures on black; see `GroundEstimator`.

    The batches keep their number, order and sizes, and mapped frames do not depend on the sizes. A
    new ground applies from the first frame that shows a figure on it, so at a cut, not within a
    scene.

    Parameters
    ----------
    batches : iterable of uint8 arrays (n, 64, 64) or (n, 64, 64, 3)
    look_ahead_frames : int
        Frames that are read before a frame is mapped; about ten seconds let the map follow scenes
        of that length.
    """
    half_life = max(HALF_LIFE_SHARE * look_ahead_frames, MIN_HALF_LIFE_FRAMES)
    estimator = GroundEstimator(half_life)
    waiting: deque[tuple[NDArray[np.uint8], FrameGround]] = deque()
    mapped: deque[NDArray[np.uint8]] = deque()
    sizes: deque[int] = deque()
    applied: GroundMap | None = None

    def map_next() -> None:
        nonlocal applied
        frame, frame_ground = waiting.popleft()
        applied = choose_map(applied, estimator.current(), frame_ground)
        mapped.append(applied.apply(frame))

    for batch in batches:
        sizes.append(len(batch))
        for frame in batch:
            frame_ground = FrameGround.of(frame)
            estimator.observe_one(frame_ground)
            waiting.append((frame, frame_ground))
            if len(waiting) > look_ahead_frames:
                map_next()
        while sizes and sizes[0] <= len(mapped):
            yield _take(mapped, sizes.popleft(), batch)
    while waiting:
        map_next()
    while sizes:
        size = sizes.popleft()
        yield _take(mapped, size, batch)


def estimate_ground(frames: Iterable[NDArray[np.uint8]]) -> GroundMap:
    """Return the map for a whole film, of frames ``(64, 64)`` that are evenly spread over it."""
    estimator = GroundEstimator()
    for frame in frames:
        estimator.observe_one(FrameGround.of(frame))
    return estimator.current()


def choose_map(applied: GroundMap | None, current: GroundMap, frame: FrameGround) -> GroundMap:
    """Return the map of a frame: the current one, unless its ground begins after this frame."""
    if applied is None or applied.ground == current.ground or frame.lies_on(current.ground):
        return current
    return applied


def _take(
    frames: deque[NDArray[np.uint8]], count: int, like: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Remove the first frames from a queue and return them as one array."""
    batch = np.empty((count, *like.shape[1:]), np.uint8)
    for row in batch:
        row[...] = frames.popleft()
    return batch


def _near(level: int, width: int) -> slice:
    return slice(max(level - width, 0), level + width + 1)


def _count_near(counts: NDArray[np.number], level: int, width: int) -> float:
    """Return the sum of the counts of levels that differ by at most ``width``."""
    return float(counts[_near(level, width)].sum())


def _densest_level(counts: NDArray[np.number]) -> int:
    """Return the most frequent level within the band of levels that holds most counts."""
    sums = np.convolve(counts, np.ones(2 * BAND + 1, counts.dtype), "same")
    band = _near(int(np.argmax(sums)), BAND)
    return int(band.start + np.argmax(counts[band]))
