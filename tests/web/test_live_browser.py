"""A live drawing in a real browser: shown, played, reloaded, in two tabs, and ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")

from frame2sound.web.live_page import open_live_page

KEEP_AUDIO = (
    "window.Audio = class extends Audio { constructor() { super(); window.played = this; } }"
)
LINE = "M10 10L200 20L100 240Z"


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it does not become true within 10 s")


def test_a_drawing_is_shown_until_it_ends(page: Any, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "<b>bells.wav", np.zeros(5 * 8000), 8000)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.add_init_script(KEEP_AUDIO)
    addresses: list[str] = []
    path = tmp_path / "<b>bells.wav"
    with open_live_page(path.name, path, browser=False, on_ready=addresses.append) as live:
        page.goto(addresses[0])
        page.get_by_text("<b>bells.wav: the drawing shows the last second").wait_for()
        live.wait_for_viewer()
        live.show(-0.5, [(LINE, "3.0000", "#204060"), (LINE, "1.0000", "#ffffff")])
        first = page.locator("path").first
        first.wait_for(state="attached")
        shown = [first.get_attribute(name) for name in ("d", "stroke-width", "stroke")]
        assert shown == [LINE, "3.0000", "#204060"]

        page.keyboard.press("d")
        assert page.locator("path").nth(1).get_attribute("stroke") == "rgb(0 0 0)"
        page.reload()
        page.locator("path").nth(1).wait_for(state="attached")
        assert first.get_attribute("stroke") == "rgb(159 191 223)"
        page.set_viewport_size({"width": 360, "height": 640})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide == 360

        page.keyboard.press("s")
        live.show(3.0, [(LINE, "3.0000", "#204060")])
        page.wait_for_function("played.currentTime >= 3 && played.currentTime < 4.9")
        assert page.locator("path").count() == 1

        other = page.context.new_page()
        other.goto(addresses[0].partition("?")[0])
        other.locator("path").first.wait_for(state="attached")
        until(lambda: live.viewers == 2)
        page.close()
        live.show(3.1, [])
        other.wait_for_function("!document.querySelector('path')")
    other.get_by_text("the drawing has ended").wait_for()
    until(lambda: live.viewers == 0)
    assert not wrong
