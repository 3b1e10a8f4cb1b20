"""The page of a comparison: one HTML file that needs no server, and a folder of media."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from frame2sound.atomic import atomic_write
from frame2sound.errors import ComparisonError
from frame2sound.evaluation.measure_table import MAIN_MEASURES

PAGE_FILE = "report.html"

_ASSETS = Path(__file__).resolve().parent / "report_page"
_SCRIPTS = (
    "dom",
    "chance",
    "elements",
    "measures",
    "synced_player",
    "listening",
    "preferences",
    "blind_test",
    "main",
)


def write_report(results: dict[str, Any], out: Path) -> None:
    """Write ``report.html``: measures, learning curves, soundtracks and a blind test in one file.

    Parameters
    ----------
    results : dict
        The content of ``results.json``.
    out : Path
        Folder of the comparison; videos and sounds are in its subfolder ``media``.

    Raises
    ------
    ComparisonError
        The page cannot be written.
    """
    page = report_html(results)
    with atomic_write(out / PAGE_FILE, ComparisonError) as partial:
        partial.write_text(page, encoding="utf-8")


def report_html(results: dict[str, Any]) -> str:
    """Return the page; its media are beside it, in ``media``."""
    scripts = "\n".join(_read_script(f"{name}.js") for name in _SCRIPTS)
    page = _read_asset("page.html")
    for placeholder, text in (
        ("STYLE", _read_asset("page.css")),
        ("SCRIPT", scripts),
        ("RESULTS", _page_data(results)),
    ):
        page = page.replace(f"/*{placeholder}*/", text)
    return page


def _read_asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _read_script(name: str) -> str:
    """Return a script without the words that make it a module: the page joins all scripts."""
    return re.sub(r"^(export |import .*\n)", "", _read_asset(name), flags=re.MULTILINE)


def _page_data(results: dict[str, Any]) -> str:
    """Return the data of the page as JSON in which no HTML tag can begin."""
    shown = {segment["name"] for segment in results["stretches"] if segment["shown"]}
    tracks = [
        track | {"stretches": {n: v for n, v in track["stretches"].items() if n in shown}}
        for track in results["soundtracks"]
    ]
    data = results | {"main_measures": MAIN_MEASURES, "soundtracks": tracks}
    text = json.dumps(data, allow_nan=False)
    return text.replace("<", "\\u003c")
