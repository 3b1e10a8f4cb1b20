"""What is heard of each film, told while a soundtrack is rendered."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.events.event_list import Event


class SoundTap:
    """Is told each sound of a film that is added to a soundtrack, and ignores it.

    Samples count from the start of the animation at the renderer's sample rate.

    Attributes
    ----------
    hears_grains : bool
        Whether sounds of films are told as they are heard through grains, as parts of the bed.
    """

    hears_grains: ClassVar[bool] = False

    def add_event(self, event: Event, sound: NDArray[Any], lead: int, first_sample: int, /) -> None:
        """Take the sound ``(n,)`` or ``(n, 2)`` of an event; ``lead`` samples precede the attack.

        Those that are reported are reported next.
        """

    def add_bed(self, film: str, sound: NDArray[Any], first_sample: int, /) -> None:
        """Take a part of the bed; the parts of all films add up to it."""

    def set_gain(self, gain: float, /) -> None:
        """Take the gain of the whole, if it is not 1."""

    def pan(self, positions: NDArray[np.float64], bounds: NDArray[np.int64], /) -> None:
        """Take the places of the next frames, if the whole is panned; see `Panner.process`."""
