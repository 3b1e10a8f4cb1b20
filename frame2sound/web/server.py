"""Serve a studio on this computer alone."""

from __future__ import annotations

import errno
import os
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.errors import StudioError, error_reason
from frame2sound.extras import require_extra
from frame2sound.locks import exclusive_lock

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from frame2sound.web.project import Project

DEFAULT_PORT = 8321
"""The first port that is tried if none is given; if it is in use, any other is taken."""

HOST = "127.0.0.1"


def open_studio(
    folder: str | os.PathLike[str] = ".",
    *,
    port: int | None = None,
    browser: bool = True,
    on_ready: Callable[[str], None] = print,
) -> None:
    """Serve the studio of a project folder, on this computer alone, until Ctrl-C.

    Parameters
    ----------
    folder : str or path
        The project's folder; it is made if it is missing. Nothing outside is read or written.
    port : int, optional
        By default 8321, or another if that is in use.
    browser : bool
        Open the page in the browser.
    on_ready : callable
        Takes the page's address, which opens it once; later, each new one.

    Raises
    ------
    MissingPackageError
        The extra ``studio`` is not installed.
    StudioError
        The port is in use, another studio has the folder open, or it cannot be written.
    """
    for module in ("starlette", "uvicorn"):
        require_extra(module, "studio", "the studio")
    from frame2sound.web.project import Project

    project = Project.create(Path(folder))
    lock, holder = project.state / "lock", project.state / "holder.json"
    message = f"another studio has {folder} open ({{holder}}); close it, or open another folder"
    with (
        exclusive_lock(project.root, lock, holder, StudioError, message),
        bind_loopback(port) as listener,
    ):
        _serve(project, listener, browser, on_ready)


def _serve(
    project: Project, listener: socket.socket, browser: bool, on_ready: Callable[[str], None]
) -> None:
    import uvicorn

    from frame2sound.web.routes import build_app
    from frame2sound.web.security import Access
    from frame2sound.web.studio import Studio

    studio = Studio(project)
    access = Access(listener.getsockname()[1], on_ready)
    config = server_config(build_app(studio, access))
    studio.queue.start()
    on_ready(access.address)
    if browser:
        webbrowser.open(access.address)
    try:
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        studio.queue.close()


def server_config(app: ASGIApp) -> uvicorn.Config:
    """Return how a page is served: without logs, and closed within a second or so."""
    import uvicorn

    return uvicorn.Config(
        app,
        access_log=False,
        lifespan="off",
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=1,
        ws="none",
    )


@contextmanager
def bind_loopback(port: int | None) -> Iterator[socket.socket]:
    """Yield a socket on the port, or on the first that is free if none is given.

    Raises
    ------
    StudioError
        The port is in use, or not one.
    """
    ports = (DEFAULT_PORT, 0) if port is None else (port,)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for number in ports:
            try:
                listener.bind((HOST, number))
                listener.listen(128)
                break
            except OverflowError as error:
                raise StudioError(f"got `port={port}`, expected 1 to 65535") from error
            except OSError as failure:
                if failure.errno == errno.EADDRINUSE and number != ports[-1]:
                    continue
                is_used = failure.errno == errno.EADDRINUSE
                reason = "is in use" if is_used else f"cannot be used ({error_reason(failure)})"
                raise StudioError(
                    f"port {number} {reason}; give another `port`, or none for one that is free"
                ) from failure
        yield listener
