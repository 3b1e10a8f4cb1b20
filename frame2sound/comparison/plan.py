"""What is compared: recipes, seeds, what is learned and what is judged; and the folder it is in."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import msgspec

from frame2sound.atomic import atomic_write
from frame2sound.brain.recipe import Recipe, load_recipe, parse_recipe, recipe_table
from frame2sound.clock import Clock
from frame2sound.comparison.segments import EvaluationFilm
from frame2sound.errors import ComparisonError, RecipeError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.split import TrainTestSplit
from frame2sound.rendering.modes import DEFAULT_MODE, Mode
from frame2sound.untrusted import read_json, refuse_newer_version

PLAN_FILE = "comparison.json"
"""The file that makes a folder a comparison's; it is written first."""

OUTPUT_FOLDERS = ("brains", "figures", "media")
"""The folders in it, beside its pages."""

VERSION = 1


@dataclass(frozen=True)
class RecipeVariant:
    """A recipe that takes part: ``label`` is how it was named, with its settings."""

    label: str
    recipe: Recipe

    @property
    def slug(self) -> str:
        """The label as the name of a file."""
        return re.sub(r"[^\w.]+", "-", self.label).strip("-.")


def load_variants(
    recipes: Sequence[str], settings: Sequence[str] = ()
) -> tuple[RecipeVariant, ...]:
    """Read the recipes that take part.

    Parameters
    ----------
    given : sequence of str
        Names or .toml files, each with settings of its own: ``"deep network.hidden=[64]"``.
    settings : sequence of str
        Change all of them, before their own.

    Raises
    ------
    ComparisonError
        Two are called the same, or work at different rates.
    RecipeError
        There is no such recipe, or a setting is wrong.
    """
    made: list[RecipeVariant] = []
    for text in recipes:
        name, *own = re.split(r"\s+(?=[\w.]+=)", text.strip())
        label = " ".join([Path(name).stem if name.endswith(".toml") else name, *own])
        recipe = load_recipe(name, [*settings, *own])
        if own:
            recipe = msgspec.structs.replace(recipe, name=label)
        entry = RecipeVariant(label, recipe)
        if entry.slug in {other.slug for other in made}:
            raise ComparisonError(
                f"got --recipe {label} twice, expected each once; tell variants apart by a "
                f'setting: --recipe "{name} network.hidden=[64]"'
            )
        made.append(entry)
    if not made:
        raise ComparisonError("got no recipe to compare; name one or more with --recipe")
    _check_one_clock(made)
    return tuple(made)


def _check_one_clock(variants: Sequence[RecipeVariant]) -> None:
    first = variants[0].recipe.clock
    for entry in variants[1:]:
        clock = entry.recipe.clock
        for key, ours, theirs in (
            ("fps", clock.fps, first.fps),
            ("sample_rate", clock.sample_rate, first.sample_rate),
        ):
            if ours != theirs:
                raise ComparisonError(
                    f"recipe {entry.label} works at {key} {ours}, {variants[0].label} at {theirs}, "
                    f"expected one clock for all; add --set clock.{key}={theirs}"
                )


