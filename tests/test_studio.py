"""The demo, shortened."""

from __future__ import annotations

import re
from pathlib import Path

import av

from frame2sound.studio import run_demo


def test_the_demo_writes_films_and_plots_and_can_be_repeated(tmp_path: Path) -> None:
    messages: list[str] = []
    for _ in range(2):
        messages.clear()
        run_demo(
            tmp_path / "demo",
            "typing",
            0,
            messages.append,
            lambda *shown: None,
            learned_seconds=5,
            unseen_seconds=2,
            settings=("training.epochs=2", "network.hidden=[16]"),
        )
    for name in ("shallow-overlap-add", "deep-overlap-add", "deep-granular", "deep-mosaic"):
        assert (tmp_path / "demo" / "pictures" / f"{name}.png").stat().st_size > 10_000
        with av.open(str(tmp_path / "demo" / f"unseen-{name}.mp4")) as film:
            sound = film.streams.audio[0]
            assert sound.duration * sound.time_base == 2
    table = "\n".join(messages)
    assert re.search(r"its own sound +1\.00 ", table)
    assert re.search(r"silence +0\.00 ", table)
    assert re.search(r"shuffled seconds +0\.\d\d ", table)
    assert "(chance)" in table
