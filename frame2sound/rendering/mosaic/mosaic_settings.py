"""The settings of a mosaic, and how to read them from text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.named_values import parse_named_values

FIELD_OF_SETTING = {
    "literal": "literal",
    "variety": "variety",
    "no-repeat": "no_repeat_seconds",
    "follow-loudness": "follow_loudness",
}
"""The field of `MosaicSettings` for the name of each setting in `parse_mosaic`."""


@dataclass(frozen=True)
class MosaicSettings:
    """How the units of a mosaic are selected, and how loud they are.

    Attributes
    ----------
    literal : float, 0 to 1
        How closely the units match the prediction of each frame. Towards 0, a film's sound
        continues as long as it matches at all.
    variety : float, 0 to 1
        How random the choice is among units that match almost equally well.
    no_repeat_seconds : float, 0 to 10
        Time within which a unit is not repeated, unless nothing else matches.
    films : tuple of str, optional
        Names of the films whose sound is used; by default all films.
    follow_loudness : float, 0 to 1
        How much the loudness follows the prediction; at 0 units are as loud as in their film.

    Raises
    ------
    SoundtrackError
        A value is out of its range.
    """

    literal: float = 0.7
    variety: float = 0.0
    no_repeat_seconds: float = 0.3
    films: tuple[str, ...] | None = None
    follow_loudness: float = 1.0

    def __post_init__(self) -> None:
        highest = {"literal": 1, "variety": 1, "no_repeat_seconds": 10, "follow_loudness": 1}
        for name, high in highest.items():
            value = getattr(self, name)
            if not 0 <= value <= high:
                raise SoundtrackError(f"got {name} {value}, expected 0 to {high}")
        if self.films is not None and not self.films:
            raise SoundtrackError("got no films, expected the name of at least one")


def parse_mosaic(settings: Iterable[str], films: Iterable[str] = ()) -> MosaicSettings:
    """Return the mosaic settings for texts of the form ``NAME=NUMBER``; others are the defaults.

    >>> parse_mosaic(["literal=0.4", "no-repeat=2"], ["rain"]).films
    ('rain',)

    Raises
    ------
    SoundtrackError
        A setting has another form or an unknown name, is given twice or is out of range.
    """
    given: dict[str, float] = {}
    for name, text in parse_named_values(settings, FIELD_OF_SETTING, "the mosaic's").items():
        try:
            given[FIELD_OF_SETTING[name]] = float(text)
        except ValueError as error:
            raise SoundtrackError(f"got the mosaic's {name}={text}, expected a number") from error
    return MosaicSettings(films=tuple(films) or None, **given)
