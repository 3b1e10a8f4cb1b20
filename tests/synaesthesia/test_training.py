"""Training, the pair's file, and the measures of a pair."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from frame2sound.errors import RecipeError, SynaesthesiaError
from frame2sound.synaesthesia.drawings import Drawings, drawings_of_strokes
from frame2sound.synaesthesia.losses import RasterComponents, SpectrumMeasures
from frame2sound.synaesthesia.measures import hold_out, measure_pair
from frame2sound.synaesthesia.notes import make_notes
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.pair_file import METADATA_KEY, load_pair, save_pair
from frame2sound.synaesthesia.recipe import (
    load_synaesthesia_recipe,
    synaesthesia_recipe_names,
)
from frame2sound.synaesthesia.sound_windows import fit_components
from frame2sound.synaesthesia.sounds import Sounds, sounds_of_windows
from frame2sound.synaesthesia.squiggles import draw_squiggles
from frame2sound.synaesthesia.stroke import keep_on_page, stroke_points, stroke_widths
from frame2sound.synaesthesia.training import PairTrainer, train_pair

SMALL = [
    "training.batch=16",
    "network.channels=4",
    "network.components=12",
    "clips=4",
    "training.average=0.5",
    "training.rate=0.006",
]

Examples = tuple[Sounds, Drawings]


@pytest.fixture(scope="module")
def examples() -> Examples:
    names, windows = zip(*make_notes(64, 0), strict=True)
    sounds = sounds_of_windows(list(names), np.stack(windows))
    return sounds, drawings_of_strokes(draw_squiggles(64, 0))


@pytest.fixture(scope="module")
def pair(examples: Examples) -> Pair:
    recipe = load_synaesthesia_recipe("strokes", [*SMALL, "training.steps=20"])
    return train_pair(*examples, recipe, seed=5)


def test_twenty_steps_lower_the_loss_and_are_deterministic(examples: Examples, pair: Pair) -> None:
    recipe = load_synaesthesia_recipe("strokes", [*SMALL, "training.steps=20"])
    random_state = torch.random.get_rng_state()
    notes: list[tuple[float, str]] = []
    again = train_pair(
        *examples, recipe, 5, lambda task, done, total, note: notes.append((done, note))
    )
    assert torch.equal(torch.random.get_rng_state(), random_state)
    for name, weight in pair.generator.state_dict().items():
        assert torch.equal(weight, again.generator.state_dict()[name])
    assert np.array_equal(pair.draw(pair.clips), again.draw(again.clips))
    assert [done for done, _ in notes] == [1, 11, 20]
    correlations = [float(note.split("correlation ")[1].split(",")[0]) for _, note in notes]
    assert correlations[-1] < correlations[0] - 1


def test_another_seed_gives_another_pair(examples: Examples, pair: Pair) -> None:
    recipe = load_synaesthesia_recipe("strokes", [*SMALL, "training.steps=1"])
    first, second = (train_pair(*examples, recipe, seed).draw(pair.clips) for seed in (1, 2))
    assert not np.allclose(first, second)


def test_a_pair_has_the_asked_pairing_of_measures_after_few_steps(pair: Pair) -> None:
    names, windows = zip(*make_notes(40, 9), strict=True)
    sounds = sounds_of_windows(list(names), np.stack(windows))
    drawings = drawings_of_strokes(draw_squiggles(40, 9))
    found = measure_pair(pair, sounds, drawings, drawings)
    assert found.drawn["loudness=size"] > 0.3
    assert abs(found.permuted["loudness=size"]) < 0.05
    assert found.distance_of_noise > found.distance > found.distance_of_real
    assert found.cycle_svg == pytest.approx(found.cycle, rel=0.2)
    assert found.strokes.shape == (40, 37)


def test_strokes_are_moved_onto_the_page_and_no_farther() -> None:
    strokes = torch.from_numpy(draw_squiggles(6, 0))
    assert torch.allclose(keep_on_page(strokes), strokes)
    moved = strokes.clone()
    moved[:, 0], moved[:, 1] = 1.2, -0.3
    kept = keep_on_page(moved)
    points, reach = stroke_points(kept), stroke_widths(kept)[:, None] / 2
    assert (points.amax(dim=1) + reach)[:, 0].numpy() == pytest.approx(1, abs=1e-5)
    assert (points.amin(dim=1) - reach)[:, 1].numpy() == pytest.approx(0, abs=1e-5)
    assert torch.equal(kept[:, 2:], strokes[:, 2:])


def test_strokes_stay_in_the_range_of_the_drawings(examples: Examples, pair: Pair) -> None:
    loud = pair.draw_components(np.full((1, 12), 50, np.float32))
    mean, spread, lowest, highest = examples[1].stroke_ranges()
    assert np.all((loud >= lowest - 1e-5)[:, 2:]) and np.all((loud <= highest + 1e-5)[:, 2:])
    assert np.all(lowest < mean) and np.all(mean < highest) and np.all(spread > 0)


def test_a_file_gives_the_pair_again_to_the_bit(pair: Pair, tmp_path: Path) -> None:
    save_pair(pair, tmp_path / "pair.safetensors")
    loaded = load_pair(tmp_path / "pair.safetensors")
    assert loaded.recipe == pair.recipe and loaded.training == pair.training
    assert np.array_equal(loaded.clips, pair.clips)
    assert np.array_equal(loaded.draw(pair.clips), pair.draw(pair.clips))
    rasters = drawings_of_strokes(draw_squiggles(3, 1)).rasters
    assert np.array_equal(loaded.read(rasters), pair.read(rasters))
    save_pair(loaded, tmp_path / "again.safetensors")
    texts = [(tmp_path / f"{name}.safetensors").read_bytes() for name in ("pair", "again")]
    assert texts[0] == texts[1]
    with pytest.raises(SynaesthesiaError, match="exists already"):
        save_pair(pair, tmp_path / "pair.safetensors", overwrite=False)


def test_a_file_that_is_no_pair_is_refused(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "pair.safetensors"
    save_pair(pair, path)
    arrays = load_file(path)
    with safe_open(path, "np") as file:
        metadata = file.metadata()[METADATA_KEY]

    def refused(reason: str, arrays: dict[str, np.ndarray], text: str = metadata) -> None:
        save_file(arrays, path, {METADATA_KEY: text})
        with pytest.raises(SynaesthesiaError, match=reason):
            load_pair(path)

    name = "generator.layers.0.weight"
    refused("not finite", arrays | {name: np.full_like(arrays[name], np.nan)})
    refused(r"F32 \[1, 12\].*asks for", arrays | {name: arrays[name][:1]})
    refused("unknown", arrays | {"more": arrays[name]})
    refused("missing", {key: value for key, value in arrays.items() if key != name})
    refused("newer version", arrays, metadata.replace('"version": 1', '"version": 2'))
    refused("strokes", arrays, metadata.replace('"kind": "strokes"', '"kind": "other"'))
    refused("another kind", arrays, "no JSON")
    for content, reason in (
        (pickle.dumps("some text"), "pickle"),
        (b"\x89PNG" + bytes(9), "picture"),
    ):
        path.write_bytes(content)
        with pytest.raises(SynaesthesiaError, match=reason):
            load_pair(path)
    save_pair(pair, path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(SynaesthesiaError, match="cut short"):
        load_pair(path)
    with pytest.raises(SynaesthesiaError, match="no such file"):
        load_pair(tmp_path / "none")


def test_too_few_and_equal_examples_are_refused(examples: Examples) -> None:
    sounds, drawings = examples
    recipe = load_synaesthesia_recipe("strokes", ["training.steps=1"])
    three, same = np.arange(3), np.zeros(40, np.int64)
    for wrong, reason in (
        ((sounds, drawings.select(three)), "got drawings: 3,"),
        ((sounds.select(three), drawings), "got seconds of sound: 3,"),
        ((sounds, drawings.select(same)), "drawings that are all alike"),
        ((sounds.select(same), drawings), "sounds that are all alike"),
    ):
        with pytest.raises(SynaesthesiaError, match=reason):
            train_pair(*wrong, recipe)


def test_a_loss_that_is_not_finite_ends_the_training(examples: Examples) -> None:
    sounds, drawings = examples
    broken = replace(drawings, measures=drawings.measures + np.float32(np.nan))
    recipe = load_synaesthesia_recipe("strokes", SMALL)
    with pytest.raises(SynaesthesiaError, match="not finite"):
        PairTrainer(sounds, broken, recipe).step()


def test_fewer_sounds_than_components_are_enough(examples: Examples) -> None:
    sounds, drawings = examples
    few = sounds.select(np.arange(32))
    recipe = load_synaesthesia_recipe("strokes", ["training.batch=8", "network.channels=4"])
    trainer = PairTrainer(few, drawings, recipe)
    trainer.step()
    assert trainer.pair().draw(few.windows[:2]).shape == (2, 37)


def test_losses_that_are_off_are_not_computed(examples: Examples) -> None:
    settings = [*SMALL, "pairing=''", "training.adversarial=0", "training.identity=1"]
    losses = PairTrainer(*examples, load_synaesthesia_recipe("found", settings)).step()
    assert set(losses) == {"cycle", "drawing_cycle", "identity"}


def test_measures_of_components_are_those_of_their_spectra(examples: Examples) -> None:
    spectra = examples[0].spectra
    components = fit_components(spectra, 63)
    measured = SpectrumMeasures(components)(torch.from_numpy(components.transform(spectra)))
    level = 10 * np.log10((10 ** (spectra.astype(np.float64) / 10)).sum(axis=2).mean(axis=1))
    assert measured[:, 0].numpy() == pytest.approx(level, abs=0.3)


def test_components_of_rasters_are_white_and_grow_with_ink(examples: Examples) -> None:
    rasters = examples[1].rasters
    found = RasterComponents(rasters, 4)
    components = found(torch.from_numpy(rasters)).numpy()
    assert np.cov(components.T) == pytest.approx(np.eye(4), abs=1e-3)
    assert found(torch.from_numpy(rasters * 2))[:, 0].mean() > 0


def test_whole_files_are_held_out(examples: Examples) -> None:
    sounds, drawings = examples
    names = [f"film.mp4 {n}" for n in range(32)] + [f"clip{n}.wav 0" for n in range(32)]
    (learned, _), (out, drawn) = hold_out(replace(sounds, names=names), drawings, 8, seed=1)
    files = [{name.split(" ")[0] for name in part.names} for part in (learned, out)]
    assert len(out) == 8 and not files[0] & files[1]
    assert len(drawn) == 8


def test_recipes_are_read_strictly(tmp_path: Path) -> None:
    assert synaesthesia_recipe_names() == ["found", "raster", "strokes"]
    assert [str(each) for each in load_synaesthesia_recipe().pairings] == [
        "loudness=size",
        "brightness=spikiness",
    ]
    changed = load_synaesthesia_recipe("found", ["training.steps=7", "pairing=loudness=-height"])
    assert changed.training.steps == 7 and str(changed.pairings[0]) == "loudness=-height"
    own = tmp_path / "own.toml"
    for text, reason in (
        ("step=1", "step"),
        ("[training]\nsteps=0", ">= 1"),
        ("pairing='loud=size'", "loudness"),
        ("[network]\nleading=60", "at most network.components=48"),
        ("colours=2", "colours"),
        ("x", "not readable"),
    ):
        own.write_text(text)
        with pytest.raises(RecipeError, match=reason):
            load_synaesthesia_recipe(str(own))
    with pytest.raises(RecipeError, match="did you mean strokes"):
        load_synaesthesia_recipe("stroke")
