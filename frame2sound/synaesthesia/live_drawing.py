"""Draw the last second of a sound again and again, and measure how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.live.latency import LatencyCounter
from frame2sound.synaesthesia.live_windows import HALF_WINDOW, LiveWindow, end_seconds
from frame2sound.synaesthesia.moving_drawing import MovingDrawing

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class LiveStrokes:
    """A drawing of the last second of a sound.

    Attributes
    ----------
    frame : int
    end_seconds, middle_seconds : Fraction
        When that second ends, and its middle, from the beginning of the sound.
    strokes : float32 array (n, 36 + colours)
        One for each voice; see `frame2sound.synaesthesia.stroke.stroke_points`.
    """

    frame: int
    end_seconds: Fraction
    middle_seconds: Fraction
    strokes: FloatArray


Listener = Callable[[LiveStrokes], object]
"""Takes each drawing as soon as it is there."""


class LiveDrawing:
    """Draws windows as they come, and hands the strokes to listeners.

    A window that comes later than a frame lasts is left out.

    Parameters
    ----------
    drawing : MovingDrawing
    fps : Fraction
    listeners : sequence of callable

    Attributes
    ----------
    frames, skipped : int
        Drawings, and windows that were left out.
    seconds : float
        How much of the sound was drawn.
    computing, processor, delay : LatencyCounter
        For a drawing and its listeners: time, time of this thread's processor, and time from the
        end of its window.
    """

    def __init__(
        self, drawing: MovingDrawing, fps: Fraction, listeners: Sequence[Listener] = ()
    ) -> None:
        self._drawing, self._fps, self._listeners = drawing, fps, listeners
        self.frames = self.skipped = 0
        self.seconds = 0.0
        self.computing, self.processor = LatencyCounter(), LatencyCounter()
        self.delay = LatencyCounter()

    def run(self, windows: Iterable[LiveWindow], max_seconds: float = float("inf")) -> None:
        """Draw until the windows end, or so much sound was drawn."""
        for frame, window in enumerate(windows):
            end = end_seconds(frame, self._fps)
            if end > max_seconds:
                return
            if window.late_seconds > 1 / self._fps:
                self.skipped += 1
            else:
                self._draw(frame, end, window)
            self.seconds = float(end)

    def _draw(self, frame: int, end: Fraction, window: LiveWindow) -> None:
        began, began_cpu = time.perf_counter(), time.thread_time()
        strokes = self._drawing.frame(window.samples[None])
        drawn = LiveStrokes(frame, end, end - HALF_WINDOW, strokes)
        for listener in self._listeners:
            listener(drawn)
        took = time.perf_counter() - began
        self.computing.add(took)
        self.processor.add(time.thread_time() - began_cpu)
        self.delay.add(window.late_seconds + took)
        self.frames += 1