@dataclass(frozen=True)
class ComparisonPlan:
    """A comparison as it is asked for.

    Attributes
    ----------
    out : Path
        The folder it is in.
    entries : tuple of Entry
    seeds : int
        Each recipe is trained with seeds 0 to ``seeds - 1``.
    parted : Parted
        What is learned, and what is held out.
    footage : tuple of Footage
        What is judged: what is held out, then animations.
    mode : {"overlap-add", "granular", "mosaic"}
        How what is foretold is played.
    """

    out: Path
    variants: tuple[RecipeVariant, ...]
    seeds: int
    split: TrainTestSplit
    evaluation_films: tuple[EvaluationFilm, ...]
    mode: Mode = DEFAULT_MODE

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ComparisonError(f"got --seeds {self.seeds}, expected 1 or more")
        rate, clock = self.split.training.sample_rate, self.clock
        if rate != clock.sample_rate:
            raise ComparisonError(
                f"the library is at {rate} Hz, the recipes at {clock.sample_rate} Hz; "
                f"add --set clock.sample_rate={rate}"
            )

    @property
    def clock(self) -> Clock:
        """The clock of all brains."""
        return self.variants[0].recipe.to_clock()

    def brain_path(self, variant: RecipeVariant, seed: int) -> Path:
        """Return where a brain is, or will be."""
        return self.out / "brains" / f"{variant.slug}-{seed}.safetensors"

    def training_films(self) -> list[dict[str, Any]]:
        """Return which films are learned, and between which samples; the calibration film not."""
        return [
            {"name": film.name, "digest": film.card.digest, "learned": list(film.card.audio_range)}
            for film in self.split.training.films()
            if not is_calibration(film)
        ]

    def held_out_ranges(self) -> list[dict[str, Any]]:
        """Return which samples of which films are held out."""
        return [
            {"name": held.film.name, "digest": held.film.card.digest,
             "held_out": [held.start_sample, held.end_sample]}
            for held in self.split.held_out
        ]  # fmt: skip

    def claim_folder(self, *, overwrite: bool = False) -> str:
        """Take the folder, or find what an earlier run of this comparison left in it.

        Recipes and seeds may be added to a comparison; what is learned and judged stays.

        Returns
        -------
        str
            What tells this comparison from all others.

        Raises
        ------
        ComparisonError
            The folder holds something else, or another comparison.
        """
        path = self.out / PLAN_FILE
        _check_folder(self.out)
        if overwrite:
            for folder in OUTPUT_FOLDERS:
                shutil.rmtree(self.out / folder, ignore_errors=True)
            path.unlink(missing_ok=True)
        told = {
            "split": self.split.kind,
            "films": self.training_films(),
            "held_out": self.held_out_ranges(),
        }
        recipes = {entry.label: recipe_table(entry.recipe) for entry in self.variants}
        table = json.loads(json.dumps({"version": VERSION, **told, "recipes": recipes}))
        known = _read(path)
        if known is not None:
            self._check_matches(known, table)
            table["recipes"] = known["recipes"] | table["recipes"]
        table["identity"] = token_hex(8) if known is None else known["identity"]
        with atomic_write(path, ComparisonError) as partial:
            partial.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        return str(table["identity"])

    def _check_matches(self, existing: dict[str, Any], expected: dict[str, Any]) -> None:
        remedy = "use another --out, or begin anew with --overwrite"
        for key, what in (("split", "split"), ("films", "films"), ("held_out", "held-out films")):
            if existing.get(key) != expected[key]:
                raise ComparisonError(f"{self.out} was begun with another {what}; {remedy}")
        for label, recipe in expected["recipes"].items():
            if existing["recipes"].get(label, recipe) != recipe:
                raise ComparisonError(
                    f"{self.out} was begun with other values of recipe {label}; {remedy}"
                )


def _check_folder(out: Path) -> None:
    try:
        strange = out.exists() and not (
            out.is_dir() and ((out / PLAN_FILE).is_file() or not any(out.iterdir()))
        )
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ComparisonError(f"{out} cannot be read ({why}); choose another --out") from error
    if strange:
        raise ComparisonError(
            f"{out} holds something else than a comparison; choose a new or empty --out"
        )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        table: dict[str, Any] = read_json(path)
        refuse_newer_version(table["version"], VERSION, path, ComparisonError)
        # Keys that recipes have gained since are filled in.
        recipes = {
            label: json.loads(json.dumps(recipe_table(parse_recipe(recipe))))
            for label, recipe in dict(table["recipes"]).items()
        }
        return table | {"recipes": recipes, "identity": str(table["identity"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecipeError) as error:
        raise ComparisonError(
            f"{path} is not readable as a comparison's; begin anew with --overwrite"
        ) from error
