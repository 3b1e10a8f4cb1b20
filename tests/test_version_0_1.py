"""Files that version 0.1 wrote, in ``tests/data/version-0.1``, still load and mean the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.config import Eigenframes, LogMag, Rnn, TrainingConfig
from frame2sound.brain.recipe import load_recipe, recipe_table
from frame2sound.comparison.plan import PLAN_FILE, _read
from frame2sound.library.store import Library, PickledFilm
from frame2sound.library.verification import verify
from frame2sound.studio.comparison_page import PAGE_FILE, write_report

DATA = Path(__file__).parent / "data" / "version-0.1"

OLD_WORDS = {"body", "ear", "enter", "eyes", "glance", "light", "lines", "top"}
"""Parts of the tensor names of version 0.1 that have other names now."""


@pytest.fixture
def film() -> PickledFilm:
    """The only film of the library."""
    (film,) = Library.open(DATA / "library").films()
    return film


def assert_predicts_as_before(brain_file: Path, film: PickledFilm) -> None:
    """Compare with the prediction of version 0.1; other processors round differently."""
    expected = np.load(DATA / "expected.npy")
    prediction = load_brain(brain_file).predict(np.array(film.frames))[::6]
    np.testing.assert_allclose(prediction, expected, rtol=0, atol=1e-3 * np.abs(expected).max())


def test_a_library_opens_with_the_same_arrays(film: PickledFilm) -> None:
    card = film.card
    assert (card.frames, card.samples, card.sample_rate, card.fps) == (36, 9600, 8000, 30)
    assert card.audio_range == (0, 9600)
    assert card.background == 0
    assert film.frames.sum(dtype=np.int64) == 806898
    np.testing.assert_allclose(film.times, np.arange(37) / 30, atol=1e-12)
    assert film.sound.dtype == np.float32
    assert verify(Library.open(DATA / "library"), film.path) == []


def test_the_card_of_a_film_is_written_as_before(film: PickledFilm) -> None:
    assert film.card.to_json() + "\n" == (film.path / "film.json").read_text()


def test_a_recipe_with_old_settings_has_the_new_ones() -> None:
    recipe = load_recipe(str(DATA / "recipe.toml"))
    assert recipe.clock.sample_rate == 8000
    assert recipe.input == Eigenframes(count=4, history=2, motion=True)
    assert recipe.network == Rnn(
        (8, 8), memory=(4,), feedback_units=2, normalise=True, dropout=0.1, brightness_branch=2
    )
    assert recipe.target == LogMag(windows_per_frame=2)
    assert recipe.training == TrainingConfig(
        loss="log-magnitude", noise=0.1, overlay=0.4, chunk=8, epochs=2
    )


@pytest.mark.parametrize(
    ("setting", "value"), [("hears=3", 3), ("feedback_units=3", 3), ("glance=0", 2)]
)
def test_old_settings_are_accepted_by_name(setting: str, value: int) -> None:
    recipe = load_recipe(str(DATA / "recipe.toml"), [f"network.{setting}"])
    assert isinstance(recipe.network, Rnn)
    assert recipe.network.feedback_units == value
    assert recipe.network.brightness_branch == (0 if setting == "glance=0" else 2)


def test_a_brain_predicts_the_same_and_is_saved_under_new_names(
    film: PickledFilm, tmp_path: Path
) -> None:
    assert_predicts_as_before(DATA / "brain.safetensors", film)
    brain = load_brain(DATA / "brain.safetensors")
    assert brain.provenance["films"][0]["name"] == film.name
    assert brain.recipe.network == load_recipe(str(DATA / "recipe.toml")).network
    save_brain(brain, tmp_path / "brain.safetensors")
    assert_predicts_as_before(tmp_path / "brain.safetensors", film)
    with safe_open(tmp_path / "brain.safetensors", "pt") as file:
        words = {word for name in file.keys() for word in name.split(".")}  # noqa: SIM118
        recipe = json.loads(file.metadata()["frame2sound"])["recipe"]
    assert {"features", "backbone", "head", "feedback", "brightness_branch", "profiles"} <= words
    assert not words & OLD_WORDS
    assert recipe["network"]["feedback_units"] == 2
    assert "hears" not in recipe["network"]


def test_the_corpus_in_a_brain_is_the_sound_of_its_film(film: PickledFilm) -> None:
    (piece,) = load_brain(DATA / "brain.safetensors").corpus.pieces  # type: ignore[union-attr]
    assert (piece.film, piece.start_sample) == (film.name, 0)
    np.testing.assert_allclose(piece.samples, film.sound, atol=1.01 / 2**15)  # 16 bits


def test_the_recipes_of_a_comparison_equal_those_of_today(tmp_path: Path) -> None:
    shutil.copy(DATA / "comparison.json", tmp_path / PLAN_FILE)
    plan = _read(tmp_path / PLAN_FILE)
    assert plan is not None
    recipes = plan["recipes"]
    pocket, shallow = sorted(recipes)
    settings = ["feedback_units=2", "hidden=[4]", "memory=[4]"]
    network = recipe_part("pocket", "network", [f"network.{setting}" for setting in settings])
    assert recipes[pocket]["network"] == json.loads(json.dumps(network))
    assert recipes[pocket]["target"] == recipe_part("pocket", "target")
    changes = {"epochs": 1, "loudness": "film", "overlay_epochs": 1}
    assert recipes[shallow]["training"] == recipe_part("shallow", "training") | changes


def recipe_part(name: str, part: str, settings: list[str] | None = None) -> dict[str, object]:
    """Return one part of the table of a recipe that comes with the program."""
    table: dict[str, dict[str, object]] = recipe_table(load_recipe(name, settings))
    return table[part]


def test_a_page_is_written_from_old_results(tmp_path: Path) -> None:
    results = json.loads((DATA / "results.json").read_text())
    write_report(results, tmp_path)
    page = (tmp_path / PAGE_FILE).read_text(encoding="utf-8")
    assert f'"identity": "{results["identity"]}"' in page
    assert all(label in page for label in results["recipes"])
