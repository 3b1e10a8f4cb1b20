"""A browser as the server sees it: requests in, answers out, without a network."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from frame2sound.web.security import Access


@dataclass
class Answer:
    """What the server sent."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def table(self) -> Any:
        return json.loads(self.content)


class Browser:
    """Asks an ASGI application; keeps its cookie, and sends what the page's scripts send."""

    def __init__(self, app: Any, access: Access) -> None:
        self.app, self.access, self.cookie = app, access, ""

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers)

    def post(self, path: str, table: Any = None, content: bytes | None = None,
             **headers: str) -> Answer:  # fmt: skip
        own = {"origin": f"http://127.0.0.1:{self.access.port}", "x_frame2sound": "1"}
        body = json.dumps(table).encode() if content is None else content
        return self.ask("POST", path, {**own, **headers}, body)

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send a request; underscores in names of headers are hyphens, and "" sends none."""
        sent = {"host": f"127.0.0.1:{self.access.port}", "cookie": self.cookie, **headers}
        url, received = urlsplit(path), []
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(url.path), "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "root_path": "", "server": ("127.0.0.1", self.access.port), "client": ("127.0.0.1", 1),
            "headers": [(name.replace("_", "-").encode(), value.encode("latin-1"))
                        for name, value in sent.items() if value],
        }  # fmt: skip
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Any:
            for message in messages:
                return message
            return await asyncio.Event().wait()  # the browser stays

        async def send(message: Any) -> None:
            received.append(message)

        asyncio.run(self.app(scope, receive, send))
        own = {name.decode(): value.decode() for name, value in received[0]["headers"]}
        if "set-cookie" in own:
            self.cookie = own["set-cookie"].split(";")[0]
        content = b"".join(message.get("body", b"") for message in received[1:])
        return Answer(received[0]["status"], own, content)
