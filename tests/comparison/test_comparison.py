"""A comparison: everything is done once, whenever it was interrupted, and the figures agree."""

from __future__ import annotations

import csv
import io
import json
import shutil
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch

from frame2sound.api.comparing import describe_difference
from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.comparison import comparison as comparing
from frame2sound.comparison.comparison import OVERALL_TASK, Comparison
from frame2sound.comparison.results import (
    MEASURES,
    collect_results,
    pairwise_differences,
    write_results,
)
from frame2sound.comparison.systems import build_systems
from frame2sound.errors import ComparisonError
from frame2sound.evaluation.measurements import MINUS_INFINITY_DB
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.store import Library
from tests.comparison.comparing import RATE, TWO, Interrupt, lit_tones, plan_of


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, add_film):
    """A library of two films, an animation, and a comparison that has been run."""
    folder = tmp_path_factory.mktemp("comparison")
    library = Library.create(folder / "library", RATE)
    add_calibration_film(library)
    for seed, name in enumerate(("one", "two")):
        add_film(library, name, 12, fps=10, seed=seed, **lit_tones(12, seed=seed))
    scene = load_scene("typing", seconds=2, seed=1, size=(64, 64))
    write_scene(scene, folder / "mute.mp4", with_audio=False)
    run(folder)
    return folder


def run(folder, out="out", **changed):
    """Run a comparison in a folder, and return its results."""
    show = changed.pop("show", lambda *shown: None)
    recipes = changed.pop("recipes", TWO)
    library = Library.open(folder / "library")
    plan = plan_of(library, folder / out, recipes, animations=[folder / "mute.mp4"], **changed)
    comparison = Comparison(plan, "cpu", show)
    plan.claim_folder()
    table = collect_results(comparison, comparison.run())
    write_results(table, folder / out)
    return table


@pytest.fixture
def table(folder):
    return json.loads((folder / "out" / "results.json").read_text())


def test_results_hold_every_brain_and_baseline(table):
    baselines = ["mean", "linear", "nearest", "silence", "shuffled seconds", "its own sound"]
    assert list(table["figures"]) == [*TWO, *baselines]
    assert len(table["brains"]) == 4
    for group, figures in table["figures"].items():
        seeds = 2 if group in TWO else 1
        assert len(figures["spectral_distance_db"]["seeds"]) == seeds
        assert (figures["spectral_distance_db"]["spread"] is None) == (seeds == 1)
        if group == TWO[0]:
            assert figures["envelope_correlation"]["mean"] > 0.5
    own = table["figures"]["its own sound"]
    assert own["envelope_correlation"]["mean"] == pytest.approx(1)
    assert own["spectral_distance_db"]["mean"] == 0
    assert own["onset_f"]["mean"] > own["onset_chance"]["mean"]
    assert set(MEASURES) == set(table["about"])


def test_a_mean_is_the_mean_of_its_seeds(table):
    for recipe in TWO:
        for name, figure in table["figures"][recipe].items():
            if name != "kind":
                heard = [v for v in figure["seeds"] if v is not None and v > MINUS_INFINITY_DB]
                expected = np.mean(heard) if heard else MINUS_INFINITY_DB
                assert figure["mean"] == pytest.approx(expected), name


def test_differences_are_of_the_figures_beside_them(table):
    named = {each["figure"] for each in table["differences"]}
    assert named >= {"onset_f", "envelope_correlation", "spectral_distance_db"}
    for each in table["differences"]:
        ours, theirs = (table["figures"][each[side]][each["figure"]] for side in ("ours", "theirs"))
        assert each["difference"] == pytest.approx(ours["mean"] - theirs["mean"], abs=1e-9)
        assert each["low"] <= each["difference"] <= each["high"]
        assert each["excludes_zero"] == (each["low"] > 0 or each["high"] < 0)


@pytest.mark.parametrize(
    ("seeds", "better", "why"),
    [
        (1, None, "one seed; train 3 or more"),
        (2, None, "2 seeds; train 3 or more"),
        (3, "ours", None),
        (5, "ours", None),
    ],
)
def test_fewer_than_three_seeds_allow_no_verdict_however_clear(seeds, better, why):
    def players(group, distance):
        tally = {"spectral_distance_db": np.array([[distance, 1.0]] * 20)}
        record = {"held": SimpleNamespace(tally=tally)}
        player = SimpleNamespace(kind="brain", group=group)
        return [SimpleNamespace(player=player, records=record) for _ in range(seeds)]

    held = [SimpleNamespace(name="held")]
    (found,) = pairwise_differences([*players("ours", 1.0), *players("theirs", 9.0)], held)
    assert (found["difference"], found["low"], found["high"]) == (-8, -8, -8)
    assert found["excludes_zero"]
    assert (found["better"], found["no_verdict"]) == (better, why)
    line = describe_difference(found, vars(MEASURES["spectral_distance_db"]))
    assert line.endswith("ours is better" if better else "no verdict")


def test_a_comparison_of_two_seeds_says_that_it_has_no_verdict(table):
    assert table["no_verdict"] == "2 seeds; train 3 or more"
    assert {each["better"] for each in table["differences"]} == {None}


