"""The demo, shortened."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from frame2sound.studio import run_demo
from frame2sound.studio.steps import demo_scene, draw_film, load_unseen

PLOTS = ("shallow-overlap-add", "deep-overlap-add", "deep-granular", "deep-mosaic")


def short_demo(folder: Path, on_message: Callable[[str], None]) -> None:
    run_demo(
        folder,
        "typing",
        0,
        on_message,
        lambda *shown: None,
        learned_seconds=5,
        unseen_seconds=2,
        settings=("training.epochs=2", "network.hidden=[16]", "input.count=24"),
    )


def stop_before_plots(message: str) -> None:
    if message.startswith("4  plotting"):
        raise KeyboardInterrupt


def test_the_demo_writes_films_and_plots_and_can_be_repeated(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        short_demo(tmp_path / "demo", stop_before_plots)
    for name in PLOTS:
        assert (tmp_path / "demo" / f"unseen-{name}.mp4").exists()
        (tmp_path / "demo" / "pictures" / f"{name}.png").write_text("of an earlier demo")
    messages: list[str] = []
    short_demo(tmp_path / "demo", messages.append)
    for name in PLOTS:
        assert (tmp_path / "demo" / "pictures" / f"{name}.png").stat().st_size > 10_000
        with av.open(str(tmp_path / "demo" / f"unseen-{name}.mp4")) as film:
            sound = film.streams.audio[0]
            assert sound.duration * sound.time_base == 2
    table = "\n".join(messages)
    assert re.search(r"its own sound +1\.00 ", table)
    assert re.search(r"silence +0\.00 ", table)
    assert re.search(r"shuffled seconds +0\.\d\d ", table)
    assert "(chance)" in table


def test_an_unseen_animation_is_as_loud_as_brains_that_learned_all_films_equal(tmp_path):
    scene = demo_scene("typing", 4, 1, (64, 64))
    draw_film(scene, tmp_path / "unseen.mp4", False, lambda *progress: None)
    unseen = load_unseen(scene, tmp_path / "unseen.mp4")
    equal = unseen.at_loudness("equal")
    assert abs(unseen.measure(unseen.samples).loudness_lufs + 23) > 0.1
    assert equal.measure(equal.samples).loudness_lufs == pytest.approx(-23, abs=0.02)
    assert equal.measure(equal.samples).spectral_distance_db == 0
    for animation in (unseen, equal, unseen.at_loudness("film")):
        assert animation.measure(animation.samples).level_error_db < 0.5
