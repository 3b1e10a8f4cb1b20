"""The file of a brain: a .safetensors with its weights, and the rest as JSON in its header."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from frame2sound.atomic import atomic_write
from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import (
    CORPUS_PREFIX,
    PICTURES_PREFIX,
    corpus_from_file,
    corpus_tensor_names,
    corpus_to_file,
)
from frame2sound.brain.event_head import head_from_file, head_tensor_names, head_to_file
from frame2sound.brain.recipe import parse_recipe, recipe_table
from frame2sound.brain.targets import build_target
from frame2sound.brain.weights import Shape, Weights, weight_shapes
from frame2sound.errors import BrainError, RecipeError, error_reason
from frame2sound.untrusted import (
    PYTHON_PICKLE,
    guess_file_kind,
    parse_json,
    read_safetensors_prefix,
    refuse_newer_version,
)

BRAIN_VERSION, PLAIN_CORPUS_VERSION, OLDEST_VERSION = 4, 3, 2
"""The newest version; that of brains whose corpus is mono, at their own rate; and the oldest."""

METADATA_KEY = "frame2sound"
"""The header entry that holds the brain's description."""

_RENAMED_PARTS = {
    "body": "backbone",
    "ear": "feedback",
    "enter": "input_layer",
    "eyes": "features",
    "glance": "brightness_branch",
    "light": "brightness",
    "lines": "profiles",
    "top": "head",
    "tops": "heads",
}
"""Old to new parts of tensor names; brains of version 2 have the old ones."""

MAX_SCALE = 100.0
"""Largest scale that is accepted; a real one is the root mean square of sound, or 2."""

_Count = Annotated[int, Meta(ge=0, le=2**53)]
_Losses = Annotated[list[float], Meta(max_length=1_000_000)]
_HeldOut = Annotated[list[float | None], Meta(max_length=1_000_000)]


class LearnedFilm(msgspec.Struct, frozen=True):
    """A film that a brain was trained on."""

    name: str
    digest: str = ""
    seconds: float = 0.0


class PairCounts(msgspec.Struct, frozen=True):
    """The number of pairs of frame and sound for training, and of those held out."""

    learned: _Count = 0
    held_out: _Count = 0


class Provenance(msgspec.Struct, frozen=True):
    """The origin of a trained brain; every entry is optional.

    ``brightness_share`` is the share of the loudness that follows the brightness branch.
    """

    program: str = ""
    seed: _Count | None = None
    epochs: _Count = 0
    best_epoch: _Count = 0
    seconds: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    loss: _Losses = []
    held_out_loss: _HeldOut = []
    held_out_loss_of_mean: float | None = None
    films: list[LearnedFilm] = []
    pairs: PairCounts = PairCounts()
    brightness_share: Annotated[float, Meta(ge=0, le=1)] | None = msgspec.field(
        name="glance", default=None
    )

    def __post_init__(self) -> None:
        if self.best_epoch > len(self.loss) or len(self.held_out_loss) not in (0, len(self.loss)):
            raise ValueError("its best epoch has no entry in its list of losses")

    @property
    def known(self) -> bool:
        """Whether training films are known; an untrained brain has none."""
        return bool(self.films and self.pairs.learned)


def parse_provenance(table: dict[str, Any]) -> Provenance:
    """Return the provenance in a table; `msgspec.ValidationError`, a `ValueError`, if malformed."""
    return msgspec.convert(table, Provenance)


def save_brain(brain: Brain, path: Path, *, overwrite: bool = True) -> None:
    """Write a brain; the file appears complete or not at all."""
    corpus, media = corpus_to_file(brain.corpus)
    description = {
        "version": BRAIN_VERSION if "sample_rate" in (corpus or ()) else PLAIN_CORPUS_VERSION,
        "recipe": recipe_table(brain.recipe),
        "scaling": {"scale": brain.target.scale},
        "provenance": brain.provenance,
        "corpus": corpus,
    }
    events, regressions = head_to_file(brain.motion_head)
    if events is not None:
        description["events"] = events
    if brain.silent_screens:
        description["silent_screens"] = brain.silent_screens
    weights = {name: np.ascontiguousarray(array) for name, array in brain.weights.items()}
    with atomic_write(path, BrainError, overwrite=overwrite) as partial:
        metadata = {METADATA_KEY: json.dumps(description)}
        partial.write_bytes(save(weights | media | regressions, metadata))


