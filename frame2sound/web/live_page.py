"""A page that shows a drawing while it is made, served on this computer alone."""

from __future__ import annotations

import asyncio
import json
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from frame2sound.web.media import MEDIA_TYPES
from frame2sound.web.page_files import page_file
from frame2sound.web.security import Access, Guard
from frame2sound.web.server import bind_loopback, server_config

COMMAND = "frame2sound synaesthesia live"

PLAYED = {
    suffix: kind for suffix, kind in MEDIA_TYPES.items() if kind.startswith(("audio/", "video/"))
} | {".mp3": "audio/mpeg", ".opus": "audio/ogg"}
"""Kinds of files whose sound browsers play, and their media types."""

PING_SECONDS = 5.0
"""A page that gets no drawing gets a sign that it is still connected, so often."""


class LivePage:
    """Sends each drawing to every open page; one that is too slow gets the latest.

    Parameters
    ----------
    access : Access
    name : str
        What is drawn.
    sound : Path, optional
        A sound file or a film whose sound the page can play.
    """

    def __init__(self, access: Access, name: str, sound: Path | None = None) -> None:
        is_played = sound is not None and sound.suffix.lower() in PLAYED
        self._sound = sound if is_played else None
        self._about = _event("about", json.dumps({"name": name, "sound": is_played}))
        self._latest, self._number, self._is_over = "", 0, False
        self._viewers: set[_Viewer] = set()
        self._lock, self._opened = threading.Lock(), threading.Event()
        routes = [
            Route("/", self._page),
            Route("/page/{name:path}", self._page_file),
            Route("/drawing", self._drawing),
            Route("/sound", self._send_sound),
        ]
        self.access = access
        self.app = Starlette(routes=routes, middleware=[Middleware(Guard, access=access)])

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return len(self._viewers)

    def show(self, middle_seconds: float, strokes: list[tuple[str, str, str]]) -> None:
        """Send a drawing to the open pages.

        Parameters
        ----------
        middle_seconds : float
            Where in the sound the middle of what is drawn is.
        strokes : list of (str, str, str)
            Path, width and colour of each; see `stroke_paths`.
        """
        self._latest = _event("drawing", json.dumps({"at": middle_seconds, "strokes": strokes}))
        self._number += 1
        self._wake()

    def close(self) -> None:
        """Tell the open pages that nothing more comes."""
        self._is_over = True
        self._wake()

    def wait_for_viewer(self) -> None:
        """Wait until a page is open."""
        while not self._opened.wait(0.2):  # Ctrl-C is noticed in between
            pass

    def _wake(self) -> None:
        with self._lock:
            for viewer in self._viewers:
                viewer.wake()

    async def _page(self, request: Request) -> Response:
        return await run_in_threadpool(page_file, "live_drawing.html")

    async def _page_file(self, request: Request) -> Response:
        return await run_in_threadpool(page_file, request.path_params["name"])

    async def _send_sound(self, request: Request) -> Response:
        if self._sound is None:
            raise HTTPException(404)
        return FileResponse(self._sound, media_type=PLAYED[self._sound.suffix.lower()])

    async def _drawing(self, request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        """Yield server-sent events (WHATWG HTML, section 9.2): drawings, and at last the end."""
        viewer, sent = _Viewer(), 0
        with self._lock:
            self._viewers.add(viewer)
        self._opened.set()
        try:
            yield self._about
            while not self._is_over or sent < self._number:
                if sent < self._number:
                    sent = self._number
                    yield self._latest
                elif not await viewer.is_woken(PING_SECONDS):
                    yield ":\n\n"
            yield _event("end", "{}")
        finally:
            with self._lock:
                self._viewers.discard(viewer)


class _Viewer:
    """An open page, which waits in the server's thread and is woken from another."""

    def __init__(self) -> None:
        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()

    def wake(self) -> None:
        self._loop.call_soon_threadsafe(self._woken.set)

    async def is_woken(self, seconds: float) -> bool:
        """Return whether it is woken within a time."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return False
        self._woken.clear()
        return True


@contextmanager
def open_live_page(
    name: str,
    sound: Path | None = None,
    *,
    port: int | None = None,
    browser: bool = True,
    on_ready: Callable[[str], None] = print,
) -> Iterator[LivePage]:
    """Serve a page, in a thread of its own, within this block.

    Parameters
    ----------
    name, sound
        See `LivePage`.
    port, browser, on_ready
        See `frame2sound.web.server.open_studio`.

    Raises
    ------
    StudioError
        The port is in use.
    """
    with bind_loopback(port) as listener:
        access = Access(listener.getsockname()[1], on_ready, COMMAND)
        page = LivePage(access, name, sound)
        server = uvicorn.Server(server_config(page.app))
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="page", daemon=True
        )
        thread.start()
        on_ready(access.address)
        if browser:
            webbrowser.open(access.address)
        try:
            yield page
        finally:
            page.close()
            server.should_exit = True
            thread.join()


def _event(kind: str, data: str) -> str:
    return f"event: {kind}\ndata: {data}\n\n"
