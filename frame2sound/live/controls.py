"""The controls of live playing: their names, ranges, units and meanings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.named_values import parse_named_values


def _control(default: float, low: float, high: float, unit: str, meaning: str) -> Any:
    about = {"low": low, "high": high, "unit": unit, "meaning": meaning}
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Controls:
    """What can be changed while it plays; each value is limited to its range."""

    gain: float = _control(0, -60, 12, "dB", "level of everything")
    event_gain: float = _control(0, -60, 12, "dB", "level of events")
    bed_gain: float = _control(0, -60, 12, "dB", "level of the grains between events")
    sensitivity: float = _control(0.5, 0, 1, "", "how weak a motion makes an event")
    min_gap: float = _control(0.07, 0.03, 2, "s", "least time between two events")
    follow_loudness: float = _control(1, 0, 1, "", "how far events have the predicted level")
    transpose: float = _control(0, -24, 24, "semitones", "pitch of events")
    density: float = _control(60, 5, 200, "1/s", "grains per second")
    grain: float = _control(0.08, 0.01, 0.5, "s", "length of a grain")
    grain_transpose: float = _control(0, -24, 24, "semitones", "pitch of grains")
    scatter: float = _control(0.03, 0, 1, "s", "how far around its unit a grain is read")
    spread: float = _control(0.3, 0, 1, "", "how far grains are panned at random")
    variety: float = _control(0.1, 0, 1, "", "how many units come into question for a grain")
    mute: float = _control(0, 0, 1, "", "silence from one half on")

    def __post_init__(self) -> None:
        for each in fields(self):
            value = float(getattr(self, each.name))
            low, high = each.metadata["low"], each.metadata["high"]
            if not math.isfinite(value):
                raise SoundtrackError(
                    f"got the control {each.name}={value}, expected {low:g} to {high:g}"
                )
            object.__setattr__(self, each.name, min(max(value, low), high))

    def with_value(self, name: str, value: float) -> Controls:
        """Return the controls with one changed.

        >>> Controls().with_value("gain", -200).gain
        -60.0
        """
        return replace(self, **{name: value})


CONTROL_NAMES = tuple(each.name for each in fields(Controls))


def parse_controls(settings: Iterable[str]) -> Controls:
    """Return the controls for texts of the form ``NAME=NUMBER``; others are the defaults.

    >>> parse_controls(["density=100", "grain-transpose=-12"]).grain_transpose
    -12.0

    Raises
    ------
    SoundtrackError
        A setting has another form or an unknown name, is given twice or is out of range.
    """
    known = {name.replace("_", "-"): name for name in CONTROL_NAMES}
    controls = Controls()
    plain = ("=".join([name.replace("_", "-"), *rest]) for name, *rest in map(_split, settings))
    for name, text in parse_named_values(plain, known, "live's").items():
        about = Controls.__dataclass_fields__[known[name]].metadata
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not about["low"] <= value <= about["high"]:
            raise SoundtrackError(
                f"got live's {name}={text}, expected {about['low']:g} to {about['high']:g}"
            )
        controls = controls.with_value(known[name], value)
    return controls


def _split(setting: str) -> list[str]:
    """Return the name and the text of a setting; all of it where there is no equals sign."""
    return setting.split("=", 1)