def load_brain(path: Path) -> Brain:
    """Return the brain in a file; no code in the file is run.

    Raises
    ------
    BrainError
        The file is missing, truncated, a Python pickle, not a brain, or from a newer version; its
        weights do not match its recipe; or its corpus is damaged.
    """
    with _open_tensors(path) as file:
        description = _read_description(path, file)
        try:
            recipe = parse_recipe(description.recipe)
            parse_provenance(description.provenance)
            scale = float(description.scaling.scale)
            if not 0 < scale <= MAX_SCALE:
                raise BrainError(f"its scale is {scale}, expected more than 0, at most {MAX_SCALE}")
            target = build_target(recipe, scale)
            shapes = weight_shapes(recipe, target.length)
            media = {
                name: file.get_tensor(name)
                for name in corpus_tensor_names(description.corpus, recipe.to_clock())
                if name in file.keys()  # noqa: SIM118
            }
            corpus = corpus_from_file(description.corpus, media, recipe.to_clock())
            names = head_tensor_names(description.events)
            regressions = {name: file.get_tensor(name) for name in names if name in file.keys()}  # noqa: SIM118
            head = head_from_file(description.events, regressions)
        except BrainError as error:
            raise BrainError(f"{path}: {error}") from error
        except (*_NOT_A_BRAIN, RuntimeError, RecipeError) as error:
            raise _unreadable(path, error) from error
        weights = _read_weights(path, shapes, file, description)
    return Brain(
        recipe,
        weights,
        target,
        description.provenance,
        corpus,
        head,
        description.silent_screens,
    )


class _Scaling(msgspec.Struct, frozen=True):
    scale: float


class _Description(msgspec.Struct, frozen=True):
    """The JSON in a brain's header."""

    version: int
    recipe: dict[str, Any]
    scaling: _Scaling
    provenance: dict[str, Any] = {}
    corpus: dict[str, Any] | None = None
    events: dict[str, Any] | None = None
    silent_screens: tuple[Literal[0, 255], ...] = ()


_NOT_A_BRAIN = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)


@contextmanager
def _open_tensors(path: Path) -> Iterator[Any]:
    """Open a file of tensors; only its header is read."""
    try:
        prefix = read_safetensors_prefix(path)
    except OSError as error:
        raise BrainError(
            f"{path} cannot be read ({error_reason(error)}); expected a brain (.safetensors)"
        ) from error
    except ValueError as error:
        raise BrainError(f"{path} is not a brain ({error}); {_EXPECTED}") from error
    kind = guess_file_kind(prefix)
    if kind == PYTHON_PICKLE:
        raise BrainError(
            f"{path} is a Python pickle, which can run code when loaded; "
            "expected a brain (.safetensors) made by: frame2sound train"
        )
    if kind:
        raise BrainError(f"{path} is not a brain (it looks like {kind}); {_EXPECTED}")
    try:
        with safe_open(path, "np") as file:
            yield file
    except (SafetensorError, OSError, RuntimeError) as error:
        raise BrainError(
            f"{path} is cut short or not a brain ({error}); copy it again or train it again"
        ) from error


def _read_description(path: Path, file: Any) -> _Description:
    try:
        table = parse_json((file.metadata() or {})[METADATA_KEY])
    except (KeyError, ValueError) as error:
        raise BrainError(
            f"{path} is a .safetensors file of another program; "
            "expected one made by: frame2sound train"
        ) from error
    version = table.get("version") if isinstance(table, dict) else None
    refuse_newer_version(version, BRAIN_VERSION, path, BrainError)
    if type(version) is int and version < OLDEST_VERSION:
        raise BrainError(
            f"{path} is of brain version {version}, this program reads {OLDEST_VERSION} to "
            f"{BRAIN_VERSION}; train it again"
        )
    try:
        return msgspec.convert(table, _Description)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _unreadable(path, error) from error


def _read_weights(
    path: Path, shapes: dict[str, Shape], file: Any, description: _Description
) -> Weights:
    """Return the network's weights; only tensors of the expected shapes are read."""
    films = () if description.corpus is None else description.corpus.get("films", ())
    other = {prefix + name for prefix in (CORPUS_PREFIX, PICTURES_PREFIX) for name in films}
    other |= set(head_tensor_names(description.events))
    stored = {current_tensor_name(name): name for name in file.keys() if name not in other}  # noqa: SIM118
    twice = [name for name in file.keys() if name not in {*other, *stored.values()}]  # noqa: SIM118
    if twice:
        raise BrainError(f"{path}: tensor {twice[0]} is there under two names; train it again")
    got = {name: _describe_slice(file.get_slice(old)) for name, old in stored.items()}
    expected = {name: f"float32 {shape}" for name, shape in shapes.items()}
    for name in expected | got:
        if expected.get(name) != got.get(name):
            raise BrainError(
                f"{path}: tensor {name} is {got.get(name, 'missing')}, its recipe asks for "
                f"{expected.get(name, 'none')}; train it again"
            )
    return {name: file.get_tensor(stored[name]) for name in expected}


def current_tensor_name(name: str) -> str:
    """Return the current name of a tensor in a brain of any version; current names stay.

    Examples
    --------
    >>> current_tensor_name("body.body.layers.0.linear.weight")
    'backbone.backbone.layers.0.linear.weight'
    """
    return ".".join(_RENAMED_PARTS.get(part, part) for part in name.split("."))


def _unreadable(path: Path, error: Exception) -> BrainError:
    return BrainError(f"{path} is not readable as a brain: {_first_line(error)}; {_EXPECTED}")


_EXPECTED = "expected a .safetensors file made by: frame2sound train"

_TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "U8": "uint8"}


def _describe_slice(part: Any) -> str:
    kind = part.get_dtype()
    return f"{_TYPES.get(kind, kind)} {tuple(part.get_shape())}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
