"""The settings of a mosaic as they are written on the command line."""

from __future__ import annotations

from collections.abc import Iterable

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSettings

FIELD_OF_SETTING = {
    "literal": "literal",
    "variety": "variety",
    "no-repeat": "no_repeat_seconds",
    "follow-loudness": "follow_loudness",
}
"""What settings are called on the command line, and in `MosaicSettings`."""


def parse_mosaic(settings: Iterable[str], films: Iterable[str] = ()) -> MosaicSettings:
    """Read a mosaic's settings, each ``name=number``; what is not said stays as by default.

    >>> parse_mosaic(["literal=0.4", "no-repeat=2"], ["rain"]).films
    ('rain',)

    Raises
    ------
    SoundtrackError
        A setting is not of that form, has an unknown name, is given twice or is out of range.
    """
    given: dict[str, float] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or name not in FIELD_OF_SETTING:
            known = ", ".join(FIELD_OF_SETTING)
            raise SoundtrackError(f"got the mosaic's {setting!r}, expected NAME=VALUE of {known}")
        if FIELD_OF_SETTING[name] in given:
            raise SoundtrackError(f"got the mosaic's {name} twice, expected it once")
        try:
            given[FIELD_OF_SETTING[name]] = float(text)
        except ValueError as error:
            raise SoundtrackError(f"got the mosaic's {name}={text}, expected a number") from error
    return MosaicSettings(films=tuple(films) or None, **given)
