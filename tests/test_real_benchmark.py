"""The benchmark of real films learns from the beginning of a film, without anything of its end."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.corpus import build_corpus
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))

from real import cut_film  # noqa: E402

sys.path.remove(str(BENCHMARKS))

RATE = 22_050


def test_a_beginning_has_a_corpus_of_its_own_and_nothing_of_the_end(tmp_path):
    scene = load_scene("typing", seconds=6, seed=0, size=(64, 64))
    write_scene(scene, tmp_path / "film.mp4")
    film, _ = pickle_film(tmp_path / "film.mp4", Library.create(tmp_path / "whole", RATE))
    assert film.full_sound is not None
    beginnings = Library.create(tmp_path / "beginnings", RATE)
    cut = cut_film(film, 3.0, beginnings)
    assert cut.seconds == pytest.approx(3.0)
    np.testing.assert_array_equal(cut.sound, film.sound[: 3 * RATE])
    np.testing.assert_array_equal(cut.frames, film.frames[:90])
    corpus = build_corpus(beginnings, Clock(Fraction(30), RATE), "carry", [cut], "film")
    assert corpus is not None
    assert corpus.seconds == pytest.approx(3.0)
