from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.pretrained import DEFAULT_BRAIN, find_brain, pretrained_brains
from frame2sound.errors import BrainError
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.small_frames import GREY_WEIGHTS

FEW_MEGABYTES = 14e6
HEARD_DB, FRAMES = -20.0, 120
BACKGROUNDS = {"as it is": (0, 1.0), "ink on paper": (255, -1.0), "grey": (100, 0.6)}


def test_the_default_brain_exists_and_all_brains_are_small():
    assert DEFAULT_BRAIN in pretrained_brains()
    assert sum(path.stat().st_size for path in pretrained_brains().values()) < FEW_MEGABYTES


@pytest.mark.parametrize("name", sorted(pretrained_brains()))
def test_a_pretrained_brain_predicts_and_has_a_card(name):
    path = pretrained_brains()[name]
    brain = load_brain(path)
    assert brain.provenance["best_epoch"] > 0
    frames = np.random.default_rng(0).integers(0, 256, (20, 64, 64), np.uint8)
    assert np.isfinite(brain.predict(frames)).all()
    assert brain.predict(np.zeros((90, 64, 64), np.uint8))[-1].max() < 1e-3  # -60 dB
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    for word in (name, brain.recipe.name, "Licence: MIT", "Films:"):
        assert word in card


@cache
def drawn(name):
    """The grey pictures of a film, each 64 x 64."""
    scene = load_scene(name, seconds=FRAMES / 30, seed=5)
    frames = [scene.draw(frame) @ np.array(GREY_WEIGHTS) for frame in range(FRAMES)]
    return np.stack([cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA) for frame in frames])


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("name", ["bounce", "lines", "scratch"])
def test_the_default_brain_is_audible_on_any_background(name, background):
    """Animations have dark or light backgrounds; an unseen film is audible on both."""
    least, share = BACKGROUNDS[background]
    pictures = (least + share * drawn(name)).round().astype(np.uint8)
    magnitude = load_brain(pretrained_brains()[DEFAULT_BRAIN]).predict(pictures)
    level = 20 * np.log10(np.linalg.norm(magnitude, axis=2).max())
    assert HEARD_DB < level < 0


def test_an_existing_file_takes_precedence_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_brain(Path(DEFAULT_BRAIN)) == pretrained_brains()[DEFAULT_BRAIN]
    (tmp_path / DEFAULT_BRAIN).write_bytes(b"")
    assert find_brain(Path(DEFAULT_BRAIN)) == Path(DEFAULT_BRAIN)
    with pytest.raises(BrainError, match=r"no brain .sketchbok.; .*the nearest are: sketchbook"):
        find_brain(Path("sketchbok"))
