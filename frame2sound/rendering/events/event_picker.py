"""Pick events: the peaks of a motion head's curve of strength that exceed a threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_curves import EventCurves
from frame2sound.brain.motion import MAX_GAP_FRAMES, MAX_LEAD_SECONDS

MIN_GAP_SECONDS = 0.07
"""Of two peaks that are closer than this, only the higher is an event."""

DEFAULT_SENSITIVITY = 0.5
"""The sensitivity at which the threshold is the one that the brain has learned."""

THRESHOLD_BASE = 4.0
"""Sensitivity 0 multiplies the threshold by this, and sensitivity 1 divides it."""


@dataclass(frozen=True)
class PickedEvent:
    """An event that was found in the picture.

    Attributes
    ----------
    time_seconds : float
        When it begins, from the start of the animation, at least 0.
    level_db : float
        Its level in dBFS.
    frame : int
        The frame that shows it.
    appearance : float32 (64,)
        That frame's thumbnail.
    """

    time_seconds: float
    level_db: float
    frame: int
    appearance: NDArray[np.float32]


def threshold_of(sensitivity: float) -> float:
    """Return the strength from which a peak is an event, for a sensitivity from 0 to 1.

    >>> threshold_of(0.0), threshold_of(0.5), threshold_of(1.0)
    (4.0, 1.0, 0.25)
    """
    return float(THRESHOLD_BASE ** (1 - 2 * sensitivity))


class EventPicker:
    """Picks events from curves that come batch by batch; the size of batches makes no difference.

    A frame with a new picture is picked if its strength reaches the threshold, exceeds that of the
    picture before, and is the highest within `MIN_GAP_SECONDS` and up to the next picture, the
    first of equals. Where pictures change with every frame, a parabola through the strengths of
    three gives the time of the peak, as in sinusoidal modelling (Smith and Serra, "PARSHL", ICMC
    1987); the lead of the frame is subtracted.

    Parameters
    ----------
    fps : Fraction
        Frames per second.
    sensitivity : float
        0 picks nearly nothing, 1 nearly every movement.
    first_frame : int
        The number of the first frame.
    """

    def __init__(
        self, fps: Fraction, sensitivity: float = DEFAULT_SENSITIVITY, first_frame: int = 0
    ) -> None:
        self.fps = fps
        self.threshold = threshold_of(sensitivity)
        self.reach = max(math.ceil(Fraction(MIN_GAP_SECONDS).limit_denominator() * fps) - 1, 1)
        self.around = max(self.reach, MAX_GAP_FRAMES)
        self._curves: EventCurves | None = None
        self._first = self._decided = first_frame

    @property
    def decided_seconds(self) -> float:
        """The time before which no further event can begin."""
        return max(float(self._decided / self.fps) - MAX_LEAD_SECONDS - float(1 / self.fps), 0.0)

    def process(self, curves: EventCurves) -> list[PickedEvent]:
        """Take the curves of the next frames; return the events that are certain by now."""
        self._curves = curves if self._curves is None else join_curves(self._curves, curves)
        return self._pick(self._first + len(self._curves) - self.around)

    def flush(self) -> list[PickedEvent]:
        """Return the events of the last frames."""
        return [] if self._curves is None else self._pick(self._first + len(self._curves))

    def _pick(self, until: int) -> list[PickedEvent]:
        """Decide on the frames up to ``until``, and drop those that no later decision needs."""
        curves, first = self._curves, self._first
        if curves is None or until <= self._decided:
            return []
        frames = np.arange(self._decided, until)
        padded = np.pad(curves.strength, self.reach, constant_values=-np.inf)
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * self.reach + 1)
        around = around[frames - first]
        highest = around.argmax(axis=1) == self.reach
        highest &= _exceeds_neighbours(curves, self.around)[frames - first]
        peaks = frames[highest & (around[:, self.reach] >= self.threshold)]
        self._decided = until
        keep = max(until - self.around, first)
        self._curves, self._first = slice_curves(curves, keep - first), keep
        return [self._event(curves, frame, frame - first) for frame in peaks.tolist()]

    def _event(self, curves: EventCurves, frame: int, at: int) -> PickedEvent:
        lead = min(max(float(curves.lead_seconds[at]), 0.0), MAX_LEAD_SECONDS)
        seconds = (frame + _peak_offset(curves, at)) / float(self.fps) - lead
        level, appearance = float(curves.level_db[at]), curves.appearance[at]
        return PickedEvent(max(seconds, 0.0), level, frame, appearance)


def join_curves(before: EventCurves, after: EventCurves) -> EventCurves:
    """Return the curves of successive frames in one."""
    names = [each.name for each in fields(EventCurves)]
    return EventCurves(*(np.concatenate([getattr(before, n), getattr(after, n)]) for n in names))


def slice_curves(curves: EventCurves, begin: int, end: int | None = None) -> EventCurves:
    """Return the curves of some of the frames."""
    names = [each.name for each in fields(EventCurves)]
    return EventCurves(*(getattr(curves, name)[begin:end] for name in names))


def _exceeds_neighbours(curves: EventCurves, most_frames: int) -> NDArray[np.bool_]:
    """Return which frames have a new picture that is stronger than those next to it, bool (n,).

    The picture after it may be as strong. Pictures that are further than ``most_frames`` do not
    count.
    """
    new = np.flatnonzero(curves.is_new)
    strength = curves.strength[new]
    close = np.diff(new) <= most_frames
    rises = np.append(True, ~close | (strength[1:] > strength[:-1]))[: len(new)]
    falls = np.append(~close | (strength[:-1] >= strength[1:]), True)[: len(new)]
    exceeds = np.zeros(len(curves), np.bool_)
    exceeds[new] = rises & falls
    return exceeds


def _peak_offset(curves: EventCurves, at: int) -> float:
    """Return where a parabola through a peak and its neighbours is highest, -0.5 to 0.5."""
    values = curves.strength
    if not 0 < at < len(values) - 1 or not curves.is_new[at - 1 : at + 2].all():
        return 0.0
    before, here, after = values[at - 1 : at + 2].tolist()
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
