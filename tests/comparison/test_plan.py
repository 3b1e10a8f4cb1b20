"""Plan of a comparison, and its folder."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from inspect import signature

import pytest

import frame2sound
from frame2sound.cli.compare import compare as compare_command
from frame2sound.comparison.plan import PLAN_FILE, load_variants
from frame2sound.comparison.verdicts import MIN_SEEDS
from frame2sound.errors import ComparisonError, RecipeError
from frame2sound.library.store import Library
from frame2sound.web.requests import CompareRequest
from tests.comparison.comparison_fixtures import QUICK, RATE, TWO, plan_of


@pytest.fixture
def library(tmp_path, add_film):
    library = Library.create(tmp_path / "library", RATE)
    add_film(library, "film", 10)
    return library


def test_settings_of_a_variant_override_those_of_all_recipes():
    plain, variant = load_variants(["deep", "deep network.hidden=[8, 8] training.batch=4"],
                             ["training.epochs=3", "training.batch=2"])  # fmt: skip
    assert (plain.label, plain.slug) == ("deep", "deep")
    assert variant.label == "deep network.hidden=[8, 8] training.batch=4"
    assert variant.slug == "deep-network.hidden-8-8-training.batch-4"
    assert variant.recipe.network.hidden == (8, 8)
    assert (plain.recipe.training.batch, variant.recipe.training.batch) == (2, 4)
    assert variant.recipe.training.epochs == 3
    assert variant.recipe.name == variant.label


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([], "got no recipe"),
        (["deep", "deep"], 'got `recipe` deep twice.*"deep network.hidden='),
        (["deep", "deep clock.fps=24"], "fps 24, deep has 30.*add the setting clock.fps=30"),
        (["deep", "deep clock.sample_rate=8000"], "add the setting clock.sample_rate=22050"),
    ],
)
def test_recipes_that_cannot_be_compared_are_refused(given, match):
    with pytest.raises(ComparisonError, match=match):
        load_variants(given)


def test_unknown_recipes_are_refused():
    with pytest.raises(RecipeError, match="no recipe 'huge'; expected one of"):
        load_variants(["deep", "huge"])


def test_seeds_and_rates_are_checked(library, tmp_path):
    with pytest.raises(ComparisonError, match="got `seeds` 0, expected 1 or more"):
        plan_of(library, tmp_path / "out", seeds=0)
    with pytest.raises(
        ComparisonError, match=r"at 8000 Hz.*add the setting clock.sample_rate=8000"
    ):
        plan_of(library, tmp_path / "out", settings=[])


def test_a_foreign_folder_is_not_changed(library, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(
            ComparisonError, match=r"holds something else.*give a new or empty folder"
        ):
            plan_of(library, tmp_path / "out").claim_folder(overwrite=overwrite)
    with pytest.raises(ComparisonError, match="holds something else"):
        plan_of(library, tmp_path / "out" / "mine.txt").claim_folder()


def test_settings_that_an_old_plan_lacks_have_their_defaults(library, tmp_path):
    out = tmp_path / "out"
    identity = plan_of(library, out, TWO[:1]).claim_folder()
    table = json.loads((out / PLAN_FILE).read_text())
    del table["recipes"][TWO[0]]["training"]["warmup"]
    (out / PLAN_FILE).write_text(json.dumps(table))
    assert plan_of(library, out, TWO[:1]).claim_folder() == identity
    table["recipes"][TWO[0]]["training"]["warmup"] = "long"
    (out / PLAN_FILE).write_text(json.dumps(table))
    with pytest.raises(ComparisonError, match="not readable as a comparison's"):
        plan_of(library, out, TWO[:1]).claim_folder()


def test_the_description_of_a_recipe_may_change(library, tmp_path):
    out = tmp_path / "out"
    identity = plan_of(library, out, TWO[:1]).claim_folder()
    table = json.loads((out / PLAN_FILE).read_text())
    table["recipes"][TWO[0]]["about"] = "Another description."
    (out / PLAN_FILE).write_text(json.dumps(table))
    assert plan_of(library, out, TWO[:1]).claim_folder() == identity


def test_recipes_may_be_added_but_not_changed(library, tmp_path):
    out = tmp_path / "out"
    identity = plan_of(library, out, TWO[:1]).claim_folder()
    assert plan_of(library, out, TWO, seeds=5).claim_folder() == identity
    assert set(json.loads((out / PLAN_FILE).read_text())["recipes"]) == set(TWO)
    assert plan_of(library, out, TWO[1:]).claim_folder() == identity
    changed = plan_of(library, out, TWO[:1], settings=[*QUICK, "training.epochs=9"])
    with pytest.raises(
        ComparisonError, match="other settings of recipe waveform; give another `out`"
    ):
        changed.claim_folder()
    assert changed.claim_folder(overwrite=True) != identity


def test_another_split_is_another_comparison(library, tmp_path, add_film):
    out = tmp_path / "out"
    plan_of(library, out).claim_folder()
    add_film(library, "another", 10)
    with pytest.raises(ComparisonError, match="started with other films"):
        plan_of(library, out).claim_folder()
    with pytest.raises(ComparisonError, match="started with another split"):
        plan_of(library, out, kind="films").claim_folder()


def test_a_damaged_plan_is_refused(library, tmp_path):
    plan_of(library, tmp_path / "out").claim_folder()
    (tmp_path / "out" / PLAN_FILE).write_text("{")
    with pytest.raises(ComparisonError, match="not readable as a comparison's"):
        plan_of(library, tmp_path / "out").claim_folder()


def test_as_many_seeds_as_a_verdict_needs_are_trained_by_default():
    page = files("frame2sound").joinpath("web/static/compare.js").read_text(encoding="utf-8")
    for default in (
        signature(frame2sound.compare).parameters["seeds"].default,
        signature(compare_command).parameters["seeds"].default,
        CompareRequest("both", ["deep"]).seeds,
        int(re.search(r"max: 20, value: (\d+)", page)[1]),
    ):
        assert default == MIN_SEEDS
