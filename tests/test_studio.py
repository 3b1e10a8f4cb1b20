"""The demo, shortened."""

from __future__ import annotations

from pathlib import Path

import av

from frame2sound.studio import run_demo


def test_demo_goes_the_whole_way_twice(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        said.clear()
        run_demo(
            tmp_path / "demo",
            "typing",
            0,
            said.append,
            lambda *shown: None,
            learned_seconds=8,
            unseen_seconds=3,
            settings=("training.epochs=2", "network.hidden=[16]"),
        )
    for recipe in ("shallow", "deep"):
        for mode in ("overlap-add", "granular"):
            assert (tmp_path / "demo" / "pictures" / f"{recipe}-{mode}.png").stat().st_size > 10_000
            with av.open(str(tmp_path / "demo" / f"unseen-{recipe}-{mode}.mp4")) as film:
                sound = film.streams.audio[0]
                assert sound.duration * sound.time_base == 3
    table = "\n".join(said)
    assert "its own sound                 1.00" in table
    assert "silence                       0.00" in table
    assert "chance" in table
