"""A brain's card says who decides about events, levels and spectra; training says it before."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from frame2sound.api.brain_descriptions import describe_events
from frame2sound.api.brains import BrainCard
from frame2sound.brain.event_head import HeadSettings
from frame2sound.brain.recipe import load_recipe
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.coupling import Coupling
from tests.commanding import run

SETTINGS = HeadSettings(
    threshold=0.2,
    event_scale=1.0,
    hidden_units=0,
    events="motion",
    level="motion",
    spectrum="picture",
    onset_f=0.58,
    onset_chance=0.13,
    level_correlation=0.4,
    network_onset_f=0.08,
    network_level_correlation=-0.02,
    loud_level_db=-20.0,
)
ONSETS = "(held-out onsets: motion .58, the network .08, chance .13)"
LEVELS = "(held-out correlation: motion .40, the network -.02)"
MOTION, NETWORK = "the motion of the picture", "the network"


@pytest.mark.parametrize(
    ("events", "level", "spectrum", "said"),
    [
        ("motion", "motion", "picture", (MOTION, MOTION, NETWORK)),
        ("motion", "picture", "mean", (MOTION, MOTION, "the films' scenes")),
        ("picture", "motion", "mean", (NETWORK, MOTION, NETWORK)),
        ("picture", "picture", "picture", (NETWORK, NETWORK, NETWORK)),
    ],
)
def test_the_card_says_who_decides(events, level, spectrum, said) -> None:
    settings = msgspec.structs.replace(SETTINGS, events=events, level=level, spectrum=spectrum)
    assert describe_events(settings, load_recipe("deep")) == [
        f"events by {said[0]} {ONSETS}",
        f"levels by {said[1]} {LEVELS}; spectra by {said[2]}",
    ]


def test_the_card_says_that_the_recipe_decided() -> None:
    recipe = load_recipe("deep", ["events.decide=motion"])
    assert (
        describe_events(SETTINGS, recipe)[0] == f"events by {MOTION}, as the recipe says {ONSETS}"
    )


def test_the_card_says_why_a_network_with_a_better_score_does_not_decide() -> None:
    settings = msgspec.structs.replace(SETTINGS, network_onset_f=1.0)
    assert describe_events(settings, load_recipe("deep"))[0] == (
        f"events by {MOTION}, since too few onsets are held out to judge the network "
        "(held-out onsets: motion .58, the network 1.00, chance .13)"
    )


def test_the_card_says_that_a_network_that_knows_the_levels_keeps_the_events() -> None:
    settings = msgspec.structs.replace(SETTINGS, events="picture", network_level_correlation=0.95)
    assert describe_events(settings, load_recipe("deep"))[0] == (
        f"events by {NETWORK}, since it predicts the levels {ONSETS}"
    )


def test_a_brain_without_a_motion_head_says_nothing_of_it() -> None:
    card = BrainCard("brain", 1, load_recipe("lines"), {}, None)
    assert not [line for line in card.lines() if "events" in line]
    assert card.to_dict()["events"] is None


def test_training_says_before_and_after_how_far_sound_follows(tmp_path: Path) -> None:
    scene = load_scene("typing", seconds=10, seed=0, size=(64, 64))
    write_scene(scene, tmp_path / "film.mp4")
    assert run(tmp_path, "pickle", "film.mp4", "--library", "lib").returncode == 0
    settings = ["--set", "training.epochs=1", "--set", "network.hidden=[8]"]
    settings += ["--set", "input.count=24"]
    trained = run(tmp_path, "train", "lib", *settings, "--out", "brain.safetensors")
    assert trained.returncode == 0, trained.stderr
    first, second, *card = trained.stdout.splitlines()
    assert second.startswith("brain.safetensors  ")
    listed = run(tmp_path, "library", "lib").stdout.splitlines()[-1]
    assert listed == f"{first}, measured on 10 s"
    shown = run(tmp_path, "brains", "brain.safetensors").stdout.splitlines()
    assert [line for line in card if line.startswith(("  events by ", "  levels by "))] == [
        line for line in shown if line.startswith(("  events by ", "  levels by "))
    ]
    words = ["train", "lib", *settings, "--out", "brain.safetensors", "--overwrite", "--json"]
    table = json.loads(run(tmp_path, *words).stdout)
    scores = table["events"]
    (printed,) = json.loads(run(tmp_path, "brains", "brain.safetensors", "--json").stdout)
    assert printed["events"] == scores
    measured = Coupling(
        scores["onset_f"], scores["onset_chance"], scores["level_correlation"], 10.0, 1
    )
    assert measured.describe() == first


def test_training_without_a_motion_head_says_nothing_before(tmp_path: Path) -> None:
    write_scene(load_scene("typing", seconds=3, seed=0, size=(64, 64)), tmp_path / "film.mp4")
    run(tmp_path, "pickle", "film.mp4", "--library", "lib", "--no-calibration")
    words = [
        "--set",
        "events.head=none",
        "--set",
        "training.epochs=1",
        "--set",
        "network.hidden=[8]",
        "--set",
        "input.count=24",
    ]
    trained = run(tmp_path, "train", "lib", *words, "--out", "brain.safetensors")
    assert trained.stdout.startswith("brain.safetensors  ")
