"""The part of an animation that is rendered, and the warm-up before it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError

WARM_UP_SECONDS = 3
"""Seconds rendered before a segment, and left out, where only filters remember what was.

The filter that removes a constant offset forgets within a second to the last bit.
"""

ADAPTING_WARM_UP_SECONDS = 20
"""The same where the sound depends on the sound before it: mosaics, grains, phases, effects."""

PREPARED_SECONDS = 300
"""Seconds before the warm-up that are predicted and not rendered, where predictions remember.

Motion and levels are scaled by all pictures so far, and recurrent brains have a state: segments
that begin within five minutes have the very predictions and events of the whole.
"""

MIN_SECONDS = Fraction(1, 100)
"""The shortest segment."""

COOL_DOWN_SECONDS = 1
"""Seconds rendered after a segment, which resampling and limiting look at."""


@dataclass(frozen=True)
class Segment:
    """A part of an animation, from one time up to another; by default the whole.

    Attributes
    ----------
    start_seconds : Fraction
    stop_seconds : Fraction, optional
        None for the animation's end.
    warm_up_seconds : int
        Rendered before the start, and left out.
    prepared_seconds : int
        Predicted before the warm-up, and not rendered.

    Raises
    ------
    SoundtrackError
        The start is negative, or the segment is shorter than `MIN_SECONDS`.
    """

    start_seconds: Fraction = Fraction(0)
    stop_seconds: Fraction | None = None
    warm_up_seconds: int = WARM_UP_SECONDS
    prepared_seconds: int = 0

    def __post_init__(self) -> None:
        start, stop = self.start_seconds, self.stop_seconds
        if start < 0:
            raise SoundtrackError(f"got `start_seconds={float(start):g}`, expected 0 or more")
        if stop is not None and stop - start < MIN_SECONDS:
            raise SoundtrackError(
                f"got `start_seconds={float(start):g}` and `stop_seconds={float(stop):g}`, "
                f"expected a stop at least {float(MIN_SECONDS):g} s after the start"
            )

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole animation."""
        return not self.start_seconds and self.stop_seconds is None

    @property
    def origin_seconds(self) -> int:
        """The whole second at which the warm-up begins: a sample at every sample rate."""
        return max(int(self.start_seconds) - self.warm_up_seconds, 0)

    @property
    def end_seconds(self) -> int | None:
        """The whole second at which the cool-down ends; None at the animation's end."""
        if self.stop_seconds is None:
            return None
        return -int(-self.stop_seconds // 1) + COOL_DOWN_SECONDS

    def first_batches(self, clock: Clock, batch_frames: int) -> tuple[int, int]:
        """Return the batch with which prediction begins, and the one with which rendering does.

        Batches are those of the whole animation, since sums in other batches round otherwise.
        """
        prepared_from = max(self.origin_seconds - self.prepared_seconds, 0)
        predicted, rendered = (
            int(seconds * clock.fps) // batch_frames
            for seconds in (prepared_from, self.origin_seconds)
        )
        return predicted, rendered

    @property
    def span_seconds(self) -> tuple[float, float]:
        """The start and the stop, which is infinite for the animation's end."""
        stop = self.stop_seconds
        return float(self.start_seconds), math.inf if stop is None else float(stop)

    def check_length(
        self, animation_seconds: float | Fraction, tolerance_seconds: float = 0
    ) -> None:
        """Raise `SoundtrackError` if it is not within an animation of this length."""
        beyond, most = None, animation_seconds + tolerance_seconds
        if self.start_seconds >= most:
            beyond = f"`start_seconds={float(self.start_seconds):g}`", "less than"
        elif self.stop_seconds is not None and self.stop_seconds > most:
            beyond = f"`stop_seconds={float(self.stop_seconds):g}`", "at most"
        if beyond is not None:
            raise SoundtrackError(
                f"got {beyond[0]}, expected {beyond[1]} {float(animation_seconds):g} s, the length "
                "of the animation"
            )


WHOLE = Segment()
