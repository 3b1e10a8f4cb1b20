"""The report page of a pair of networks, as the studio shows it."""

from __future__ import annotations

from starlette.responses import FileResponse

from frame2sound.web.project import PAIRS, Project

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; sandbox; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""The page has its pictures and sounds in it: it runs no script, and loads and sends nothing."""


def pair_page(project: Project, name: str) -> FileResponse:
    """Return the report of a pair; one that came from a stranger can do no more than be looked at.

    Raises
    ------
    StudioError
        There is no such report.
    """
    headers = {
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Opener-Policy": "unsafe-none",  # else browsers refuse a sandboxed page
    }
    return FileResponse(
        project.file(f"{PAIRS}/{name}.html"), media_type="text/html", headers=headers
    )
