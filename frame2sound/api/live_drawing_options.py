"""The options of drawing live, and what they must not contradict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import get_args

from frame2sound.api.live_options import Audio
from frame2sound.api.parameters import ParameterError, one_of
from frame2sound.atomic import check_writable
from frame2sound.errors import SynaesthesiaError
from frame2sound.extras import require_extra

MAX_FPS = 120


@dataclass(frozen=True, kw_only=True)
class LiveDrawingOptions:
    """All options of `draw_live` but the pair and how it draws; see there."""

    sound: Path | None
    fps: Fraction
    audio: Audio
    offline: bool
    max_seconds: float
    record: Path | None
    report: Path | None
    overwrite: bool
    port: int | None
    browser: bool
    on_ready: Callable[[str], None]

    def check(self) -> None:
        """Check what can be checked before anything is opened.

        Raises
        ------
        ParameterError
            An option is out of range, or does nothing.
        SynaesthesiaError
            An output exists.
        MissingPackageError
            What serves the page is not installed.
        """
        one_of("audio", self.audio, get_args(Audio))
        if not 1 <= self.fps <= MAX_FPS:
            raise ParameterError(f"got `fps={float(self.fps):g}`, expected 1 to {MAX_FPS}")
        if not self.max_seconds > 0:
            raise ParameterError(f"got `max_seconds={self.max_seconds:g}`, expected more than 0")
        if self.offline and self.sound is None:
            raise ParameterError("`offline` does nothing with a sound card; give a sound file")
        if self.offline and self.port is not None:
            raise ParameterError("`port` does nothing with `offline`, which has no page")
        if self.sound is not None and self.audio != "auto":
            raise ParameterError(f"`audio={self.audio}` does nothing with a sound file")
        if not self.offline:
            for module in ("starlette", "uvicorn"):
                require_extra(module, "studio", "drawing live")
        if self.record is not None and self.record.exists():
            raise SynaesthesiaError(f"{self.record} exists already; choose another name")
        if self.report is not None:
            check_writable(self.report, SynaesthesiaError, overwrite=self.overwrite)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """What is written."""
        return tuple(path for path in (self.record, self.report) if path is not None)
