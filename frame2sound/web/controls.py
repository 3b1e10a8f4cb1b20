"""The controls of a soundtrack that the page shows as sliders: ranges, units and defaults."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from frame2sound.errors import StudioError
from frame2sound.rendering.granular.cloud import RANGES, Cloud
from frame2sound.rendering.mosaic.mosaic_settings import FIELD_OF_SETTING, MosaicSettings

Group = Literal["sound", "granular", "mosaic"]


class Control(Struct, frozen=True):
    """A number that can be set.

    Attributes
    ----------
    name : str
        As the command line calls it: an option, or a setting of a cloud or a mosaic.
    label, unit : str
    low, high, default : float
    group : str
        ``sound`` for all modes, or the mode in which it does something.
    is_log : bool
        Whether equal steps of the slider are equal ratios.
    """

    name: str
    label: str
    low: float
    high: float
    default: float
    unit: str
    group: Group
    is_log: bool = False


_SOUND = (
    Control("sensitivity", "Sensitivity to motion", 0, 1, 0.5, "", "sound"),
    Control("gain", "Gain", -40, 24, 0, "dB", "sound"),
    Control("loudness", "Loudness", -40, -8, -23, "LUFS", "sound"),
    Control("fade-in", "Fade in", 0, 10, 0, "s", "sound"),
    Control("fade-out", "Fade out", 0, 10, 0, "s", "sound"),
)
_LABELS = {
    "duration": "Length of a grain",
    "density": "Density",
    "jitter": "Jitter of position",
    "pitch": "Pitch",
    "pitch_jitter": "Jitter of pitch",
    "spray": "Spray",
    "reverse": "Share of reversed grains",
    "spread": "Spread",
    "pan": "Pan",
    "literal": "Closeness to the prediction",
    "variety": "Variety",
    "no-repeat": "Time without repetition",
    "follow-loudness": "Follow the predicted loudness",
}
_LOG = frozenset({"duration", "density"})


def controls() -> tuple[Control, ...]:
    """Return all controls, in the order in which they are shown."""
    cloud, mosaic = Cloud(), MosaicSettings()
    grains = tuple(
        Control(name, _LABELS[name], each.low, each.high, getattr(cloud, name), each.unit,
                "granular", name in _LOG)
        for name, each in RANGES.items()
    )  # fmt: skip
    units = tuple(
        Control(name, _LABELS[name], 0, 10 if name == "no-repeat" else 1, getattr(mosaic, field),
                "s" if name == "no-repeat" else "", "mosaic")
        for name, field in FIELD_OF_SETTING.items()
    )  # fmt: skip
    return (*_SOUND, *units, *grains)


def control_options() -> frozenset[str]:
    """Return all options that `control_words` gives."""
    return frozenset(_option(control).partition("=")[0] for control in controls())


def control_words(given: dict[str, Any], mode: str | None) -> list[str]:
    """Return the options of the command line for the values of controls.

    Parameters
    ----------
    given : dict
        Values by the names of controls.
    mode : str, optional
        Settings of other modes are left out.

    Raises
    ------
    StudioError
        A control is unknown, or a value is no number in its range.

    Examples
    --------
    >>> control_words({"gain": -3, "density": 300, "literal": 0.4}, "granular")
    ['--gain=-3', '--cloud=density=300']
    """
    known = {control.name: control for control in controls()}
    words = []
    for name, value in given.items():
        control = known.get(name)
        if control is None:
            raise StudioError(f"got the control {name[:100]!r}, expected one of {', '.join(known)}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not control.low <= value <= control.high:
            raise StudioError(
                f"got {name} {str(value)[:100]}, expected {control.low:g} to {control.high:g}"
            )
        if control.group in ("sound", mode):
            words.append(f"{_option(control)}={value:.10g}")
    return words


def _option(control: Control) -> str:
    prefix = {"granular": "--cloud=", "mosaic": "--mosaic=", "sound": "--"}[control.group]
    return f"{prefix}{control.name}"
