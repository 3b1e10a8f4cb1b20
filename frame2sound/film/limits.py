"""How large a film may be before it is taken for a bomb: a small file that decodes to no end."""

from __future__ import annotations

from dataclasses import dataclass

from frame2sound.errors import FilmError

FASTEST = 1000
"""Frames a second that no film has in the mean."""


PIXELS_AT_A_TIME = 1 << 28
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

    megapixels: float = 70.0
    hours: float = 24.0

    @property
    def pixels(self) -> int:
        """Of one picture."""
        return int(self.megapixels * 1e6)

    @property
    def memory_bytes(self) -> int:
        """That decoding may take: 64 for each pixel of the largest picture, and 4 GiB at least."""
        return max(4 << 30, 64 * self.pixels)

    def threads(self, wanted: int, width: int, height: int) -> int:
        """Return how many threads may decode, as each holds pictures of its own: 1 at least."""
        return max(1, min(wanted, PIXELS_AT_A_TIME // max(width * height, 1)))

    def check_size(self, film: object, width: int, height: int) -> None:
        """Raise `FilmError` if a picture is too large."""
        if width * height > self.pixels:
            raise FilmError(
                f"{film} has pictures of {width}x{height}, expected {self.megapixels:g} megapixels "
                "at most; if you trust this file, raise --most-megapixels"
            )

    def check_length(self, film: object, seconds: float, frames: int = 0) -> None:
        """Raise `FilmError` if a film has gone on for too long, or has too many frames."""
        if seconds > 3600 * self.hours or frames > FASTEST * (3600 * self.hours):
            raise FilmError(
                f"{film} goes on after {seconds / 3600:.1f} hours and {frames} frames, expected "
                f"{self.hours:g} hours at most; if you trust this file, raise --most-hours"
            )


USUAL = Limits()
