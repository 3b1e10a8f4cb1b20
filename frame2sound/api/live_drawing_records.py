"""What drawing live reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from frame2sound.api.records import Record

LIVE_DRAWING_VERSION = 1


@dataclass(frozen=True)
class LiveDrawingResult(Record):
    """What was counted while a sound was drawn live.

    Attributes
    ----------
    source : str
        The file, or "sound card".
    audio : {"file", "jack", "portaudio", "offline"}
    seconds : float
        How much of the sound was drawn.
    fps : float
    strokes : int
        Of each drawing.
    frames, skipped_frames : int
        Drawings, and those that were left out since they were late by more than a frame.
    lost_samples : int
        Samples of the sound card that came too fast to be drawn.
    delay_ms : float
        The delay that is stated: from the middle of what is drawn to the drawing, without the time
        that it takes to compute.
    computing, processor : dict
        Time of a drawing, and how much of it the processor worked: median, 99th percentile, maximum
        and jitter in ms.
    drawing_delay : dict
        Likewise, from the end of what is drawn until the drawing was handed to the page.
    cpu_percent : float
        Of one core, for all of the program.
    recorded : tuple of Path
        What was written.
    """

    source: str
    audio: str
    seconds: float
    fps: float
    strokes: int
    frames: int
    skipped_frames: int
    lost_samples: int
    delay_ms: float
    computing: dict[str, float]
    processor: dict[str, float]
    drawing_delay: dict[str, float]
    cpu_percent: float
    recorded: tuple[Path, ...] = field(default=())

    def lines(self) -> list[str]:
        """Return what was drawn, and how late, in a few lines."""
        strokes = "1 stroke" if self.strokes == 1 else f"{self.strokes} strokes"
        return [
            f"{self.source}  {self.seconds:.3f} s  {self.frames} drawings of {strokes}, "
            f"{self.skipped_frames} skipped",
            f"  delay {self.delay_ms:.0f} ms, half of the second that is drawn, and "
            f"{self.computing['median_ms']:.1f} ms of computing, {self.computing['p99_ms']:.1f} ms "
            "at the 99th percentile",
            f"  {self.cpu_percent:.0f} % of a core",
            *(f"  {path}" for path in self.recorded),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        recorded = [str(path) for path in self.recorded]
        return {"version": LIVE_DRAWING_VERSION, **asdict(self), "recorded": recorded}
