"""The controls of a cloud of grains, their modulation, and how to read them from text."""

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
"""Predicted loudness from here to 0 dBFS is mapped to 0 to 1."""


@dataclass(frozen=True)
class ModulationSources:
    """The values that may modulate a control in one frame; each from 0 to 1.

    Attributes
    ----------
    brightness : float
        Mean grey.
    motion : float
        Square root of the mean change since the frame before, which emphasises small movements.
    loudness : float
        RMS of the predicted sound: 0 at -60 dBFS or below, 1 at 0 dBFS.
    place : float
        Position of the light, 0 at the left edge, 1 at the right.
    """

    brightness: float = 0.0
    motion: float = 0.0
    loudness: float = 0.0
    place: float = 0.5

    @classmethod
    def from_frame(
        cls, brightness: float, motion: float, place: float, rms: float
    ) -> ModulationSources:
        """Return the values for a frame's curves (place -1 to 1) and the RMS of its sound."""
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
    """A control that goes from ``low`` to ``high`` with a source, one of `SOURCE_NAMES`.

    ``low`` may be above ``high``: then the control falls as the source rises.
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
    """The allowed range of a control."""

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
    """The controls of a cloud; each but the envelope is a number or a `Modulation`.

    Attributes
    ----------
    duration : Control
        Length of a grain, in seconds.
    density : Control
        Grains per second; times the duration, the number that overlap.
    jitter : Control
        Largest deviation of a grain's read position, in seconds, in both directions.
    pitch : Control
        Semitones by which grains are transposed.
    pitch_jitter : Control
        Largest random detuning of a grain, up or down, in semitones.
    spray : Control
        Time after the frame's start within which grains have their peaks, in seconds, up to the
        frame's end, the default. A short time makes each frame a burst.
    reverse : Control
        Share of grains that are reversed.
    spread : Control
        Largest random distance of grains from ``pan``: 0 none, 1 anywhere.
    pan : Control
        -1 left, 0 centre, 1 right. ``-1..1@place`` pans to where the light is.
    envelope : str
        One of `frame2sound.sound.windows.ENVELOPE_PEAKS`.

    Raises
    ------
    SoundtrackError
        A value is out of its range, or the envelope is unknown.
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
                f"got the grains' envelope={self.envelope}, "
                f"expected one of {', '.join(ENVELOPE_PEAKS)}"
            )

    def control_values(self, sources: ModulationSources) -> dict[str, float]:
        """Return the value of every control in one frame."""
        controls = ((name, getattr(self, name)) for name in RANGES)
        return {
            name: control.value_at(sources) if isinstance(control, Modulation) else float(control)
            for name, control in controls
        }

    def max_abs(self, name: str) -> float:
        """Return the largest absolute value of a control."""
        return max(abs(value) for value in self._extremes(name))

    @property
    def transposes(self) -> bool:
        """Whether any grain is transposed or reversed."""
        return any(self.max_abs(name) > 0 for name in ("pitch", "pitch_jitter", "reverse"))

    @property
    def reads_in_place(self) -> bool:
        """Whether every grain reads at its own position, so that grains add up coherently."""
        return not self.transposes and not self.max_abs("jitter")

    @property
    def channels(self) -> int:
        """Two if grains are panned, else one."""
        return 2 if self.max_abs("spread") or self.max_abs("pan") else 1

    def _extremes(self, name: str) -> tuple[float, float]:
        control: Control = getattr(self, name)
        return (
            (control.low, control.high) if isinstance(control, Modulation) else (control, control)
        )


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FORM = re.compile(rf"(?P<low>{_NUMBER})(?:\.\.(?P<high>{_NUMBER})@(?P<what>[a-z]+))?")


def parse_cloud(settings: Iterable[str]) -> Cloud:
    """Return the cloud for texts of the form ``NAME=VALUE``; other controls are the defaults.

    A value is a number or ``LOW..HIGH@WHAT``, which modulates the control from low to high with
    brightness, motion, loudness or place. The envelope is a name.

    >>> parse_cloud(["density=100..400@motion", "pitch=-12", "envelope=tukey"]).density
    Modulation(low=100.0, high=400.0, source='motion')

    Raises
    ------
    SoundtrackError
        A setting has another form or an unknown name, is given twice or is out of range.
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
