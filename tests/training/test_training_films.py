"""Of copies of a film one is learned, so that nothing that is held out is learned elsewhere."""

import numpy as np
import pytest

from frame2sound.brain.brain_file import load_brain
from frame2sound.errors import LibraryError, TrainingError
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.split import LibraryView
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.loop import train
from frame2sound.training.training_data import TrainingData


@pytest.fixture
def add(library, add_film):
    """Return a function that adds a film with the first seconds of one picture and sound."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (600, 64, 64), np.uint8)
    sound = rng.normal(0, 0.1, 160_000) * np.repeat(rng.random(200), 800)

    def add(name, seconds=12):
        return add_film(
            library,
            name,
            seconds,
            frames=frames[: 30 * seconds],
            sound=sound[: 8000 * seconds],
        )

    return add


def excerpts(pairs):
    """Return the sound of each pair as bytes."""
    return {excerpt.tobytes() for excerpt in pairs.load(np.arange(len(pairs)))[1]}


@pytest.mark.parametrize("split", ["blocks", "films"])
def test_nothing_held_out_is_learned_from_a_copy(library, add, add_film, small, split):
    add("a-excerpt", 8)
    add("film")
    add("z-copy")
    add_film(library, "other", 12)
    recipe = small(split=split, held_out=0.4, block_seconds=1.0, guard_seconds=0.0)
    data = TrainingData.from_library(library, recipe, 0)
    assert [film.name for film in data.films] == ["film", "other"]
    assert data.left_out_copies == {"a-excerpt": "film", "z-copy": "film"}
    assert len(data.held_out)
    assert not excerpts(data.training) & excerpts(data.held_out)


def test_the_calibration_film_is_never_a_copy(library, add, add_film, small):
    black = add_calibration_film(library)
    add_film(library, "dark", black.seconds, frames=np.asarray(black.frames))
    add("film")
    data = TrainingData.from_library(library, small(), 0)
    assert {film.name for film in data.films} == {black.name, "dark", "film"}
    assert data.left_out_copies == {}


def test_only_what_a_view_shows_of_a_film_counts(library, add, small):
    add("long", 16)
    add("short", 12)
    view = LibraryView(library, end_samples={"long": 10 * 8000})
    data = TrainingData.from_library(view, small(), 0)
    assert [film.name for film in data.films] == ["short"]


def test_a_training_says_which_copies_it_left_out(library, add, small, tmp_path):
    add("copy")
    add("film", 14)
    notes = []
    brain = train(library, small(epochs=1), tmp_path / "a.safetensors", on_note=notes.append)
    assert notes == ["copies or excerpts of other films are not learned: copy of film"]
    assert brain.provenance["left_out_copies"] == {"copy": "film"}
    assert [film["name"] for film in brain.provenance["films"]] == ["film"]
    assert load_brain(tmp_path / "a.safetensors").provenance == brain.provenance


def test_without_copies_nothing_is_said(library, add, small, tmp_path):
    add("film")
    notes = []
    brain = train(library, small(epochs=1), tmp_path / "a.safetensors", on_note=notes.append)
    assert notes == []
    assert "left_out_copies" not in brain.provenance


def test_a_resumed_training_says_that_a_film_is_now_a_copy(library, add, small, tmp_path):
    add("film")
    out = tmp_path / "a.safetensors"

    def interrupt(task, done, total, note):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(library, small(), out, on_progress=interrupt)
    assert checkpoint_path(out).exists()
    add("longer", 14)
    with pytest.raises(TrainingError, match=r"film film was film-0, is left out as a copy of lon"):
        train(library, small(), out, resume=True)


@pytest.mark.parametrize("sample", [1e30, np.nan])
@pytest.mark.parametrize("loudness", ["film", "equal"])
def test_a_film_with_impossible_sound_is_named(library, add_film, small, sample, loudness):
    """It would look like a learning rate that is too high."""
    sound = np.random.default_rng(0).normal(0, 0.1, 96_000)
    sound[90_000] = sample
    add_film(library, "good", 12)
    add_film(library, "bad", 12, sound=sound)
    view = LibraryView(library, end_samples={"bad": 80_000})
    for each in (library, view):
        with pytest.raises(LibraryError, match=r"bad/sound\.npy holds numbers that are not finite"):
            TrainingData.from_library(each, small(loudness=loudness), 0)
