"""Recipes: how to make a brain, read strictly from small TOML files."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from frame2sound.clock import Clock
from frame2sound.errors import RecipeError
from frame2sound.shelf import shelf

Positive = Annotated[float, Meta(gt=0, le=1e9)]
NotNegative = Annotated[float, Meta(ge=0, le=1e9)]
Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, lt=1)]
MOST_WEIGHTS = 500_000_000
"""Between hidden layers; more would not fit in most machines' memory."""

Width = Annotated[int, Meta(ge=1, le=65536)]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """A part of a recipe: an unknown key or a value out of range is an error."""


class ClockRecipe(_Part, frozen=True):
    """The brain's own frame rate (exact, such as "30000/1001") and sample rate in Hz."""

    fps: Fraction = Fraction(30)
    sample_rate: Annotated[int, Meta(ge=100, le=384_000)] = 22050


class Pixels(_Part, frozen=True, tag_field="kind", tag="pixels"):
    """The picture enters as its 4096 grey values, 0 (black) to 1 (white)."""


class Eigenframes(_Part, frozen=True, tag_field="kind", tag="eigenframes"):
    """The picture enters as the library's first ``count`` principal components, whitened.

    Components whose variance is below ``floor`` times the mean are not brought up to one, so that
    noise is not taken for picture. With ``profiles``, it also enters as how bright its rows and its
    columns are, in the mean and at most, fine and coarse: where a thing is seen that the library
    has only elsewhere, they still tell how high it is, or how wide.
    """

    count: Annotated[int, Meta(ge=1, le=4096)] = 256
    floor: Positive = 10.0
    profiles: bool = True


class Fft2(_Part, frozen=True, tag_field="kind", tag="fft2"):
    """The picture enters as its two-dimensional Fourier transform: 64 x 33 complex numbers."""


class Mlp(_Part, frozen=True, tag_field="kind", tag="mlp"):
    """A feed-forward network: the widths of its hidden layers, first to last.

    ``normalise`` brings what enters each activation to mean 0 and variance 1 over the layer, so
    that a picture unlike all that was learned is not the loudest; ``dropout`` is the share of
    hidden values that is left out of each step of learning. ``glance`` is the width of a small
    network beside it that only sees how much light there is and may have a say in how loud it is,
    where films that were held out prefer it; 0 for none.
    """

    hidden: Annotated[tuple[Width, ...], Meta(max_length=64)]
    activation: Literal["relu", "logistic", "tanh"] = "relu"
    normalise: bool = False
    dropout: Share = 0.0
    glance: Annotated[int, Meta(ge=0, le=4096)] = 0

    def __post_init__(self) -> None:
        weights = sum(before * after for before, after in pairwise(self.hidden))
        if weights > MOST_WEIGHTS:
            raise ValueError(f"hidden layers of {weights} weights, expected at most {MOST_WEIGHTS}")


class Pcm(_Part, frozen=True, tag_field="kind", tag="pcm"):
    """The frame's own samples, and those of `lead_seconds` before it for the next to join on.

    ``scaling`` is how samples enter the loss: ``rms`` divides by the library's root mean square;
    ``half`` maps [-1, 1] to [0, 1] with silence at 0.5, as the ancestor did.
    """

    lead_seconds: Annotated[float, Meta(ge=0, le=1)] = 0.0
    scaling: Literal["rms", "half"] = "rms"


class _Windowed(_Part, frozen=True):
    """``window_length`` samples under a ``window``, ``a_frame`` times in each frame.

    The windows stand in the middle of the parts into which they divide the frame.
    """

    window_length: Annotated[int, Meta(ge=16, le=65536, multiple_of=2)] = 1024
    window: Literal["hann", "hamming"] = "hann"
    a_frame: Annotated[int, Meta(ge=1, le=64)] = 1


class StftReal(_Windowed, frozen=True, tag_field="kind", tag="stft-real"):
    """The real part of the short-time Fourier transform; the largest is scaled to 1."""

    a_frame: Literal[1] = 1


class StftMag(_Windowed, frozen=True, tag_field="kind", tag="stft-mag"):
    """Its magnitude, scaled likewise."""


class StftBoth(_Windowed, frozen=True, tag_field="kind", tag="stft-both"):
    """Its magnitude, scaled likewise, and its phase in half turns."""


class LogMag(_Windowed, frozen=True, tag_field="kind", tag="log-mag"):
    """The logarithm of its magnitude, down to ``floor_db`` below the library's level.

    Silence is 0, and 1 is a factor of ten above the floor.
    """

    a_frame: Annotated[int, Meta(ge=1, le=64)] = 4
    floor_db: Annotated[float, Meta(ge=-140, le=-20)] = -80.0


class Mel(LogMag, frozen=True, tag_field="kind", tag="mel"):
    """The same of ``bands`` as wide as the ear's, evenly spaced on the mel scale."""

    bands: Annotated[int, Meta(ge=8, le=512)] = 96


Sought = Pcm | StftReal | StftMag | StftBoth | LogMag | Mel
"""The targets that a recipe may name."""


