"""How large a film may be before it is taken for a bomb: a small file that decodes to no end."""

from __future__ import annotations

from dataclasses import dataclass

from frame2sound.errors import FilmError

MAX_MEAN_FRAME_RATE = 1000
"""Frames a second that no film has in the mean."""


MAX_PIXELS_IN_FLIGHT = 1 << 28
"""Pixels of the pictures that all threads together decode at a time."""


@dataclass(frozen=True)
class Limits:
    """The largest picture and the longest film that are read.

    Attributes
    ----------
    megapixels : float
        Of one picture. 70 is 8192 x 8192 and a little.
    hours : float
        Of film; of sound, too.
    """

    max_megapixels: float = 70.0
    max_hours: float = 24.0

    @property
    def max_pixels(self) -> int:
        """Of one picture."""
        return int(self.max_megapixels * 1e6)

    @property
    def max_memory_bytes(self) -> int:
        """That decoding may take: 64 for each pixel of the largest picture, and 4 GiB at least."""
        return max(4 << 30, 64 * self.max_pixels)

    def thread_count(self, requested: int, width: int, height: int) -> int:
        """Return how many threads may decode, as each holds pictures of its own: 1 at least."""
        return max(1, min(requested, MAX_PIXELS_IN_FLIGHT // max(width * height, 1)))

    def check_picture_size(self, film: object, width: int, height: int) -> None:
        """Raise `FilmError` if a picture is too large."""
        if width * height > self.max_pixels:
            raise FilmError(
                f"{film} has pictures of {width}x{height}, expected {self.max_megapixels:g} megapixels "
                "at most; if you trust this file, raise --most-megapixels"
            )

    def check_duration(self, film: object, seconds: float, frame_count: int = 0) -> None:
        """Raise `FilmError` if a film has gone on for too long, or has too many frames."""
        if seconds > 3600 * self.max_hours or frame_count > MAX_MEAN_FRAME_RATE * (
            3600 * self.max_hours
        ):
            raise FilmError(
                f"{film} goes on after {seconds / 3600:.1f} hours and {frame_count} frames, expected "
                f"{self.max_hours:g} hours at most; if you trust this file, raise --most-hours"
            )


DEFAULT_LIMITS = Limits()
