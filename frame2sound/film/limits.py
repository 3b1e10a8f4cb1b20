"""Limits on the size and duration of films, against small files that decode without end."""

from __future__ import annotations

from dataclasses import dataclass

from frame2sound.errors import FilmError

MAX_MEAN_FRAME_RATE = 1000
"""Frames per second that no film exceeds on average."""

MAX_PIXELS_IN_FLIGHT = 1 << 28
"""Total size of the pictures that all decoding threads hold at once, in pixels."""


@dataclass(frozen=True)
class Limits:
    """The largest picture and the longest film that are decoded.

    Attributes
    ----------
    max_megapixels : float
        Size of one picture. 70 is slightly more than 8192 x 8192.
    max_hours : float
        Duration of the video, and of the audio.
    """

    max_megapixels: float = 70.0
    max_hours: float = 24.0

    @property
    def max_pixels(self) -> int:
        """The size of the largest picture, in pixels."""
        return int(self.max_megapixels * 1e6)

    @property
    def max_memory_bytes(self) -> int:
        """The memory that decoding may use: 64 bytes per pixel of the largest picture, >= 4 GiB."""
        return max(4 << 30, 64 * self.max_pixels)

    def thread_count(self, requested: int, width: int, height: int) -> int:
        """Return how many threads may decode at once, at least 1; each holds its own pictures."""
        return max(1, min(requested, MAX_PIXELS_IN_FLIGHT // max(width * height, 1)))

    def check_picture_size(self, film: object, width: int, height: int) -> None:
        """Raise `FilmError` if a picture is too large."""
        if width * height > self.max_pixels:
            raise FilmError(
                f"{film} has pictures of {width}x{height}, expected {self.max_megapixels:g} "
                f"megapixels at most; {larger_limit('max_megapixels')}"
            )

    def check_duration(self, film: object, seconds: float, frame_count: int = 0) -> None:
        """Raise `FilmError` if a film is too long or has too many frames."""
        max_seconds = 3600 * self.max_hours
        if seconds > max_seconds or frame_count > MAX_MEAN_FRAME_RATE * max_seconds:
            raise FilmError(
                f"{film} goes on after {seconds / 3600:.1f} hours and {frame_count} frames, "
                f"expected {self.max_hours:g} hours at most; {larger_limit('max_hours')}"
            )


def larger_limit(parameter: str) -> str:
    """Return the remedy for a film beyond a limit, which only two commands can raise.

    Examples
    --------
    >>> larger_limit("max_hours")
    'if you trust this file, pickle and render read it with a larger `max_hours`'
    """
    return f"if you trust this file, pickle and render read it with a larger `{parameter}`"


DEFAULT_LIMITS = Limits()
