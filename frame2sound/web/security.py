"""Who may use a page: one browser, on this computer, that has opened the printed address."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; frame-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from another server, no script but the studio's own files, and no frame around it."""

REQUEST_HEADER = "X-Frame2Sound"
"""A header that no form or image of another page can send; the page adds it to what changes."""

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ENTER = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>frame2sound</title>'
    '<link rel="icon" href="data:,">'
    '<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Open the page</a></p></html>'
)


@dataclass
class Access:
    """The token in the printed address, which is spent when it is used, and the session it opens.

    Attributes
    ----------
    port : int
    on_spent : callable
        Is called with a new address when somebody who knows the spent token asks again.
    command : str
        The command that serves the page, as refusals name it.
    """

    port: int
    on_spent: Callable[[str], None] = lambda address: None
    command: str = "frame2sound studio"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    spent_token: str = ""

    @property
    def address(self) -> str:
        """The address to open, with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The cookie's name: browsers share cookies between the ports of a host."""
        return f"frame2sound-{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts by which a browser may ask; another name leads here by DNS rebinding."""
        return frozenset(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost"))

    @property
    def origins(self) -> frozenset[str]:
        """The origins of the served page."""
        return frozenset(f"http://{host}" for host in self.hosts)

    def spend(self, token: str) -> bool:
        """Return whether a token is the one in the address; it is not valid a second time."""
        given = token.encode()
        if compare_digest(given, self.token.encode()):
            self.spent_token, self.token = self.token, secrets.token_urlsafe(24)
            return True
        if self.spent_token and compare_digest(given, self.spent_token.encode()):
            self.on_spent(self.address)
        return False

    def knows(self, headers: Headers) -> bool:
        """Return whether a request has the cookie of the session, beside cookies of any form."""
        given = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        return compare_digest(given.encode(), self.session.encode())


class Guard:
    """Lets only requests through that the served page makes, and sets the safe headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        refusal = self._refusal(request)
        answer = self.app if refusal is None else refusal
        await answer(scope, receive, _with_headers(send))

    def _refusal(self, request: Request) -> Response | None:
        headers, access = request.headers, self.access
        if headers.get("host", "").lower() not in access.hosts:
            return self._refuse("this page answers to 127.0.0.1 and localhost only", 421)
        origin = headers.get("origin")
        if origin is not None and origin not in access.origins:
            return self._refuse("another page may not use this one")
        if request.url.path == "/" and "token" in request.query_params:
            return self._enter(request)
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return self._refuse("another page may not use this one")
        if not access.knows(headers):
            return self._refuse(f"open the address that `{access.command}` has printed")
        is_change = request.method not in ("GET", "HEAD")
        if is_change and (origin is None or headers.get(REQUEST_HEADER) != "1"):
            return self._refuse("only its own page may change something")
        return None

    def _enter(self, request: Request) -> Response:
        if not self.access.spend(request.query_params["token"]):
            if self.access.knows(request.headers):
                return HTMLResponse(_ENTER)
            return self._refuse("this address was used, or is wrong; a new one is in the terminal")
        response = HTMLResponse(_ENTER)
        response.set_cookie(
            self.access.cookie, self.access.session, httponly=True, samesite="strict", path="/"
        )
        return response

    def _refuse(self, reason: str, status: int = 403) -> Response:
        return PlainTextResponse(f"{self.access.command}: {reason}\n", status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        await send(message)

    return sending