class Training(_Part, frozen=True):
    """How the network is fitted; the defaults need no tuning for films of minutes to hours.

    ``loss`` is the mean squared error of what the network gives; ``log-magnitude``, the mean
    absolute error of log magnitudes; or ``multi-resolution``, that of short-time Fourier transforms
    with windows of several lengths, for targets that are waveforms.

    ``warmup`` is the share of all steps in which the rate rises; ``patience`` is how many epochs
    without a better held-out loss are borne, 0 for any number. ``held_out`` is the share of the
    library that is never learned from, in blocks of ``block_seconds`` with ``guard_seconds``
    dropped on both sides, or by whole films.

    Two ways of learning more from little film: ``noise`` is the standard deviation of what is added
    to what enters the first layer that learns; ``double_exposure`` the share of pairs whose picture
    is laid over another one, lighter over darker, while the sounds of both are mixed.
    """

    loss: Literal["mse", "log-magnitude", "multi-resolution"] = "mse"
    optimiser: Literal["adamw", "nag"] = "adamw"
    rate: Positive = 1e-3
    momentum: Share = 0.9
    weight_decay: NotNegative = 1e-4
    noise: NotNegative = 0.0
    double_exposure: Share = 0.0
    batch: Count = 128
    epochs: Annotated[int, Meta(ge=1, le=1_000_000)] = 150
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: Share = 0.05
    patience: Annotated[int, Meta(ge=0)] = 25
    split: Literal["blocks", "films"] = "blocks"
    held_out: Share = 0.1
    block_seconds: Positive = 4.0
    guard_seconds: NotNegative = 0.5


class Recipe(_Part, frozen=True):
    """All that decides what brain a library gives."""

    name: str
    network: Mlp
    about: str = ""
    clock: ClockRecipe = ClockRecipe()
    input: Pixels | Eigenframes | Fft2 = Pixels()
    target: Sought = Pcm()
    training: Training = Training()

    def __post_init__(self) -> None:
        if self.training.loss == "multi-resolution" and not isinstance(self.target, Pcm):
            raise ValueError(
                "the loss multi-resolution needs a waveform; use it with target pcm, "
                "or training.loss=log-magnitude"
            )
        levels = isinstance(self.input, Eigenframes) and isinstance(self.target, LogMag)
        if self.network.glance and not levels:
            raise ValueError(
                "network.glance needs input eigenframes and target log-mag or mel; "
                "use network.glance=0 with others"
            )

    def ticking(self) -> Clock:
        """Return the brain's clock."""
        return Clock(self.clock.fps, self.clock.sample_rate)


PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "hindle": {
        "target": {"kind": "pcm", "scaling": "half", "lead_seconds": 0.0},
        "training": {
            "loss": "mse",
            "optimiser": "nag",
            "rate": 1e-4,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "batch": 10,
            "schedule": "constant",
            "warmup": 0.0,
        },
    }
}
"""Named sets of values: ``hindle`` trains as the ancestor did in 2015.

A part of another kind than the preset's (a spectral target) stays as it is.
"""


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship."""
    return sorted(path.stem for path in shelf("brains").glob("*.toml"))


def load_recipe(name: str, settings: list[str] | None = None) -> Recipe:
    """Read a recipe that ships, by name, or one from a TOML file, by path.

    Parameters
    ----------
    name : str
        "lines", or "my/own.toml".
    settings : list of "key=value", optional
        Values to change, in TOML's notation: ``training.epochs=5``, ``network.hidden=[64, 64]``,
        ``preset=hindle``. A preset changes what the recipe says, and other values change both.

    Raises
    ------
    RecipeError
        No such recipe; an unknown key; a value of the wrong kind or out of range.
    """
    path = Path(name) if name.endswith(".toml") else shelf("brains") / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecipeError(
            f"no recipe {name!r}; expected one of {', '.join(recipe_names())}, or a .toml file"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path} is not readable as a recipe: {error}") from error
    table = _with_preset(table)
    for setting in sorted(settings or [], key=lambda text: not text.strip().startswith("preset=")):
        _set(table, setting)
        table = _with_preset(table, wins=True)
    return recipe_from(table | {"name": table.get("name", path.stem)})


def recipe_from(table: dict[str, Any]) -> Recipe:
    """Build a recipe from a plain table; `RecipeError` names the key that is wrong."""
    table = _with_preset(table)
    try:
        return msgspec.convert(table, Recipe, dec_hook=_to_fraction)
    except (msgspec.ValidationError, ValueError, ZeroDivisionError) as error:
        raise RecipeError(f"recipe {table.get('name', '')!r}: {error}") from error


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """Return the plain table that `recipe_from` reads back."""
    table: dict[str, Any] = msgspec.to_builtins(recipe, enc_hook=str)
    return table


def _with_preset(table: dict[str, Any], *, wins: bool = False) -> dict[str, Any]:
    table = dict(table)
    name = table.pop("preset", None)
    if name is None:
        return table
    if not isinstance(name, str) or name not in PRESETS:
        raise RecipeError(f"no preset {name!r}; expected one of {', '.join(PRESETS)}")
    for part, values in PRESETS[name].items():
        own = table.get(part, {})
        if isinstance(own, dict) and own.get("kind") in (None, values.get("kind")):
            table[part] = own | values if wins else values | own
    return table


def _set(table: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise RecipeError(f"got --set {setting}, expected key=value such as training.epochs=5")
    *parents, last = key.strip().split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise RecipeError(f"got --set {setting}, but {parent} is a value, not a table")
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text.strip()


def _to_fraction(kind: type, value: Any) -> Any:
    if kind is not Fraction:
        raise NotImplementedError
    if isinstance(value, float | bool):
        raise ValueError(f"got {value}, expected an exact number such as 30 or '30000/1001'")
    fraction = Fraction(value)
    if not 0 < fraction <= 1000:
        raise ValueError(f"got {value} fps, expected more than 0 and at most 1000")
    return fraction
