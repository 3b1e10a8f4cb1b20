"""What rendering returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frame2sound.api.records import Record


@dataclass(frozen=True)
class RenderedSoundtrack(Record):
    """A soundtrack that was written.

    Attributes
    ----------
    animation, path : Path
        What was read, and what was written.
    seconds : float
    sample_rate : int
        In Hz.
    channels : int
    true_peak_db : float
        In dBTP; -200 for silence.
    loudness_lufs : float, optional
        Loudness reached, where one was requested.
    notes : tuple of str
        What should be known, such as that the film's own sound was replaced.
    """

    animation: Path
    path: Path
    seconds: float
    sample_rate: int
    channels: int
    true_peak_db: float
    loudness_lufs: float | None
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return one line, and one for each note."""
        return [
            f"{self.path}  {self.seconds:.3f} s  {self.sample_rate} Hz",
            *(f"  note: {note}" for note in self.notes),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; the level of silence is None."""
        return {
            "animation": str(self.animation),
            "soundtrack": str(self.path),
            "seconds": self.seconds,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "true_peak_db": _finite_level(self.true_peak_db),
            "loudness_lufs": _finite_level(self.loudness_lufs),
            "notes": list(self.notes),
        }


def _finite_level(level: float | None) -> float | None:
    from frame2sound.sound.true_peak import SILENCE_DBTP

    return round(level, 2) if level is not None and level > SILENCE_DBTP else None
