"""Who may speak to the server: a browser that was let in by the printed link, on a page of ours.

The link holds a token that is good for once. It is exchanged for a cookie, which no script can read and no
other site's page sends (SameSite=Strict), and leaves the address bar by a redirect. Every request must name
us as its Host, against names that an attacker's DNS makes point here; and every WebSocket, and every request
that brings an Origin, must come from a page of ours.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ("COOKIE", "ENTRY", "HEADERS", "Door", "Guard")

COOKIE = "stimbench"
ENTRY = "/enter"
_TOKEN_BYTES = 32
_MOST_TOKENS = 8
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Door:
    """The secrets of one server: tokens that wait to be used, and what the cookie must be."""

    def __init__(self, hosts: Iterable[str], cookie: str | None = None) -> None:
        """Make the secrets.

        Args:
            hosts: by what names, with the port, the server is reached: `127.0.0.1:8137`.
            cookie: what an earlier server of this user gave out, so that its pages come back in.
        """
        self.hosts = frozenset(one.lower() for one in hosts)
        self.cookie = cookie or secrets.token_urlsafe(_TOKEN_BYTES)
        self._tokens: list[str] = []

    def new_token(self) -> str:
        """A token that lets one browser in, once. The oldest of many is forgotten."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tokens = [*self._tokens[1 - _MOST_TOKENS :], token]
        return token

    def takes(self, token: str) -> bool:
        """Whether the token is one that waits to be used; it does no more."""
        found = [one for one in self._tokens if hmac.compare_digest(one.encode(), token.encode())]
        self._tokens = [one for one in self._tokens if one not in found]
        return bool(found)

    def knows(self, cookie: str) -> bool:
        """Whether it is the cookie that was given out."""
        return hmac.compare_digest(cookie.encode(), self.cookie.encode())


class Guard:
    """Lets a request pass to the application, or answers 403 and nothing else."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        """Stand before `app`."""
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._is_ours(headers, is_socket=scope["type"] == "websocket"):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == ENTRY:
            await self._enter(scope, receive, send)
        elif self._has_cookie(headers):
            await self._app(scope, receive, _with_headers(send))
        else:
            await _refuse(scope, receive, send)

    def _is_ours(self, headers: Headers, is_socket: bool) -> bool:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._door.hosts:
            return False
        if is_socket or origins:
            return origins == [f"http://{hosts[0]}"]
        return True

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            jar = SimpleCookie("; ".join(headers.getlist("cookie")))
        except CookieError:
            return False
        return COOKIE in jar and self._door.knows(jar[COOKIE].value)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = QueryParams(scope["query_string"]).get("token", "")
        if scope["method"] != "GET" or not self._door.takes(token):
            await _refuse(scope, receive, send)
            return
        response: Response = RedirectResponse("/", status_code=303, headers=HEADERS)
        response.set_cookie(COOKIE, self._door.cookie, path="/", httponly=True, samesite="strict")
        await response(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: HTTP 403
        return
    await Response(status_code=403, headers=HEADERS)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