def test_the_long_form_has_a_row_for_each_figure(folder, table):
    rows = list(csv.DictReader(io.StringIO((folder / "out" / "results.csv").read_text())))
    brain = [row for row in rows if (row["player"], row["seed"]) == (TWO[1], "1")]
    place = "two-1"
    mine = {row["figure"]: float(row["value"]) for row in brain if row["stretch"] == place}
    track = next(each for each in table["soundtracks"] if each["seed"] == 1
                 and each["group"] == TWO[1])  # fmt: skip
    assert mine == {n: v for n, v in track["stretches"][place].items() if v is not None}
    assert {row["from"] for row in brain if row["stretch"] == place} == {"9.0"}


def test_media_are_small_and_exactly_as_long_as_they_should_be(folder, table):
    for stretch in table["stretches"]:
        place = folder / "out" / "media" / stretch["name"]
        seconds = stretch["to"] - stretch["from"]
        tracks = [t for t in table["soundtracks"] if stretch["name"] in t["stretches"]]
        assert len(tracks) == (10 if stretch["kind"] == "held out" else 7)
        for track in tracks:
            with av.open(str(place / f"{track['player']}.m4a")) as sound:
                stream = sound.streams.audio[0]
                assert float(stream.duration * stream.time_base) == pytest.approx(seconds, abs=1e-4)
            assert (place / f"{track['player']}.webp").stat().st_size < 60_000
        with av.open(str(place / "picture.mp4")) as picture:
            stream = picture.streams.video[0]
            assert (stream.width, stream.height) == (256, 256)
            assert stream.frames == round(seconds * 10)


def test_a_silent_animation_is_judged_by_its_truth_alone(table):
    (mute,) = (each for each in table["stretches"] if each["kind"] == "animation")
    assert mute["events"] == "the truth"
    track = table["soundtracks"][0]["stretches"][mute["name"]]
    assert track["onset_f"] is not None
    assert track["envelope_correlation"] is None


def test_what_is_done_is_not_done_again(folder, table, monkeypatch):
    def refuse(*given, **named):
        raise AssertionError("nothing is left to do")

    for name in ("train", "measured", "write_sound", "write_picture"):
        monkeypatch.setattr(comparing, name, refuse)
    assert json.loads(json.dumps(run(folder))) == table


def test_recipes_and_seeds_are_added_to_what_is_there(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "folder")
    before = (tmp_path / "folder/out/brains/waveform-0.safetensors").stat().st_mtime_ns
    table = run(tmp_path / "folder", recipes=["waveform"], seeds=3)
    assert list(table["recipes"]) == ["waveform"]
    assert len(table["figures"]["waveform"]["spectral_distance_db"]["seeds"]) == 3
    assert (tmp_path / "folder/out/brains/waveform-0.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("task", "calls"), [("waveform, seed 1", 2), (OVERALL_TASK, 9)], ids=["training", "measuring"]
)
def test_an_interrupted_comparison_goes_on_to_the_same_results(
    folder, tmp_path, table, task, calls
):
    shutil.copytree(folder, tmp_path / "folder")
    out = tmp_path / "folder" / "out"
    (out / "brains" / "waveform-1.safetensors").unlink()
    for path in out.glob("figures/*/waveform-*.json"):
        path.unlink()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "folder", show=Interrupt(task, calls))
    again = run(tmp_path / "folder")
    for key in ("figures", "differences", "soundtracks"):
        assert again[key] == table[key]
    assert not list((out / "brains").glob("*.checkpoint.*"))


def test_a_brain_of_another_recipe_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "folder")
    brains = tmp_path / "folder/out/brains"
    for there, wrong, what in (
        ("waveform-0", "waveform-1", "seed"),
        ("waveform-0", "waveform-network.hidden-32-0", "recipe"),
    ):
        shutil.copy(folder / f"out/brains/{wrong}.safetensors", brains / f"{there}.safetensors")
        with pytest.raises(ComparisonError, match=f"made with another {what}; use another --out"):
            run(tmp_path / "folder")


def test_a_changed_brain_is_measured_again(folder, tmp_path, table):
    shutil.copytree(folder, tmp_path / "folder")
    path = tmp_path / "folder/out/brains/waveform-0.safetensors"
    brain = load_brain(path)
    with torch.no_grad():
        for tensor in brain.network.parameters():
            tensor.zero_()
    save_brain(brain, path)
    figures = run(tmp_path / "folder")["figures"]
    assert figures["waveform"] != table["figures"]["waveform"]
    assert figures[TWO[1]] == table["figures"][TWO[1]]


def test_baselines_are_of_every_target(folder):
    library = Library.open(folder / "library")
    plan = plan_of(library, folder / "targets", ["waveform", "stft-mag", TWO[1]], seeds=1)
    (folder / "targets" / "brains").mkdir(parents=True)
    for entry in plan.variants:
        plan.brain_path(entry, 0).touch()
    named = [player.group for player in build_systems(plan, "cpu") if player.kind == "baseline"]
    assert named == [f"{name}, as {recipe}" for recipe in ("waveform", "stft-mag")
                     for name in ("mean", "linear", "nearest")]  # fmt: skip
