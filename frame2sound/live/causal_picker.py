"""Decide at once whether an event begins: no later frame is waited for."""

from __future__ import annotations

from frame2sound.brain.motion import MAX_GAP_FRAMES
from frame2sound.rendering.events.event_picker import threshold_of

REARM_SHARE = 0.7
"""After an event, the strength must fall to this share of its peak before the next one."""


class CausalPicker:
    """Finds events as their strength rises through the threshold.

    `frame2sound.rendering.events.event_picker.EventPicker` waits for the peak, which is known only
    afterwards; here the first picture above the threshold is the event.
    """

    def __init__(self) -> None:
        self._last = self._peak = 0.0
        self._is_armed = True
        self._last_seconds = -float("inf")
        self._still_frames = 0

    def is_event(
        self, strength: float, seconds: float, sensitivity: float, min_gap: float, *, is_new: bool
    ) -> bool:
        """Return whether the frame that arrives now begins an event.

        Parameters
        ----------
        strength : float
            The brain's threshold is 1.
        seconds : float
            When the frame arrived.
        sensitivity : float
            Moves the threshold, 0 to 1.
        min_gap : float
            The least time between two events, in seconds.
        is_new : bool
            Whether the frame shows another picture than the one before; others begin no event.
        """
        if not is_new:
            self._still_frames += 1
            if self._still_frames >= MAX_GAP_FRAMES:
                self._is_armed, self._last = True, 0.0
            return False
        self._still_frames = 0
        threshold = threshold_of(sensitivity)
        rises, self._last = strength > self._last, strength
        if self._is_armed and rises and strength >= threshold:
            if seconds - self._last_seconds < min_gap:
                return False
            self._is_armed, self._peak, self._last_seconds = False, strength, seconds
            return True
        self._peak = max(self._peak, strength)
        self._is_armed |= strength < REARM_SHARE * self._peak
        return False
