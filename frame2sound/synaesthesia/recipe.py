"""Recipes of networks between sounds and drawings: read strictly from small TOML files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from frame2sound.brain.config import Config, NonNegative, Positive, Share
from frame2sound.errors import RecipeError, SynaesthesiaError
from frame2sound.name_matching import did_you_mean
from frame2sound.synaesthesia.descriptors import Pairing, parse_pairings
from frame2sound.untrusted import one_line_reason, read_toml

_FOLDER = Path(__file__).parent / "recipes"

Kind = Literal["strokes", "raster"]

Units = Annotated[int, Meta(ge=8, le=4096)]


class NetworkSettings(Config, frozen=True):
    """The sizes of networks.

    ``components`` is how many principal components stand for a sound; the cycle compares the
    ``leading`` ones. ``channels`` is the width of the first convolution.
    """

    components: Annotated[int, Meta(ge=2, le=256)] = 48
    leading: Annotated[int, Meta(ge=1, le=256)] = 8
    hidden: Units = 128
    channels: Annotated[int, Meta(ge=4, le=256)] = 16

    def __post_init__(self) -> None:
        if self.leading > self.components:
            raise ValueError(
                f"got network.leading={self.leading}, expected at most network.components="
                f"{self.components}"
            )


class TrainingSettings(Config, frozen=True):
    """How networks are trained, and the weight of each loss.

    ``picture_noise`` is added to rasters before they are read, ``sound_noise`` to generated
    components before they are drawn, so that nothing can be hidden in either. ``average`` is the
    decay of the moving average of weights that is kept. With ``turn_drawings``, drawings for
    training are turned and mirrored, unless a pairing names their height or side.
    """

    steps: Annotated[int, Meta(ge=1, le=10**6)] = 900
    batch: Annotated[int, Meta(ge=4, le=4096)] = 64
    rate: Positive = 2e-3
    discriminator_rate: Positive = 4e-3
    cycle: NonNegative = 3.0
    drawing_cycle: NonNegative = 1.0
    adversarial: NonNegative = 1.0
    correlation: NonNegative = 3.0
    identity: NonNegative = 0.0
    picture_noise: NonNegative = 0.1
    sound_noise: NonNegative = 0.2
    average: Share = 0.99
    turn_drawings: bool = True


class SynaesthesiaRecipe(Config, frozen=True):
    """All settings that, with sounds, drawings and a seed, determine a pair of networks.

    ``kind`` is what is drawn: a stroke, or a raster of 64 x 64 pixels. ``clips`` is how many sounds
    of training the pair keeps, to make others of.
    """

    name: str
    about: str = ""
    kind: Kind = "strokes"
    pairing: str = ""
    colours: Literal[1, 3] = 1
    clips: Annotated[int, Meta(ge=1, le=4096)] = 256
    network: NetworkSettings = NetworkSettings()
    training: TrainingSettings = TrainingSettings()

    def __post_init__(self) -> None:
        try:
            parse_pairings(self.pairing)
        except SynaesthesiaError as error:
            raise ValueError(str(error)) from error

    @property
    def pairings(self) -> tuple[Pairing, ...]:
        """The pairings that are asked for."""
        return parse_pairings(self.pairing)


def synaesthesia_recipe_names() -> list[str]:
    """Return the names of the recipes that come with the program."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_synaesthesia_recipe(
    name: str = "strokes", settings: list[str] | None = None
) -> SynaesthesiaRecipe:
    """Return a recipe that comes with the program, by name, or one from a TOML file, by path.

    Parameters
    ----------
    name : str
        "strokes", or "my/own.toml".
    settings : list of "key=value", optional
        Settings to change, in TOML's notation: ``training.steps=50``, ``pairing="loudness=size"``.

    Raises
    ------
    RecipeError
        The recipe or a setting is unknown, or a value is of the wrong type or out of range.
    """
    path = Path(name) if name.endswith(".toml") else _FOLDER / f"{name}.toml"
    try:
        table = read_toml(path)
    except FileNotFoundError as error:
        names = synaesthesia_recipe_names()
        hint = did_you_mean(name, names)
        raise RecipeError(
            f"no recipe {name!r}{hint and f': {hint}'}; expected one of {', '.join(names)}, "
            "or a .toml file"
        ) from error
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} is not readable as a recipe: {error}") from error
    for setting in settings or []:
        _apply(table, setting)
    return parse_synaesthesia_recipe(table | {"name": table.get("name", path.stem)})


def parse_synaesthesia_recipe(table: dict[str, Any]) -> SynaesthesiaRecipe:
    """Return the recipe in a plain table; `RecipeError` says which setting is wrong."""
    try:
        return msgspec.convert(table, SynaesthesiaRecipe)
    except (msgspec.ValidationError, ValueError) as error:
        raise RecipeError(
            f"recipe {str(table.get('name', ''))[:60]!r}: {one_line_reason(error)}"
        ) from error


def synaesthesia_recipe_table(recipe: SynaesthesiaRecipe) -> dict[str, Any]:
    """Return the plain table that `parse_synaesthesia_recipe` reads."""
    table: dict[str, Any] = msgspec.to_builtins(recipe)
    return table


def _apply(table: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"got setting {setting!r}, expected key=value such as training.steps=50")
    *parents, last = key.strip().split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise RecipeError(f"got setting {setting!r}, but {parent} is a value, not a table")
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        table[last] = text.strip()
