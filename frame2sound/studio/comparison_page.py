"""The page of a comparison: one file that needs no server, and the media beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from frame2sound.atomic import atomic_write
from frame2sound.errors import ComparisonError

PAGE_FILE = "report.html"

_ASSETS = Path(__file__).resolve().parent / "report_page"
_SCRIPTS = ("drawing", "figures", "deck", "listening", "blind", "main")


def write_report(results: dict[str, Any], out: Path) -> None:
    """Write ``report.html``: figures, curves, players and a blind test, all in one file.

    Parameters
    ----------
    table : dict
        What ``results.json`` holds.
    out : Path
        The comparison's folder; the page finds pictures and sounds in its ``media``.

    Raises
    ------
    ComparisonError
        It cannot be written.
    """
    scripts = "\n".join(_read_asset(f"{name}.js") for name in _SCRIPTS)
    page = _read_asset("page.html")
    for mark, text in (
        ("STYLE", _read_asset("page.css")),
        ("SCRIPT", scripts),
        ("RESULTS", _page_data(results)),
    ):
        page = page.replace(f"/*{mark}*/", text)
    with atomic_write(out / PAGE_FILE, ComparisonError) as partial:
        partial.write_text(page, encoding="utf-8")


def _read_asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _page_data(table: dict[str, Any]) -> str:
    """Return what the page draws as JSON that cannot end its own element."""
    shown = {stretch["name"] for stretch in table["stretches"] if stretch["shown"]}
    tracks = [
        track | {"stretches": {n: f for n, f in track["stretches"].items() if n in shown}}
        for track in table["soundtracks"]
    ]
    text = json.dumps(table | {"soundtracks": tracks}, allow_nan=False)
    return text.replace("<", "\\u003c")
