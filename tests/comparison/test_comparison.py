"""Comparisons: results, media, and how an interrupted comparison continues."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
from fractions import Fraction
from types import SimpleNamespace

import av
import msgspec
import numpy as np
import pytest
import torch

from frame2sound.api.comparing import ComparisonResult, describe_difference
from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.recipe import parse_recipe
from frame2sound.clock import Clock
from frame2sound.comparison import comparison
from frame2sound.comparison.comparison import OVERALL_TASK, Comparison
from frame2sound.comparison.differences import paired_differences
from frame2sound.comparison.plan import ComparisonPlan, RecipeVariant, load_variants
from frame2sound.comparison.records import measure_segment
from frame2sound.comparison.results import (
    SHOWN_MEASURES,
    collect_results,
    write_results,
)
from frame2sound.comparison.segments import EvaluationFilm, split_into_segments
from frame2sound.comparison.systems import build_systems
from frame2sound.comparison.verdicts import holm
from frame2sound.errors import ComparisonError
from frame2sound.evaluation.controls import ORIGINAL
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.evaluation.measurements import MINUS_INFINITY_DB
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.split import split_library
from frame2sound.library.store import Library
from tests.comparison.comparison_fixtures import QUICK, RATE, TWO, Interrupt, lit_tones, plan_of


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
    on_progress = changed.pop("on_progress", lambda *progress: None)
    recipes = changed.pop("recipes", TWO)
    library = Library.open(folder / "library")
    plan = plan_of(library, folder / out, recipes, animations=[folder / "mute.mp4"], **changed)
    run = Comparison(plan, "cpu", on_progress)
    plan.claim_folder()
    table = collect_results(run, run.run())
    write_results(table, folder / out)
    return table


@pytest.fixture
def table(folder):
    return json.loads((folder / "out" / "results.json").read_text())


def test_results_hold_every_brain_and_baseline(table):
    baselines = ["mean", "linear", "nearest", "The vOICe"]
    controls = ["silence", "shuffled seconds", "its own sound"]
    assert list(table["figures"]) == [*TWO, *baselines, *controls]
    assert len(table["brains"]) == 4
    for group, figures in table["figures"].items():
        seeds = 2 if group in TWO else 1
        assert len(figures["spectral_distance_db"]["seeds"]) == seeds
        assert (figures["spectral_distance_db"]["spread"] is None) == (seeds == 1)
        if group == TWO[0]:
            assert figures["envelope_correlation"]["mean"] > 0.5
    own = table["figures"]["its own sound"]
    assert own["envelope_correlation"]["mean"] == pytest.approx(1, abs=2e-3)
    assert own["spectral_distance_db"]["mean"] == 0
    assert own["onset_f"]["mean"] > own["onset_chance"]["mean"]
    assert tuple(table["about"]) == SHOWN_MEASURES
    assert table["about"]["spectral_distance_db"]["label"] == "log-spectral distance"


def test_a_mean_is_the_mean_of_its_seeds(table):
    for recipe in TWO:
        for name, figure in table["figures"][recipe].items():
            if name != "kind":
                finite = [v for v in figure["seeds"] if v is not None and v > MINUS_INFINITY_DB]
                expected = np.mean(finite) if finite else MINUS_INFINITY_DB
                if name == "envelope_correlation":
                    expected = np.tanh(np.arctanh(finite).mean())
                assert figure["mean"] == pytest.approx(expected), name


def test_differences_are_those_of_the_means(table):
    measures = {each["figure"] for each in table["differences"]}
    assert measures >= {"onset_f", "envelope_correlation", "spectral_distance_db"}
    for each in table["differences"]:
        ours, theirs = (table["figures"][each[side]][each["figure"]] for side in ("ours", "theirs"))
        assert each["difference"] == pytest.approx(ours["mean"] - theirs["mean"], abs=1e-9)
        assert each["low"] <= each["difference"] <= each["high"]
        assert each["excludes_zero"] == (each["low"] > 0 or each["high"] < 0)


def results(group, distances, kind="brain", films=("held",)):
    """Results of a system with distances (seeds, films), and twenty equal blocks."""
    members = []
    for row in np.atleast_2d(distances):
        sums = [{"spectral_distance_db": np.array([[each, 1.0]] * 20)} for each in row]
        records = dict(zip(films, (SimpleNamespace(block_sums=each) for each in sums), strict=True))
        system = SimpleNamespace(kind=kind, group=group)
        members.append(SimpleNamespace(system=system, records=records))
    return members


def differences(found, films=("held",), kind="films"):
    recipes = ("ours", "theirs", "third")
    labels = [name for name in recipes if any(each.system.group == name for each in found)]
    recipe = parse_recipe({"name": "small", "network": {"kind": "mlp", "hidden": [4]}})
    variants = tuple(RecipeVariant(label, recipe) for label in labels)
    plan = SimpleNamespace(variants=variants, split=SimpleNamespace(kind=kind))
    held = [SimpleNamespace(name=name, film=SimpleNamespace(name=name)) for name in films]
    return paired_differences(plan, found, held)


@pytest.mark.parametrize(
    ("seeds", "better", "why"),
    [
        (1, None, "one seed; train 5 or more"),
        (4, None, "4 seeds; train 5 or more"),
        (5, "ours", None),
    ],
)
def test_fewer_than_five_seeds_allow_no_verdict(seeds, better, why):
    ours, theirs = results("ours", [[1.0]] * seeds), results("theirs", [[9.0]] * seeds)
    (found,) = differences([*ours, *theirs])
    assert (found["difference"], found["low"], found["high"]) == (-8, -8, -8)
    assert found["excludes_zero"]
    assert (found["better"], found["no_verdict"]) == (better, why)
    line = describe_difference(found, MEASURES["spectral_distance_db"].to_dict())
    holds = "ours is better for this film only: other stretches of it, and other seeds"
    assert line.endswith(holds if better else "cannot be said")


def test_a_verdict_speaks_of_films_if_there_are_several():
    names = ("one", "two", "three")
    rng = np.random.default_rng(0)
    systems = [
        *results("ours", 1 + rng.normal(0, 0.1, (5, 3)), films=names),
        *results("theirs", 3 + rng.normal(0, 0.1, (5, 3)), films=names),
        *results("nearest", [[3.0, 3.0, 3.0]], "baseline", names),
    ]
    found = differences(systems, names)
    assert [(each["ours"], each["theirs"], each["family"]) for each in found] == [
        ("ours", "theirs", "recipes"),
        ("ours", "nearest", "baselines"),
        ("theirs", "nearest", "baselines"),
    ]
    assert [each["films"] for each in found] == [3, 3, 3]
    assert [each["better"] for each in found[:2]] == ["ours", "ours"]
    assert found[0]["speaks_of"] == "for films like these 3, and other seeds"
    (ends, *_) = differences(systems, names, "ends")
    assert ends["speaks_of"].startswith("for ends of films like these 3, which are learned until")


def test_all_but_the_primary_difference_are_corrected_by_family():
    rng = np.random.default_rng(1)
    names = ("one", "two")
    systems = [
        *results("ours", rng.normal(0, 1, (5, 2)), films=names),
        *results("theirs", rng.normal(0, 1, (5, 2)), films=names),
        *results("third", rng.normal(0, 1, (5, 2)), films=names),
        *results("mean", rng.normal(0, 1, (1, 2)), "baseline", names),
    ]
    found = differences(systems, names)
    for family in ("recipes", "baselines"):
        members = [each for each in found if each["family"] == family]
        assert len(members) == 3
        assert [each["p_corrected"] for each in members] == holm([each["p"] for each in members])


def test_results_of_two_seeds_have_no_verdict(table):
    assert table["no_verdict"] == "2 seeds; train 5 or more"
    assert {each["better"] for each in table["differences"]} == {None}
    (primary,) = (each for each in table["differences"] if each["family"] == "primary")
    assert (primary["ours"], primary["theirs"]) == tuple(TWO)
    assert primary["figure"] == "envelope_correlation"
    assert primary["p_corrected"] == primary["p"]
    assert table["cannot_be_said"]["pitch"] == "no held-out film has pitch that is known"


def test_each_recipe_is_set_against_baselines(table):
    judged = {each["theirs"] for each in table["differences"] if each["family"] == "baselines"}
    assert judged == {"mean", "linear", "nearest", "silence"}
    assert {each["ours"] for each in table["differences"]} == set(TWO)


def test_the_csv_file_has_a_row_for_each_measure(folder, table):
    rows = list(csv.DictReader(io.StringIO((folder / "out" / "results.csv").read_text())))
    brain = [row for row in rows if (row["player"], row["seed"]) == (TWO[1], "1")]
    segment = "two-1"
    values = {row["figure"]: float(row["value"]) for row in brain if row["stretch"] == segment}
    track = next(each for each in table["soundtracks"] if each["seed"] == 1
                 and each["group"] == TWO[1])  # fmt: skip
    assert values == {n: v for n, v in track["stretches"][segment].items() if v is not None}
    assert {row["from"] for row in brain if row["stretch"] == segment} == {"9.0"}


def test_media_are_small_and_as_long_as_their_segment(folder, table):
    for stretch in table["stretches"]:
        place = folder / "out" / "media" / stretch["name"]
        seconds = stretch["to"] - stretch["from"]
        tracks = [t for t in table["soundtracks"] if stretch["name"] in t["stretches"]]
        assert len(tracks) == (11 if stretch["kind"] == "held out" else 8)
        for track in tracks:
            with av.open(str(place / f"{track['player']}.m4a")) as sound:
                stream = sound.streams.audio[0]
                assert float(stream.duration * stream.time_base) == pytest.approx(seconds, abs=1e-4)
            assert (place / f"{track['player']}.webp").stat().st_size < 60_000
        with av.open(str(place / "picture.mp4")) as picture:
            stream = picture.streams.video[0]
            assert (stream.width, stream.height) == (256, 256)
            assert stream.frames == round(seconds * 10)


def test_a_silent_animation_is_evaluated_by_its_ground_truth_only(table):
    (mute,) = (each for each in table["stretches"] if each["kind"] == "animation")
    assert mute["events"] == "the truth"
    track = table["soundtracks"][0]["stretches"][mute["name"]]
    assert 0 <= track["onset_f"] <= 1
    assert track["envelope_correlation"] is None


def test_finished_steps_are_not_repeated(folder, table, monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("nothing is left to do")

    for name in ("train", "measure_segment", "write_audio", "write_video"):
        monkeypatch.setattr(comparison, name, refuse)
    assert json.loads(json.dumps(run(folder))) == table


def test_recipes_and_seeds_can_be_added(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "folder")
    before = (tmp_path / "folder/out/brains/waveform-0.safetensors").stat().st_mtime_ns
    table = run(tmp_path / "folder", recipes=["waveform"], seeds=3)
    assert list(table["recipes"]) == ["waveform"]
    assert len(table["figures"]["waveform"]["spectral_distance_db"]["seeds"]) == 3
    assert (tmp_path / "folder/out/brains/waveform-0.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("task", "calls"), [("waveform, seed 1", 2), (OVERALL_TASK, 9)], ids=["training", "measuring"]
)
def test_an_interrupted_comparison_continues_to_the_same_results(
    folder, tmp_path, table, task, calls
):
    shutil.copytree(folder, tmp_path / "folder")
    out = tmp_path / "folder" / "out"
    (out / "brains" / "waveform-1.safetensors").unlink()
    for path in out.glob("figures/*/waveform-*.json"):
        path.unlink()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "folder", on_progress=Interrupt(task, calls))
    again = run(tmp_path / "folder")
    for key in ("figures", "differences", "soundtracks"):
        assert again[key] == table[key]
    assert not list((out / "brains").glob("*.checkpoint.*"))


def test_media_that_a_killed_run_left_do_not_stand_for_another_mode(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "folder")
    out = tmp_path / "folder/out"
    audio = next(iter(sorted(out.glob("media/one*/nearest.m4a"))))
    before = audio.read_bytes()

    def stop(*_):
        raise KeyboardInterrupt

    plan = plan_of(Library.open(tmp_path / "folder/library"), out)
    granular = Comparison(dataclasses.replace(plan, mode="granular"), "cpu")
    nearest = next(each for each in build_systems(granular.plan, "cpu") if each.name == "nearest")
    monkeypatch.setattr(comparison, "write_record", stop)
    with pytest.raises(KeyboardInterrupt):
        granular._measure_system(nearest)
    assert audio.read_bytes() != before
    monkeypatch.undo()
    run(tmp_path / "folder")
    assert audio.read_bytes() == before


def test_colour_films_are_compared_by_brains_in_colour_and_grey(tmp_path, add_film):
    library = Library.create(tmp_path / "library", RATE, colour=True)
    add_calibration_film(library)
    film = lit_tones(12)
    film["frames"] = np.repeat(film["frames"][..., None], 3, axis=3)
    film["frames"][..., 1] = 0
    add_film(library, "film", 12, fps=10, **film)
    scene = load_scene("typing", seconds=2, seed=1, size=(64, 64))
    write_scene(scene, tmp_path / "new.mp4")
    recipes = ["waveform", "waveform input.colour=true"]
    settings = [*QUICK, "input.colour=false", "training.epochs=1"]
    split = split_library(library)
    films = (
        *(EvaluationFilm.from_held_out(each) for each in split.held_out),
        EvaluationFilm.from_animation(tmp_path / "new.mp4", RATE, colour=True),
    )
    variants = load_variants(recipes, settings)
    plan = ComparisonPlan(tmp_path / "out", variants, 1, split, films)
    plan.claim_folder()
    run = Comparison(plan, "cpu")
    table = collect_results(run, run.run())
    for label in (*recipes, "nearest", "linear"):
        assert table["figures"][label]["spectral_distance_db"]["mean"] > 0
    assert len(table["stretches"]) == 2
    rows = ComparisonResult(tmp_path / "out", table).rows()
    assert [row["system"] for row in rows] == list(table["figures"])
    assert rows[0]["kind"] == "brain"
    expected = table["figures"]["waveform"]["spectral_distance_db"]["mean"]
    assert rows[0]["spectral_distance_db"] == expected


def test_segments_of_a_film_share_what_grows_with_it(folder):
    library = Library.open(folder / "library")
    first, second = Comparison(plan_of(library, folder / "out"), "cpu").segments[:2]
    assert first.film is not second.film
    parts = list(split_into_segments([first.film], Clock(Fraction(10), RATE)))
    assert parts[0].frame_indices.base is first.film.frame_indices(first.clock)
    assert parts[0].reference is not parts[0].reference


def test_a_folder_of_an_earlier_version_is_completed(folder, tmp_path, table):
    """One whose recipes had other descriptions, and which did not know The vOICe."""
    shutil.copytree(folder, tmp_path / "folder")
    path = tmp_path / "folder/out/brains/waveform-0.safetensors"
    brain = load_brain(path)
    brain.recipe = msgspec.structs.replace(brain.recipe, about="Another description.")
    save_brain(brain, path)
    missing = list(tmp_path.glob("folder/out/figures/*/The-vOICe.json"))
    assert missing
    for record in missing:
        record.unlink()
    linear = [record.with_name("linear.json") for record in missing]
    times = [record.stat().st_mtime_ns for record in linear]
    assert run(tmp_path / "folder")["figures"] == table["figures"]
    assert [record.stat().st_mtime_ns for record in linear] == times


def test_baselines_have_the_keys_of_version_0_1(folder):
    plan = plan_of(Library.open(folder / "library"), folder / "out")
    systems = {system.name: system for system in build_systems(plan, "cpu")}
    kind, name, recipe, films, mode = systems["linear"].cache_key
    assert (kind, name, mode) == ("baseline", "linear", "overlap-add")
    assert films == plan.training_films()
    assert {"glance", "hidden"} <= set(recipe["network"])
    assert "brightness_branch" not in recipe["network"]
    assert "double_exposure" in recipe["training"]


def test_a_brain_of_another_recipe_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "folder")
    brains = tmp_path / "folder/out/brains"
    for there, wrong, what in (
        ("waveform-0", "waveform-1", "seed"),
        ("waveform-0", "waveform-network.hidden-32-0", "recipe"),
    ):
        shutil.copy(folder / f"out/brains/{wrong}.safetensors", brains / f"{there}.safetensors")
        with pytest.raises(ComparisonError, match=f"made with another {what}; give another `out`"):
            run(tmp_path / "folder")


@pytest.fixture
def copied(add_film, tmp_path):
    """A small comparison by film, which learns a film of which its library has a copy."""
    library = Library.create(tmp_path / "library", RATE)
    for name, seed in (("a", 0), ("a-copy", 0), ("b", 1), ("c", 2)):
        add_film(library, name, 8, fps=10, seed=seed, **lit_tones(8, seed=seed))
    plan = plan_of(library, tmp_path / "out", TWO[:1], seeds=1, kind="films")
    assert {"a", "a-copy"} <= {film.name for film in plan.split.training.films()}
    plan.claim_folder()
    return plan


def test_a_brain_that_learned_one_of_two_copies_is_kept(copied):
    Comparison(copied, "cpu").run()
    path = copied.brain_path(*copied.variants, 0)
    assert load_brain(path).provenance["left_out_copies"]
    before = path.stat().st_mtime_ns
    Comparison(copied, "cpu").run()
    assert path.stat().st_mtime_ns == before


def test_a_checkpoint_of_other_films_says_what_to_do(copied):
    interrupt = Interrupt(f"{copied.variants[0].label}, seed 0", 2)
    with pytest.raises(KeyboardInterrupt):
        Comparison(copied, "cpu", interrupt).run()
    path = copied.split.training.path / "a" / "film.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"digest": "other"}))
    match = (
        r"film a was a-0, is other\); delete it to train this brain anew, or start again with `o"
    )
    with pytest.raises(ComparisonError, match=match):
        Comparison(copied, "cpu").run()


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


def test_each_target_has_its_baselines(folder):
    library = Library.open(folder / "library")
    plan = plan_of(library, folder / "targets", ["waveform", "stft-mag", TWO[1]], seeds=1)
    (folder / "targets" / "brains").mkdir(parents=True)
    for entry in plan.variants:
        plan.brain_path(entry, 0).touch()
    groups = [each.group for each in build_systems(plan, "cpu") if each.kind == "baseline"]
    assert groups == [f"{name}, as {recipe}" for recipe in ("waveform", "stft-mag")
                     for name in ("mean", "linear", "nearest", "The vOICe")]  # fmt: skip


def test_systems_are_compared_at_the_loudness_at_which_they_learned(folder):
    library = Library.open(folder / "library")
    recipes = ["waveform", "waveform training.loudness=film"]
    plan = plan_of(library, folder / "loudness", recipes, seeds=1)
    (folder / "loudness" / "brains").mkdir(parents=True)
    for entry in plan.variants:
        plan.brain_path(entry, 0).touch()
    systems = {system.group: system for system in build_systems(plan, "cpu")}
    loudness = {group: system.loudness for group, system in systems.items()}
    assert {loudness[group] for group in ("waveform", "mean, as waveform", ORIGINAL)} == {"equal"}
    assert loudness[recipes[1]] == "film"
    segment = Comparison(plan, "cpu").segments[0]
    assert abs(segment.film.gain_db) > 3
    for suffix in ("waveform", "waveform-training.loudness-film"):
        system = systems[f"nearest, as {suffix}"]
        ours, other = (
            measure_segment(system.render(segment), segment.at_loudness(judged))
            for judged in (system.loudness, "film" if system.loudness == "equal" else "equal")
        )
        assert abs(ours.measures["loudness_lufs"] - level(segment.at_loudness(system.loudness))) < 2
        assert ours.measures["spectral_distance_db"] < other.measures["spectral_distance_db"]


def level(segment):
    """Loudness of the film's sound in a segment."""
    return measure_segment(segment.reference, segment).measures["loudness_lufs"]
