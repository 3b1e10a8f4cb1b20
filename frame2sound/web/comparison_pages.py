"""The report page of a comparison, as the studio shows it."""

from __future__ import annotations

import base64
import hashlib
import re

from starlette.responses import HTMLResponse, Response

from frame2sound.errors import StudioError
from frame2sound.studio.comparison_page import report_html
from frame2sound.untrusted import read_json
from frame2sound.web.project import COMPARISONS, Project

MAX_RESULTS_BYTES = 1 << 26
"""Of ``results.json``: a day of held-out film with twenty systems has about half."""

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def comparison_page(project: Project, name: str) -> Response:
    """Return the report of a comparison, made anew from its results.

    A page that lies in the folder is not sent: it may have come with the folder, from a stranger.

    Raises
    ------
    StudioError
        There is no such comparison, or its results cannot be read.
    """
    path = project.file(f"{COMPARISONS}/{name}/results.json")
    try:
        page = report_html(read_json(path, MAX_RESULTS_BYTES))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StudioError(
            f"{path.name} of {name[:100]} cannot be read as a comparison; run it again"
        ) from error
    return HTMLResponse(page, headers={"Content-Security-Policy": _policy(page)})


def _policy(page: str) -> str:
    """Return a policy that allows the page's own script alone."""
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _SCRIPT.findall(page)
    )
    scripts = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "img-src 'self' data:; media-src 'self'; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'"
    )
