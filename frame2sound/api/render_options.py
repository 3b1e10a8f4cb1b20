"""The options of rendering, and what they must not contradict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Literal, get_args

from frame2sound.api.parameters import FrameRate, Level, Seconds, Settings, one_of, whole_number
from frame2sound.errors import SoundtrackError
from frame2sound.film.limits import DEFAULT_LIMITS
from frame2sound.rendering.modes import DEFAULT_MODE, Mode

if TYPE_CHECKING:
    from frame2sound.brain.corpus import Corpus
    from frame2sound.library.store import Library
    from frame2sound.rendering.effects import EffectChain
    from frame2sound.sound.scale import Scale

Codec = Literal["aac", "alac", "flac", "opus", "pcm"]
GrainTiming = Literal["on-time", "hindle"]
Window = Literal["hann", "none"]


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """All options of `render` but the brain, the animation and the output; see there."""

    mode: Mode | None = None
    window: Window = "hann"
    overlap: float | None = None
    phase: str | None = None
    phase_from: str | PathLike[str] | None = None
    scale: str | Scale | None = None
    grains: GrainTiming = "on-time"
    cloud: Settings | None = None
    mosaic: Settings | None = None
    only: Sequence[str] = ()
    corpus: Library | Corpus | str | PathLike[str] | None = None
    sensitivity: float = 0.5
    events: str | PathLike[str] | None = None
    events_until: Seconds | None = None
    events_out: str | PathLike[str] | None = None
    markers: str | PathLike[str] | None = None
    midi: str | PathLike[str] | None = None
    stems: str | PathLike[str] | None = None
    otio: str | PathLike[str] | None = None
    reaper: str | PathLike[str] | None = None
    waveform: str | PathLike[str] | None = None
    stereo: bool = False
    effects: str | EffectChain | None = None
    effects_file: str | PathLike[str] | None = None
    gain: Level = 0.0
    keep_original: Level | None = None
    loudness: float | str | None = None
    fade_in: float = 0.0
    fade_out: float = 0.0
    wav: bool = False
    codec: Codec | None = None
    sample_rate: int | None = None
    video_stream: int | None = None
    allow_damaged: bool = False
    max_megapixels: float = DEFAULT_LIMITS.max_megapixels
    max_hours: float = DEFAULT_LIMITS.max_hours
    hardware: str | None = None
    fps: FrameRate | None = None
    background: int | str = "black"
    seed: int = 0
    device: str = "auto"
    overwrite: bool = False
    start_seconds: Seconds = 0
    stop_seconds: Seconds | None = None

    def __post_init__(self) -> None:
        one_of("mode", self.mode, get_args(Mode))
        one_of("window", self.window, get_args(Window))
        one_of("grains", self.grains, get_args(GrainTiming))
        one_of("codec", self.codec, get_args(Codec))
        whole_number("seed", self.seed, 0)
        whole_number("sample_rate", self.sample_rate, 1)
        if self.corpus is not None and self.mode not in (None, "mosaic"):
            raise SoundtrackError(
                f"`corpus` does nothing in mode {self.mode}; leave it out or use `mode=mosaic`"
            )

    def choose_mode(self, *, has_corpus: bool) -> Mode:
        """Return the mode given, else the first that another option belongs to, else the default.

        The default is mosaic if the brain carries sound of its films, and overlap-add if not.
        """
        if self.mode is not None:
            return self.mode
        requested: dict[Mode, bool] = {
            "granular": bool(self.cloud) or self.grains != "on-time",
            "mosaic": bool(self.mosaic or self.only or self.corpus is not None),
            "overlap-add": self.window != "hann"
            or any(
                each is not None for each in (self.overlap, self.phase, self.phase_from, self.scale)
            ),
        }
        default: Mode = "mosaic" if has_corpus else DEFAULT_MODE
        return next((mode for mode, given in requested.items() if given), default)
