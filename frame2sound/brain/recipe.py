"""Recipes: the settings of a brain and of its training, read strictly from small TOML files."""

from __future__ import annotations

import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import msgspec

from frame2sound.brain.config import (
    ClockConfig,
    Config,
    Eigenframes,
    EventsConfig,
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
from frame2sound.name_matching import MIN_SIMILARITY, did_you_mean, near_names
from frame2sound.untrusted import read_toml


class Recipe(Config, frozen=True):
    """All settings that, with a library and a seed, determine a brain."""

    name: str
    network: NetworkConfig
    about: str = ""
    clock: ClockConfig = ClockConfig()
    input: InputConfig = Pixels()
    target: TargetConfig = Pcm()
    events: EventsConfig = EventsConfig()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        if self.training.loss == "multi-resolution" and not isinstance(self.target, Pcm):
            raise ValueError(
                "the loss multi-resolution needs a waveform; use target.kind=pcm "
                "or training.loss=log-magnitude"
            )
        if self.training.pretraining and not isinstance(self.network, Mlp):
            raise ValueError(
                "training.pretraining is for feed-forward layers; "
                "use network.kind=mlp or training.pretraining=0"
            )
        if self.events.head == "motion" and not isinstance(self.target, LogMag):
            raise ValueError(
                "events.head=motion needs the target log-mag or mel; use events.head=none with "
                "others"
            )
        pictures = isinstance(self.input, Eigenframes) and self.input.of == "pictures"
        levels = pictures and isinstance(self.target, LogMag)
        if self.network.brightness_branch and not levels:
            raise ValueError(
                "network.brightness_branch needs input eigenframes of pictures and target log-mag "
                "or mel; use network.brightness_branch=0 with others"
            )

    def to_clock(self) -> Clock:
        """Return the brain's frame rate and sample rate."""
        return Clock(self.clock.fps, self.clock.sample_rate)


PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "hindle": {
        "input": {"kind": "pixels"},
        "target": {"kind": "pcm", "scaling": "half", "lead_seconds": 0.0},
        "training": {
            "loss": "mse",
            "loudness": "film",
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
"""Named sets of settings: ``hindle`` trains as Hindle did in 2015.

A preset does not change a part of another kind (a spectral target). The exception is input
eigenframes, which become pixels; the brightness branch, which needs eigenframes, is removed.
"""


RENAMED_SETTINGS = {
    "network": {"glance": "brightness_branch", "hears": "feedback_units"},
    "target": {"a_frame": "windows_per_frame"},
    "training": {"double_exposure": "overlay"},
}
"""Old to new names of settings, by part; recipes of version 0.1 have the old ones."""

_ADDED_TRAINING_SETTINGS = {"loudness": "film", "overlay_epochs": 1, "min_steps": 16}
"""Settings of training since version 0.2, each with the value that changes nothing."""

_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `\$\.(\w+)`)?")


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the program."""
    return sorted(path.stem for path in bundled_folder("brains").glob("*.toml"))


def load_recipe(name: str, settings: list[str] | None = None) -> Recipe:
    """Return a recipe that comes with the program, by name, or one from a TOML file, by path.

    Parameters
    ----------
    name : str
        "lines", or "my/own.toml".
    settings : list of "key=value", optional
        Settings to change, in TOML's notation: ``training.epochs=5``, ``network.hidden=[64, 64]``,
        ``preset=hindle``. A preset overrides the recipe, and other settings override both. A part
        whose kind changes (``input.kind=pixels``) loses its other settings.

    Raises
    ------
    RecipeError
        The recipe or a setting is unknown, or a value is of the wrong type or out of range.
    """
    path = Path(name) if name.endswith(".toml") else bundled_folder("brains") / f"{name}.toml"
    try:
        table = read_toml(path)
    except FileNotFoundError as error:
        if name.endswith(".toml"):
            raise RecipeError(f"{name}: no such file; expected a recipe") from error
        hint = did_you_mean(name, recipe_names())
        raise RecipeError(
            f"no recipe {name!r}{hint and f': {hint}'}; expected one of "
            f"{', '.join(recipe_names())}, or a .toml file"
        ) from error
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} is not readable as a recipe: {error}") from error
    table = _with_preset(_with_new_names(table))
    for setting in sorted(settings or [], key=lambda text: text.split("=")[0].strip() != "preset"):
        _apply_setting(table, setting)
        table = _with_preset(table, overrides=True)
    return parse_recipe(table | {"name": table.get("name", path.stem)})


def parse_recipe(table: dict[str, Any]) -> Recipe:
    """Return the recipe in a plain table; `RecipeError` names the setting that is wrong."""
    table = _with_preset(_with_new_names(table))
    try:
        return msgspec.convert(table, Recipe, dec_hook=_to_fraction)
    except (msgspec.ValidationError, ValueError, ZeroDivisionError) as error:
        reason = _unknown_setting_message(str(error), table) or _plain_reason(error)
        one_line = " ".join(reason.split())
        raise RecipeError(f"recipe {table.get('name', '')!r}: {one_line}") from error


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """Return the plain table that `parse_recipe` reads."""
    table: dict[str, Any] = msgspec.to_builtins(recipe, enc_hook=str)
    return table


def current_setting_name(name: str) -> str:
    """Return what a setting is called today.

    Examples
    --------
    >>> current_setting_name("network.glance"), current_setting_name("training.epochs")
    ('network.brightness_branch', 'training.epochs')
    """
    part, _, setting = name.partition(".")
    renamed = RENAMED_SETTINGS.get(part, {}).get(setting)
    return f"{part}.{renamed}" if renamed else name


def identity_table(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as plain values for a hash: with the settings of version 0.1 and their names.

    Comparisons and trainings that earlier versions began are recognised by such hashes, so
    settings that were added since are left out where they change nothing.
    """
    table = recipe_table(recipe)
    for name, unchanged in _ADDED_TRAINING_SETTINGS.items():
        if table["training"][name] == unchanged:
            del table["training"][name]
    for part, names in RENAMED_SETTINGS.items():
        old_names = {new: old for old, new in names.items()}
        table[part] = {old_names.get(key, key): value for key, value in table[part].items()}
    if not table["input"]["match_ground"]:
        del table["input"]["match_ground"]
    if recipe.events == EventsConfig():
        del table["events"]
    return table


def _with_new_names(table: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's table with the settings of version 0.1 under their new names."""
    renamed = dict(table)
    for part, names in RENAMED_SETTINGS.items():
        values = table.get(part)
        if isinstance(values, dict):
            for old in names.keys() & values.keys():
                if names[old] in values:
                    raise RecipeError(
                        f"got {part}.{old} and {part}.{names[old]}, expected one of them: "
                        "they are two names of one setting"
                    )
            renamed[part] = {names.get(key, key): value for key, value in values.items()}
    return renamed


def _unknown_setting_message(error: str, table: dict[str, Any]) -> str:
    """Return the message for an unknown setting, or an empty text for another error."""
    match = _UNKNOWN_FIELD.fullmatch(error)
    if match is None:
        return ""
    key, part = match.groups()
    settings = _known_settings(table)
    known = settings[part] if part else list(Recipe.__struct_fields__)
    elsewhere = [f"{other}.{key}" for other, keys in settings.items() if not part and key in keys]
    near = near_names(key, known, MIN_SIMILARITY)
    prefix = f"{part}." if part else ""
    guess = elsewhere[:1] or [prefix + name for name in near[:1]]
    hint = f": did you mean {guess[0]}?" if guess else f"; expected one of {', '.join(known)}"
    return f"unknown setting {prefix}{key}{hint}"


_PLAIN_TYPES = {
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "a text",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "a table",
}


def _plain_reason(error: Exception) -> str:
    """Return a validation error in one line, without Python's names of types.

    Examples
    --------
    >>> _plain_reason(ValueError("Expected `int` >= 1 - at `$.training.epochs`"))
    'Expected a whole number >= 1 - at training.epochs'
    """
    text = " ".join(str(error).split())
    for name, words in _PLAIN_TYPES.items():
        text = text.replace(name, words)
    return re.sub(r" - at `\$\.([^`]*)`", r" - at \1", text)


def _known_settings(table: dict[str, Any]) -> dict[str, list[str]]:
    """Return the keys of each part of a recipe whose parts have the kinds of ``table``."""
    known: dict[str, list[str]] = {}
    for part in msgspec.structs.fields(Recipe):
        values = table.get(part.name)
        chosen = values.get("kind") if isinstance(values, dict) else None
        for kind in get_args(part.type) or (part.type,):
            if issubclass(kind, Config) and chosen in (None, kind.__struct_config__.tag):
                known[part.name] = known.get(part.name, []) + list(kind.__struct_fields__)
    return known


def _with_preset(table: dict[str, Any], *, overrides: bool = False) -> dict[str, Any]:
    table = dict(table)
    name = table.pop("preset", None)
    if name is None:
        return table
    if not isinstance(name, str) or name not in PRESETS:
        raise RecipeError(f"no preset {name!r}; expected one of {', '.join(PRESETS)}")
    for part, values in PRESETS[name].items():
        current = table.get(part, {})
        if not isinstance(current, dict):
            continue
        if current.get("kind") == "eigenframes":
            table[part] = dict(values)
            table = _without_brightness_branch(table)
        elif current.get("kind") in (None, values.get("kind")):
            table[part] = current | values if overrides else values | current
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
        raise RecipeError(f"got setting {setting!r}, expected key=value such as training.epochs=5")
    *parents, last = key.strip().split(".")
    if len(parents) == 1:
        last = RENAMED_SETTINGS.get(parents[0], {}).get(last, last)
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise RecipeError(f"got setting {setting!r}, but {parent} is a value, not a table")
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
