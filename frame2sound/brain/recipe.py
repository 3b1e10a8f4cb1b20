"""Recipes: how to make a brain, read strictly from small TOML files."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from frame2sound.brain.config import (
    ClockConfig,
    Config,
    Eigenframes,
    InputConfig,
    LogMag,
    Mlp,
    NetworkConfig,
    Pcm,
    Pixels,
    TargetConfig,
    TrainingConfig,
)
from frame2sound.bundled import bundled_folder
from frame2sound.clock import Clock, parse_frame_rate
from frame2sound.errors import RecipeError
from frame2sound.untrusted import read_toml


class Recipe(Config, frozen=True):
    """All that decides what brain a library gives."""

    name: str
    network: NetworkConfig
    about: str = ""
    clock: ClockConfig = ClockConfig()
    input: InputConfig = Pixels()
    target: TargetConfig = Pcm()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        if self.training.loss == "multi-resolution" and not isinstance(self.target, Pcm):
            raise ValueError(
                "the loss multi-resolution needs a waveform; use it with target pcm, "
                "or training.loss=log-magnitude"
            )
        if self.training.pretraining and not isinstance(self.network, Mlp):
            raise ValueError(
                "training.pretraining is for feed-forward layers; "
                "use network.kind=mlp or training.pretraining=0"
            )
        pictures = isinstance(self.input, Eigenframes) and self.input.of == "pictures"
        levels = pictures and isinstance(self.target, LogMag)
        if self.network.brightness_branch and not levels:
            raise ValueError(
                "network.brightness_branch needs input eigenframes of pictures and target log-mag or mel; "
                "use network.brightness_branch=0 with others"
            )

    def to_clock(self) -> Clock:
        """Return the brain's clock."""
        return Clock(self.clock.fps, self.clock.sample_rate)


PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "hindle": {
        "input": {"kind": "pixels"},
        "target": {"kind": "pcm", "scaling": "half", "lead_seconds": 0.0},
        "training": {
            "loss": "mse",
            "optimiser": "nag",
            "rate": 1e-4,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "batch": 10,
            "steps": 1_000_000_000,
            "schedule": "constant",
            "warmup": 0.0,
        },
    }
}
"""Named sets of values: ``hindle`` trains as the ancestor did in 2015.

A part of another kind than the preset's (a spectral target) stays as it is; but eigenframes, which
are pixels by another basis, give way, and the brightness branch with them.
"""


RENAMED_SETTINGS = {
    "network": {"glance": "brightness_branch", "hears": "feedback_units"},
    "target": {"a_frame": "windows_per_frame"},
    "training": {"double_exposure": "overlay"},
}
"""Settings of version 0.1, by part, and what they are called now."""


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship."""
    return sorted(path.stem for path in bundled_folder("brains").glob("*.toml"))


def load_recipe(name: str, settings: list[str] | None = None) -> Recipe:
    """Read a recipe that ships, by name, or one from a TOML file, by path.

    Parameters
    ----------
    name : str
        "lines", or "my/own.toml".
    settings : list of "key=value", optional
        Values to change, in TOML's notation: ``training.epochs=5``, ``network.hidden=[64, 64]``,
        ``preset=hindle``. A preset changes what the recipe says, and other values change both. A
        part that becomes of another kind (``input.kind=pixels``) keeps nothing of what it was.

    Raises
    ------
    RecipeError
        No such recipe; an unknown key; a value of the wrong kind or out of range.
    """
    path = Path(name) if name.endswith(".toml") else bundled_folder("brains") / f"{name}.toml"
    try:
        table = read_toml(path)
    except FileNotFoundError as error:
        raise RecipeError(
            f"no recipe {name!r}; expected one of {', '.join(recipe_names())}, or a .toml file"
        ) from error
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} is not readable as a recipe: {error}") from error
    table = _with_preset(_with_new_names(table))
    for setting in sorted(settings or [], key=lambda text: not text.strip().startswith("preset=")):
        _apply_setting(table, setting)
        table = _with_preset(table, wins=True)
    return parse_recipe(table | {"name": table.get("name", path.stem)})


def parse_recipe(table: dict[str, Any]) -> Recipe:
    """Build a recipe from a plain table; `RecipeError` names the key that is wrong."""
    table = _with_preset(_with_new_names(table))
    try:
        return msgspec.convert(table, Recipe, dec_hook=_to_fraction)
    except (msgspec.ValidationError, ValueError, ZeroDivisionError) as error:
        raise RecipeError(f"recipe {table.get('name', '')!r}: {error}") from error


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """Return the plain table that `recipe_from` reads back."""
    table: dict[str, Any] = msgspec.to_builtins(recipe, enc_hook=str)
    return table


def _with_new_names(table: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's table with the settings of version 0.1 under their names of today."""
    renamed = dict(table)
    for part, names in RENAMED_SETTINGS.items():
        values = table.get(part)
        if isinstance(values, dict):
            renamed[part] = {names.get(key, key): value for key, value in values.items()}
    return renamed


def _with_preset(table: dict[str, Any], *, wins: bool = False) -> dict[str, Any]:
    table = dict(table)
    name = table.pop("preset", None)
    if name is None:
        return table
    if not isinstance(name, str) or name not in PRESETS:
        raise RecipeError(f"no preset {name!r}; expected one of {', '.join(PRESETS)}")
    for part, values in PRESETS[name].items():
        own = table.get(part, {})
        if not isinstance(own, dict):
            continue
        if own.get("kind") == "eigenframes":
            table[part] = values
            table = _without_brightness_branch(table)
        elif own.get("kind") in (None, values.get("kind")):
            table[part] = own | values if wins else values | own
    return table


def _without_brightness_branch(table: dict[str, Any]) -> dict[str, Any]:
    network = table.get("network")
    return (
        table | {"network": network | {"brightness_branch": 0}}
        if isinstance(network, dict)
        else table
    )


def _apply_setting(table: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise RecipeError(f"got --set {setting}, expected key=value such as training.epochs=5")
    *parents, last = key.strip().split(".")
    if len(parents) == 1:
        last = RENAMED_SETTINGS.get(parents[0], {}).get(last, last)
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise RecipeError(f"got --set {setting}, but {parent} is a value, not a table")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text.strip()
    if last == "kind" and table.get(last) != value:
        table.clear()
    table[last] = value


def _to_fraction(kind: type, value: Any) -> Any:
    if kind is not Fraction:
        raise NotImplementedError
    if isinstance(value, float | bool):
        raise ValueError(f"got {value}, expected an exact number such as 30 or '30000/1001'")
    return parse_frame_rate(value, allow_decimals=True)
