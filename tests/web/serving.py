"""Serve a studio from a thread of this process, so that a test can change its jobs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from frame2sound.web.routes import build_app
from frame2sound.web.security import Access
from frame2sound.web.studio import Studio


@contextmanager
def serve_here(studio: Studio) -> Iterator[str]:
    """Yield the address to open; the studio's queue does not run."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as listener:
        access = Access(listener.getsockname()[1])
        config = uvicorn.Config(build_app(studio, access), lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield access.address
        server.should_exit = True
        thread.join()
