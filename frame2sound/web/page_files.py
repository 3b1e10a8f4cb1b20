"""The files of the studio's page: its own, and those that it shares with the report page."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response

_OWN = Path(__file__).resolve().parent / "static"
_SHARED = Path(__file__).resolve().parent.parent / "studio" / "report_page"
_SHARED_FILES = frozenset({"dom.js", "chance.js", "synced_player.js", "page.css"})
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


def page_file(name: str) -> Response:
    """Return a file of the page; raise `HTTPException` if there is none of this name."""
    folder = _SHARED if name in _SHARED_FILES else _OWN
    names = {path.name for path in folder.iterdir() if path.suffix in _TYPES}
    if name not in names:
        raise HTTPException(404)
    path = folder / name
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])
