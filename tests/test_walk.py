"""The walks of docs/explanation/walk.md pass the modules that they name, in a program that runs."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import frame2sound
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.film.encoding.muxer import mux
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.storage import parse_location

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "frame2sound"
WALK = (ROOT / "docs" / "explanation" / "walk.md").read_text(encoding="utf-8")
MODULE = re.compile(r"`([a-z_0-9]+(?:/[a-z_0-9]+)+\.py)`")
VERSION_0_1 = {"From a film to a gradient": 29, "From an animation to a sample": 36}
"""Modules on the same walks in version 0.1."""


def section(title: str) -> str:
    return WALK.split(f"## {title}\n")[1].split("\n## ")[0]


def modules_called(task: Callable[[], Any]) -> set[str]:
    """Return the modules of the package in which a function is called."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(f"{PACKAGE}/"):
            called.add(path.removeprefix(f"{PACKAGE}/"))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        task()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return called


@pytest.mark.parametrize("title", VERSION_0_1)
def test_a_walk_is_shorter_than_it_was(title: str) -> None:
    steps = [int(number) for number in re.findall(r"^(\d+)\. ", section(title), re.MULTILINE)]
    assert steps[0] == 1
    assert steps == sorted(steps)
    assert steps[-1] < VERSION_0_1[title]


def test_every_module_of_the_walks_is_called(tmp_path: Path) -> None:
    film, learned = tmp_path / "film.mp4", tmp_path / "library"
    write_scene(load_scene("typing", seconds=2, seed=0, size=(64, 64)), film)
    brain = tmp_path / "brain.safetensors"

    def to_gradient() -> None:
        library = frame2sound.Library.create(learned)
        library.add_films([film], calibration=False)
        # Again without the subprocess, whose calls the profiler does not see.
        options = PickleOptions(in_subprocess=False, background=1)
        pickle_film(parse_location(str(film)), library, options)
        settings = {"training.epochs": 1, "network.hidden": [8], "network.brightness_branch": 0}
        frame2sound.train(library, "shallow", settings, brain)

    def to_sample() -> None:
        frame2sound.render(film, brain=brain, out=tmp_path / "out.mp4", mode="overlap-add")

    passed = modules_called(to_gradient)
    expected = set(MODULE.findall(section("From a film to a gradient")))
    assert len(expected) == 26
    assert expected <= passed

    passed |= modules_called(to_sample)
    expected = set(MODULE.findall(section("From an animation to a sample").split("In granular")[0]))
    worker = ("muxer", "stream_copy", "audio_encoder")
    in_subprocess = {f"film/encoding/{name}.py" for name in worker}
    assert expected - passed == in_subprocess
    assert mux.__module__ == "frame2sound.film.encoding.muxer"
