"""The options of live playing, and what they must not contradict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from frame2sound.api.parameters import ParameterError, Settings, one_of, output_suffix, whole_number
from frame2sound.errors import SoundtrackError

Audio = Literal["auto", "jack", "portaudio"]

MAX_DELAY_MS = 1000.0

_SUFFIXES = {"record": ".wav", "events_out": ".json", "report": ".json"}


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """All options of `play_live` but the film, the brain and the corpus; see there."""

    camera: int | str | None = None
    screen: str | None = None
    fps: float | None = None
    loop: bool = False
    offline: bool = False
    audio: Audio = "auto"
    delay_ms: float = 20.0
    max_seconds: float | None = None
    controls: Settings | None = None
    seed: int = 0
    osc_in: str | None = None
    osc_out: str | None = None
    midi_out: str | None = None
    record: Path | None = None
    record_picture: Path | None = None
    events_out: Path | None = None
    report: Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        one_of("audio", self.audio, get_args(Audio))
        whole_number("seed", self.seed, 0)
        from frame2sound.live.engine import BLOCK_SAMPLES, SAMPLE_RATE

        least = 1e3 * BLOCK_SAMPLES / SAMPLE_RATE
        if not least <= self.delay_ms <= MAX_DELAY_MS:
            shown = math.ceil(100 * least) / 100  # rounded down, it would be refused
            raise ParameterError(
                f"got `delay_ms={self.delay_ms:g}`, expected {shown:.2f} to {MAX_DELAY_MS:g}"
            )
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise ParameterError(f"got `max_seconds={self.max_seconds:g}`, expected more than 0")
        if self.fps is not None and not 1 <= self.fps <= 240:
            raise ParameterError(f"got `fps={self.fps:g}`, expected 1 to 240")

    def check_source(self, film: Path | None) -> None:
        """Raise `ParameterError` if there is not one source, or an option does nothing with it."""
        given = [each for each in (film, self.camera, self.screen) if each is not None]
        if len(given) != 1:
            raise ParameterError(
                f"got {len(given)} sources, expected one: a film, `camera` or `screen`"
            )
        needs_film = {"offline": self.offline, "loop": self.loop}
        needs_other = {"fps": self.fps, "record_picture": self.record_picture}
        for name, is_given in (needs_film if film is None else needs_other).items():
            if is_given:
                source = "a camera or a screen" if film is None else "a film"
                raise ParameterError(f"`{name}` does nothing with {source}; leave it out")
        if self.offline and self.audio != "auto":
            raise ParameterError("`audio` does nothing with `offline`; leave it out")
        if self.loop and self.offline and self.max_seconds is None:
            raise ParameterError("`loop` with `offline` never ends; give `max_seconds`")

    @property
    def outputs(self) -> dict[str, Path]:
        """The files that are written."""
        names = ("record", "record_picture", "events_out", "report")
        return {n: path for n in names if (path := getattr(self, n)) is not None}

    def check_outputs(self, film: Path | None) -> None:
        """Refuse outputs that exist, are named twice, are the film, or end in another suffix.

        Raises
        ------
        SoundtrackError, ParameterError
        """
        from frame2sound.atomic import check_writable, refuse_inputs

        for name, suffix in _SUFFIXES.items():
            if name in self.outputs:
                output_suffix(name, self.outputs[name], (suffix,))
        paths = [path.absolute() for path in self.outputs.values()]
        if len(set(paths)) < len(paths):
            raise SoundtrackError("got one file for two outputs, expected different names")
        for path in paths:
            check_writable(path, SoundtrackError, overwrite=self.overwrite)
            refuse_inputs(path, [] if film is None else [film], SoundtrackError)
