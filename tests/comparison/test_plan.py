"""Plan of a comparison, and its folder."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from inspect import signature
from pathlib import Path

import pytest

import frame2sound
from frame2sound.api.comparing import compare
from frame2sound.brain.reach import reach_seconds
from frame2sound.brain.recipe import load_recipe
from frame2sound.cli.compare import compare as compare_command
from frame2sound.comparison.plan import PLAN_FILE, load_variants
from frame2sound.comparison.verdicts import MIN_SEEDS
from frame2sound.errors import ComparisonError, RecipeError
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.pickler import pickle_film
from frame2sound.library.split import GUARD_SECONDS
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
        (["brains/nearest.toml"], "nearest.toml, which has the name of what every recipe is"),
        (["deep", "deep clock.fps=24"], "fps 24, deep has 30.*add the setting clock.fps=30"),
        (["deep", "deep clock.sample_rate=8000"], "add the setting clock.sample_rate=22050"),
    ],
)
def test_recipes_that_cannot_be_compared_are_refused(given, match, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brains").mkdir()
    deep = Path(__file__).parents[2] / "brains" / "deep.toml"
    (tmp_path / "brains" / "nearest.toml").write_text(deep.read_text())
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


def test_an_animation_that_was_learned_or_given_twice_is_refused(tmp_path):
    for number in range(3):
        scene = load_scene("typing", seconds=6, seed=number, size=(64, 64), sample_rate=RATE)
        write_scene(scene, tmp_path / f"{number}.mp4")
    library = Library.create(tmp_path / "library", RATE)
    for number in range(2):
        pickle_film(tmp_path / f"{number}.mp4", library)
    (tmp_path / "renamed.mp4").write_bytes((tmp_path / "1.mp4").read_bytes())
    for kind, name, where in (
        ("ends", "0.mp4", "the library"),
        ("ends", "renamed.mp4", "the library"),
        ("films", "0.mp4", "(the library|what is held out)"),
    ):
        with pytest.raises(ComparisonError, match=rf"animation .*, which is in {where}; leave"):
            plan_of(library, tmp_path / "out", kind=kind, animations=[tmp_path / name])
    new = tmp_path / "2.mp4"
    with pytest.raises(ComparisonError, match=r"got the animation 2-\w+ twice"):
        plan_of(library, tmp_path / "out", animations=[new, new])
    assert len(plan_of(library, tmp_path / "out", animations=[new]).evaluation_films) == 3


def test_the_guard_is_that_of_the_recipes_that_are_there(tmp_path, add_film, monkeypatch):
    library = Library.create(tmp_path / "library")
    for name in ("one", "two"):
        add_film(library, name, 30, seed=len(name))
    plans = []
    run = "frame2sound.studio.run_comparison"
    monkeypatch.setattr(run, lambda plan, *_, **__: plans.append(plan))
    for recipes, overwrite in ((["deep"], False), (["waveform"], False), (["waveform"], True)):
        compare(library, recipes, tmp_path / "out", split="ends", overwrite=overwrite)
        plans[-1].claim_folder(overwrite=overwrite)
    reach = float(reach_seconds(load_recipe("deep")))
    assert [plan.split.guard_seconds for plan in plans] == [reach, reach, GUARD_SECONDS]
    compare(library, ["deep"], tmp_path / "out", split="ends")
    with pytest.raises(ComparisonError, match=r"less than 1\.\d+ s between what is learned"):
        plans[-1].claim_folder()


def test_one_run_is_at_work_in_a_folder(library, tmp_path):
    plan, busy = plan_of(library, tmp_path / "out"), "is at work on the comparison in"
    with plan.lock_folder():
        with pytest.raises(ComparisonError, match=busy), plan.lock_folder():
            pass
        identity = plan.claim_folder()
    with plan.lock_folder():
        assert plan.claim_folder() == identity
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "poem.txt").write_text("mine")
    foreign = plan_of(library, mine)
    with pytest.raises(ComparisonError, match="holds something else"), foreign.lock_folder():
        pass
    assert [path.name for path in mine.iterdir()] == ["poem.txt"]
