"""Plan of a comparison: recipes, seeds, training and test data, and the output folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import msgspec

from frame2sound.atomic import atomic_write
from frame2sound.brain.config import Loudness
from frame2sound.brain.recipe import Recipe, load_recipe, parse_recipe, recipe_table
from frame2sound.clock import Clock
from frame2sound.comparison.baseline_fitting import BASELINE_NAMES
from frame2sound.comparison.segments import EvaluationFilm
from frame2sound.errors import ComparisonError, RecipeError
from frame2sound.evaluation.controls import ORIGINAL, SHUFFLED_SECONDS, SILENCE
from frame2sound.library.calibration import is_calibration
from frame2sound.library.split import TrainTestSplit
from frame2sound.locks import exclusive_lock
from frame2sound.rendering.modes import DEFAULT_MODE, Mode
from frame2sound.untrusted import read_json, refuse_newer_version

if TYPE_CHECKING:
    from frame2sound.comparison.segment_judge import SegmentJudge

PLAN_FILE = "comparison.json"
"""File that marks the folder of a comparison; it is written first."""

OUTPUT_FOLDERS = ("brains", "figures", "media")
"""Subfolders of the folder of a comparison."""

LOCK_FILE, HOLDER_FILE = ".lock", ".lock.json"
"""Files of the lock that keeps a second run out of the folder."""

VERSION = 1

RESERVED_LABELS = (*BASELINE_NAMES, SILENCE, SHUFFLED_SECONDS, ORIGINAL)
"""Labels that no recipe may have: those of baselines and controls."""


@dataclass(frozen=True)
class RecipeVariant:
    """A recipe to compare, with a label: its name and settings."""

    label: str
    recipe: Recipe

    @property
    def slug(self) -> str:
        """The label as a file name."""
        return re.sub(r"[^\w.]+", "-", self.label).strip("-.")


def load_variants(
    recipes: Sequence[str], settings: Sequence[str] = ()
) -> tuple[RecipeVariant, ...]:
    """Load the recipes to compare.

    Parameters
    ----------
    recipes : sequence of str
        Names or .toml files, each with optional settings: ``"deep network.hidden=[64]"``.
    settings : sequence of str
        Settings of all recipes; the settings in ``recipes`` override them.

    Raises
    ------
    ComparisonError
        There is none, two have the same label, one has that of a baseline, or they have different
        clocks.
    RecipeError
        A recipe does not exist, or a setting is wrong.
    """
    variants: list[RecipeVariant] = []
    for text in recipes:
        name, *changes = re.split(r"\s+(?=[\w.]+=)", text.strip())
        label = " ".join([Path(name).stem if name.endswith(".toml") else name, *changes])
        recipe = load_recipe(name, [*settings, *changes])
        if changes:
            recipe = msgspec.structs.replace(recipe, name=label)
        variant = RecipeVariant(label, recipe)
        if label in RESERVED_LABELS:
            raise ComparisonError(
                f"got `recipe` {name}, which has the name of what every recipe is compared with; "
                "give its file another name"
            )
        if variant.slug in {other.slug for other in variants}:
            raise ComparisonError(
                f"got `recipe` {label} twice, expected each once; add a setting to a variant: "
                f'"{name} network.hidden=[64]"'
            )
        variants.append(variant)
    if not variants:
        raise ComparisonError("got no recipe to compare; give one or more with `recipe`")
    _check_one_clock(variants)
    return tuple(variants)


def _check_one_clock(variants: Sequence[RecipeVariant]) -> None:
    first = variants[0].recipe.clock
    for variant in variants[1:]:
        clock = variant.recipe.clock
        for key, ours, theirs in (
            ("fps", clock.fps, first.fps),
            ("sample_rate", clock.sample_rate, first.sample_rate),
        ):
            if ours != theirs:
                raise ComparisonError(
                    f"recipe {variant.label} has {key} {ours}, {variants[0].label} has {theirs}, "
                    f"expected one clock for all; add the setting clock.{key}={theirs}"
                )


@dataclass(frozen=True)
class ComparisonPlan:
    """What to compare, and where to write the results.

    Attributes
    ----------
    out : Path
        Output folder.
    variants : tuple of RecipeVariant
    seeds : int
        Each recipe is trained with seeds 0 to ``seeds - 1``.
    split : TrainTestSplit
        Training data and held-out ranges.
    evaluation_films : tuple of EvaluationFilm
        Test data: held-out ranges, then animations.
    mode : {"overlap-add", "granular", "mosaic"}
        Rendering mode.
    judge : SegmentJudge, optional
        Judges soundtracks of films that it has a label of.
    """

    out: Path
    variants: tuple[RecipeVariant, ...]
    seeds: int
    split: TrainTestSplit
    evaluation_films: tuple[EvaluationFilm, ...]
    mode: Mode = DEFAULT_MODE
    judge: SegmentJudge | None = None

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ComparisonError(f"got `seeds` {self.seeds}, expected 1 or more")
        rate, clock = self.split.training.sample_rate, self.clock
        if rate != clock.sample_rate:
            raise ComparisonError(
                f"the library is at {rate} Hz, the recipes at {clock.sample_rate} Hz; "
                f"add the setting clock.sample_rate={rate}"
            )
        self._check_animations()

    def _check_animations(self) -> None:
        """Raise `ComparisonError` if an animation was learned, is held out, or is given twice."""
        learned = {film["digest"] for film in self.training_films()}
        held_out = {each["digest"] for each in self.held_out_ranges()}
        given: set[str] = set()
        for film in self.evaluation_films:
            if film.kind != "animation":
                continue
            if film.digest in learned | held_out:
                where = "the library" if film.digest in learned else "what is held out"
                raise ComparisonError(
                    f"got the animation {film.name}, which is in {where}; leave it out, or give "
                    "an animation that no brain has seen"
                )
            if film.digest in given:
                raise ComparisonError(f"got the animation {film.name} twice, expected it once")
            given.add(film.digest)

    @property
    def clock(self) -> Clock:
        """The clock of all brains."""
        return self.variants[0].recipe.to_clock()

    @property
    def loudness(self) -> Loudness:
        """The loudness of the originals and controls: that of the first recipe."""
        return self.variants[0].recipe.training.loudness

    def brain_path(self, variant: RecipeVariant, seed: int) -> Path:
        """Return the path of a brain."""
        return self.out / "brains" / f"{variant.slug}-{seed}.safetensors"

    def training_films(self) -> list[dict[str, Any]]:
        """Return the training films, and from and to which sample, without the calibration film."""
        return [
            {"name": film.name, "digest": film.card.digest, "learned": list(film.card.audio_range)}
            for film in self.split.training.films()
            if not is_calibration(film)
        ]

    def held_out_ranges(self) -> list[dict[str, Any]]:
        """Return the held-out films, and from and to which sample."""
        return [
            {
                "name": each.film.name,
                "digest": each.film.card.digest,
                "held_out": [each.start_sample, each.end_sample],
            }
            for each in self.split.held_out
        ]

    @contextmanager
    def lock_folder(self) -> Iterator[None]:
        """Keep other runs out of the folder for the body of the ``with`` statement.

        Raises
        ------
        ComparisonError
            The folder has other content, another run is at work in it, or it cannot be written.
        """
        _check_folder(self.out)
        busy = f"{{holder}} is at work on the comparison in {self.out}; wait until it has ended"
        lock, holder = self.out / LOCK_FILE, self.out / HOLDER_FILE
        with exclusive_lock(self.out, lock, holder, ComparisonError, busy):
            yield

    def claim_folder(self, *, overwrite: bool = False) -> str:
        """Create the folder of this comparison, or check that an existing folder belongs to it.

        Recipes and seeds may be added to an existing comparison; training and test data may not
        change.

        Parameters
        ----------
        overwrite : bool
            Delete the results of an existing comparison.

        Returns
        -------
        str
            Random identity of the comparison.

        Raises
        ------
        ComparisonError
            The folder has other content, or another comparison.
        """
        path = self.out / PLAN_FILE
        _check_folder(self.out)
        if overwrite:
            for folder in OUTPUT_FOLDERS:
                shutil.rmtree(self.out / folder, ignore_errors=True)
            path.unlink(missing_ok=True)
        data = {
            "split": self.split.kind,
            "films": self.training_films(),
            "held_out": self.held_out_ranges(),
        }
        recipes = {each.label: recipe_table(each.recipe) for each in self.variants}
        table = json.loads(json.dumps({"version": VERSION, **data, "recipes": recipes}))
        existing = _read(path)
        if existing is not None:
            self._check_matches(existing, table)
            table["recipes"] = existing["recipes"] | table["recipes"]
        table["identity"] = token_hex(8) if existing is None else existing["identity"]
        with atomic_write(path, ComparisonError) as partial:
            partial.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        return str(table["identity"])

    def _check_matches(self, existing: dict[str, Any], expected: dict[str, Any]) -> None:
        remedy = "give another `out`, or start again with `overwrite=True`"
        other_films = "other films"
        if _without_ranges(existing.get("films")) == _without_ranges(expected["films"]):
            guard = self.split.guard_seconds
            other_films = f"less than {guard:.3g} s between what is learned and what is held out"
        for key, what in (
            ("split", "another split"),
            ("films", other_films),
            ("held_out", "other held-out films"),
        ):
            if existing.get(key) != expected[key]:
                raise ComparisonError(f"{self.out} was started with {what}; {remedy}")
        for label, recipe in expected["recipes"].items():
            other = existing["recipes"].get(label, recipe)
            if other | {"about": ""} != recipe | {"about": ""}:
                raise ComparisonError(
                    f"{self.out} was started with other settings of recipe {label}; {remedy}"
                )


def read_recipes(out: Path) -> list[Recipe]:
    """Return the recipes of the comparison in a folder; none if there is none.

    Raises
    ------
    ComparisonError
        The folder has other content, or its comparison cannot be read.
    """
    _check_folder(out)
    existing = _read(out / PLAN_FILE)
    return [] if existing is None else [parse_recipe(each) for each in existing["recipes"].values()]


def _without_ranges(films: Any) -> Any:
    """Return films without what of them is learned."""
    return [{**film, "learned": None} for film in films or []]


def _check_folder(out: Path) -> None:
    try:
        is_foreign = out.exists() and not (
            out.is_dir() and ((out / PLAN_FILE).is_file() or not _names(out))
        )
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ComparisonError(f"{out} cannot be read ({why}); give another `out`") from error
    if is_foreign:
        raise ComparisonError(
            f"{out} holds something else than a comparison; give a new or empty folder as `out`"
        )


def _names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()} - {LOCK_FILE, HOLDER_FILE}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        table: dict[str, Any] = read_json(path)
        refuse_newer_version(table["version"], VERSION, path, ComparisonError)
        # Settings that recipes did not have then get their defaults.
        recipes = {
            label: json.loads(json.dumps(recipe_table(parse_recipe(recipe))))
            for label, recipe in dict(table["recipes"]).items()
        }
        return table | {"recipes": recipes, "identity": str(table["identity"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecipeError) as error:
        raise ComparisonError(
            f"{path} is not readable as a comparison's; start again with `overwrite=True`"
        ) from error
