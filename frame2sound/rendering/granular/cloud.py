"""Clouds of grains: their controls, which may follow the picture, and how they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.named_values import parse_named_values
from frame2sound.sound.windows import ENVELOPE_PEAKS

LOUDNESS_FLOOR_DB = -60.0
"""Predicted loudness from here to 0 dBFS goes from 0 to 1."""


@dataclass(frozen=True)
class ModulationSources:
    """What a control may follow in one frame; each from 0 to 1.

    Attributes
    ----------
    brightness : float
        Mean grey.
    motion : float
        Square root of the mean change since the last frame, so that small movements count.
    loudness : float
        RMS of the sound that the brain foretold: 0 at -60 dBFS or below, 1 at 0 dBFS.
    place : float
        Where light is, 0 at the left edge, 1 at the right.
    """

    brightness: float = 0.0
    motion: float = 0.0
    loudness: float = 0.0
    place: float = 0.5

    @classmethod
    def from_frame(
        cls, brightness: float, motion: float, place: float, rms: float
    ) -> ModulationSources:
        """Bring a frame's gestures (place -1 to 1), and the RMS of its sound, to 0 to 1."""
        decibels = 20 * math.log10(max(rms, 1e-9))
        followed = (
            brightness,
            math.sqrt(max(motion, 0)),
            1 - decibels / LOUDNESS_FLOOR_DB,
            (place + 1) / 2,
        )
        return cls(*(min(max(value, 0.0), 1.0) for value in followed))


SOURCE_NAMES = tuple(field.name for field in fields(ModulationSources))


@dataclass(frozen=True)
class Modulation:
    """A control that goes from ``low`` to ``high`` with what it follows, one of `FOLLOWED`.

    ``low`` may be above ``high``: then the control falls as the other rises.
    """

    low: float
    high: float
    source: str

    def value_at(self, sources: ModulationSources) -> float:
        """Return the value in one frame."""
        part: float = getattr(sources, self.source)
        return self.low + (self.high - self.low) * part


Control = float | Modulation


@dataclass(frozen=True)
class Range:
    """The values that a control may have."""

    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()


RANGES = {
    "duration": Range(0.001, 2, "s"),
    "density": Range(1, 5000, "grains a second"),
    "jitter": Range(0, 2, "s"),
    "pitch": Range(-48, 48, "semitones"),
    "pitch_jitter": Range(0, 24, "semitones"),
    "spray": Range(0, 1, "s"),
    "reverse": Range(0, 1, ""),
    "spread": Range(0, 1, ""),
    "pan": Range(-1, 1, ""),
}


@dataclass(frozen=True)
class Cloud:
    """The controls of a cloud; each but the envelope is a number or follows the picture.

    Attributes
    ----------
    duration : Control
        Length of a grain, in seconds.
    density : Control
        Grains a second; times the duration, how many sound at once.
    jitter : Control
        How far beside its own place a grain may read, in seconds, to either side.
    pitch : Control
        Semitones by which grains are transposed.
    pitch_jitter : Control
        Semitones, up and down, by which grains are detuned at random.
    spray : Control
        Seconds after the frame's start within which grains have their peaks; never beyond the
        frame's end, which is the default. Less makes each frame a burst.
    reverse : Control
        Share of grains that are read backwards.
    spread : Control
        How far from ``pan`` grains stand, at random: 0 not at all, 1 anywhere.
    pan : Control
        -1 left, 0 middle, 1 right. Follow place from -1 to 1 to be where the light is.
    envelope : str
        One of `frame2sound.sound.windows.PEAKS`.

    Raises
    ------
    SoundtrackError
        A value is out of its range, or there is no such envelope.
    """

    duration: Control = 0.05
    density: Control = 150.0
    jitter: Control = 0.0007
    pitch: Control = 0.0
    pitch_jitter: Control = 0.0
    spray: Control = 1.0
    reverse: Control = 0.0
    spread: Control = 0.0
    pan: Control = 0.0
    envelope: str = "hann"

    def __post_init__(self) -> None:
        for name, allowed in RANGES.items():
            for value in self._extremes(name):
                if not allowed.low <= value <= allowed.high:
                    raise SoundtrackError(f"got the grains' {name}={value:g}, expected {allowed}")
        if self.envelope not in ENVELOPE_PEAKS:
            raise SoundtrackError(
                f"got the grains' envelope={self.envelope}, expected one of {', '.join(ENVELOPE_PEAKS)}"
            )

    def control_values(self, sources: ModulationSources) -> dict[str, float]:
        """Return the value of every control in one frame."""
        controls = ((name, getattr(self, name)) for name in RANGES)
        return {
            name: control.value_at(sources) if isinstance(control, Modulation) else float(control)
            for name, control in controls
        }

    def max_abs(self, name: str) -> float:
        """Return the farthest that a control goes from zero."""
        return max(abs(value) for value in self._extremes(name))

    @property
    def transposes(self) -> bool:
        """Whether any grain is read at another speed than the sound's, or backwards."""
        return any(self.max_abs(name) > 0 for name in ("pitch", "pitch_jitter", "reverse"))

    @property
    def reads_in_place(self) -> bool:
        """Whether every grain reads what is there when it sounds, so that grains join."""
        return not self.transposes and not self.max_abs("jitter")

    @property
    def channels(self) -> int:
        """Two where grains are placed, else one."""
        return 2 if self.max_abs("spread") or self.max_abs("pan") else 1

    def _extremes(self, name: str) -> tuple[float, float]:
        control: Control = getattr(self, name)
        return (
            (control.low, control.high) if isinstance(control, Modulation) else (control, control)
        )


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FORM = re.compile(rf"(?P<low>{_NUMBER})(?:\.\.(?P<high>{_NUMBER})@(?P<what>[a-z]+))?")


def parse_cloud(settings: Iterable[str]) -> Cloud:
    """Read a cloud as it is written on the command line; what is not said stays as by default.

    A setting is ``name=number`` or ``name=low..high@what``, where ``what`` is followed from low to
    high: brightness, motion, loudness or place. The envelope is a name.

    >>> parse_cloud(["density=100..400@motion", "pitch=-12", "envelope=tukey"]).density
    Follow(low=100.0, high=400.0, what='motion')

    Raises
    ------
    SoundtrackError
        A setting is not of that form, has an unknown name, is given twice or is out of range.
    """
    texts = parse_named_values(settings, (*RANGES, "envelope"), "the grains'")
    given: dict[str, Any] = {
        name: text if name == "envelope" else _control(name, text) for name, text in texts.items()
    }
    return Cloud(**given)


def _control(name: str, text: str) -> Control:
    form = _FORM.fullmatch(text)
    if form is None or (form["what"] and form["what"] not in SOURCE_NAMES):
        raise SoundtrackError(
            f"got the grains' {name}={text}, expected {RANGES[name]}, or LOW..HIGH@WHAT with "
            f"{', '.join(SOURCE_NAMES)}"
        )
    if form["what"] is None:
        return float(form["low"])
    return Modulation(float(form["low"]), float(form["high"]), form["what"])
