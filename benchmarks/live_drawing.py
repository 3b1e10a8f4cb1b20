"""Measure live drawing: computing a drawing, and what reaches the page in Chromium.

    python benchmarks/live_drawing.py --seconds 20
    python benchmarks/live_drawing.py --pair pair.safetensors --screenshots FOLDER

It draws noises and tones with 1, 4 and 12 voices, in real time, shown in a page, and prints what
`synaesthesia live --report` counts beside the bar of 20 ms, how many drawings a second reach the
page, and by how much the last of a hundred comes later than the first. Networks that were not
trained take as long as others. Chromium is Debian's; without it the page's columns are empty.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.synaesthesia.untrained import write_pair, write_sound

BAR_MS = 20
COLUMNS = (
    "voices", "drawings", "skipped", "computing median", "p99", f"bar of {BAR_MS} ms",
    "processor median", "p99", "from the end of the second p99", "CPU", "in the page, a second",
    "page jitter p99",
)  # fmt: skip
COMPONENTS = 48

KEEP_TIMES = """
window.seen = [];
window.EventSource = class extends EventSource {
  constructor(...of) {
    super(...of);
    this.addEventListener("drawing", (event) =>
      window.seen.push([performance.now() / 1000, JSON.parse(event.data).at]));
  }
};
"""


def main() -> None:
    """Print a row for each number of voices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="how long each is played")
    parser.add_argument("--pair", type=Path, help="networks; by default some that did not train")
    parser.add_argument("--voices", type=int, nargs="+", default=[1, 4, 12])
    parser.add_argument("--fps", default="30")
    parser.add_argument("--screenshots", type=Path, help="show light and dark pages in this folder")
    arguments = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n|" + "--:|" * len(COLUMNS))
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        write_sound(folder / "sound.wav", arguments.seconds)
        pair = folder / "pair.safetensors"
        if arguments.pair is None:
            write_pair(pair, COMPONENTS)
        else:
            shutil.copy(arguments.pair, pair)
        for voices in arguments.voices:
            print(row(folder, voices, arguments, browser), flush=True)


def row(folder: Path, voices: int, arguments: argparse.Namespace, browser: Any) -> str:
    """Play the sound, and return what was counted as a row of a table; times are in ms."""
    words = ["sound.wav", "--pair", "pair.safetensors", "--voices", str(voices)]
    words += ["--fps", arguments.fps, "--report", "report.json", "--overwrite"]
    words += ["--offline"] if browser is None else ["--no-browser"]
    command = [sys.executable, "-m", "frame2sound", "synaesthesia", "live", *words]
    seen: list[list[float]] = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as playing:
        assert playing.stdout is not None
        if browser is not None:
            seen = watch(playing.stdout, browser, voices, arguments.screenshots)
        playing.stdout.read()
    report = json.loads((folder / "report.json").read_text())
    computing, processor = report["computing"], report["processor"]
    is_met = computing["p99_ms"] <= BAR_MS
    values = (
        voices, report["frames"], report["skipped_frames"],
        f"{computing['median_ms']:.1f}", f"{computing['p99_ms']:.1f}", "yes" if is_met else "no",
        f"{processor['median_ms']:.1f}", f"{processor['p99_ms']:.1f}",
        f"{report['drawing_delay']['p99_ms']:.1f}", f"{report['cpu_percent']:.0f} %",
        *arrivals(seen),
    )  # fmt: skip
    return "| " + " | ".join(map(str, values)) + " |"


def watch(lines: Any, browser: Any, voices: int, screenshots: Path | None) -> list[list[float]]:
    """Open the printed address; return when drawings came, and their places in the sound."""
    address = next(found[0] for line in lines if (found := re.search(r"http://\S+token=\S+", line)))
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    page = context.new_page()
    page.add_init_script(KEEP_TIMES)
    page.goto(address)
    page.locator("path").first.wait_for(state="attached")
    if screenshots is not None:
        take(page, screenshots, voices)
    page.get_by_text("the drawing has ended").wait_for(timeout=600_000)
    seen: list[list[float]] = page.evaluate("window.seen")
    context.close()
    return seen


def take(page: Any, folder: Path, voices: int) -> None:
    """Take screenshots at both widths, light and dark."""
    folder.mkdir(exist_ok=True)
    page.wait_for_timeout(3000)
    for width, height in ((1600, 900), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        for shade in ("light", "dark"):
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"{voices}-{width}-{shade}.png")
            page.keyboard.press("d")


def arrivals(seen: list[list[float]]) -> tuple[str, str]:
    """Return drawings a second, and how much later than the first in time some come, in ms."""
    if len(seen) < 2:
        return "", ""
    times, places = np.array(seen).T
    rate = (len(times) - 1) / (times[-1] - times[0])
    late = times - places
    return f"{rate:.1f}", f"{1000 * (np.quantile(late, 0.99) - late.min()):.1f}"


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser, or None where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


if __name__ == "__main__":
    main()
