"""The part of a film's picture that is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

Picture = TypeVar("Picture")


@dataclass(frozen=True)
class Excerpt:
    """A part of a film's picture, from one time up to another; by default the whole.

    Attributes
    ----------
    start_seconds : Fraction
    stop_seconds : Fraction, optional
        None for the film's end.
    """

    start_seconds: Fraction = Fraction(0)
    stop_seconds: Fraction | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole picture."""
        return not self.start_seconds and self.stop_seconds is None

    @property
    def uncopyable_reason(self) -> str | None:
        """Why the video's packets cannot be copied, for a note; None for the whole film."""
        start, stop = self.start_seconds, self.stop_seconds
        if self.is_whole:
            return None
        until = "" if stop is None else f" to {float(stop):g} s"
        return f"the picture was cut from {float(start):g} s{until}"

    def cut(
        self, pictures: Iterable[tuple[Picture, Fraction, Fraction]]
    ) -> Iterator[tuple[Picture, Fraction, Fraction]]:
        """Yield the pictures that are displayed, with their times from the start, and durations.

        The first is the one that is on screen at the start; it is displayed for what remains of it,
        as the last is up to the stop.

        Parameters
        ----------
        pictures : iterable of (picture, time, duration)
            In the order of time, in seconds of the film.

        Examples
        --------
        >>> second, half = Fraction(1), Fraction(1, 2)
        >>> pictures = [("a", 0 * second, second), ("b", second, second), ("c", 2 * second, second)]
        >>> [(name, float(time), float(duration))
        ...  for name, time, duration in Excerpt(half, 2 * second + half).cut(pictures)]
        [('a', 0.0, 0.5), ('b', 0.5, 1.0), ('c', 1.5, 0.5)]
        """
        if self.is_whole:
            yield from pictures
            return
        start, stop = self.start_seconds, self.stop_seconds
        on_screen: tuple[Picture, Fraction] | None = None
        for picture, time, duration in pictures:
            if on_screen is not None and time > start:
                end = time if stop is None else min(time, stop)
                yield on_screen[0], Fraction(0), end - start
                on_screen = None
            if stop is not None and time >= stop:
                return
            end = time + duration if stop is None else min(time + duration, stop)
            if time <= start:
                on_screen = picture, end
            else:
                yield picture, time - start, end - time
        if on_screen is not None and on_screen[1] > start:
            yield on_screen[0], Fraction(0), on_screen[1] - start


WHOLE_PICTURE = Excerpt()
