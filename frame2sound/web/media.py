"""Send files of the project: only what a browser plays, or as a download."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse

from frame2sound.errors import StudioError
from frame2sound.web.project import Project

MEDIA_TYPES = {
    ".aac": "audio/aac",
    ".avi": "video/x-msvideo",
    ".csv": "text/csv; charset=utf-8",
    ".flac": "audio/flac",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/mp4",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
}
"""Media types by suffix; anything else, such as a page, is downloaded and never shown."""


def send_file(project: Project, name: str, *, download: bool = False) -> FileResponse:
    """Return the response with a file of the project; see `Project.resolve` for errors."""
    path = project.file(name)
    kind = MEDIA_TYPES.get(path.suffix.lower())
    shown_as = "inline" if kind and not download else "attachment"
    return FileResponse(
        path,
        media_type=kind or "application/octet-stream",
        filename=download_name(path),
        content_disposition_type=shown_as,
        headers={"Cache-Control": "private, no-cache"},
    )


def send_drawing(project: Project, name: str) -> FileResponse:
    """Return the response with an SVG, which pages show as a picture; by itself it is downloaded.

    An SVG may be a page with scripts: as a picture it runs none.
    """
    path = project.file(name)
    if path.suffix.lower() != ".svg":
        raise StudioError(f"got {name[:200]!r}, expected an .svg; reload the page")
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return FileResponse(
        path, media_type="image/svg+xml", filename=download_name(path), headers=headers
    )


def download_name(path: Path) -> str:
    """Return a file's name, with bytes that are no text replaced."""
    return path.name.encode("utf-8", "replace").decode("utf-8")
