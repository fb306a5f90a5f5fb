"""The server: the page's files, and one WebSocket for each page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import get_args

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from stimbench.errors import BenchError, InputError, StimbenchError
from stimbench.project import web_vendor_path
from stimbench.web.hub import Hub
from stimbench.web.page import Page, TooSlowError
from stimbench.web.saved_page import saved_page
from stimbench.web.saving import Format, write
from stimbench.web.security import Door, Guard
from stimbench.web.wire import LONGEST_MESSAGE, MalformedError, parse

__all__ = ("STATIC", "application")

STATIC = Path(__file__).parent / "static"
_FRAME_S = 1 / 65
"""No page gets more frames a second than its screen shows."""
_INVALID, _POLICY, _TOO_BIG, _TRY_LATER = 1007, 1008, 1009, 1013


def application(door: Door, hub_of: Callable[[], Hub]) -> Guard:
    """The whole application, guarded.

    Args:
        door: who is let in.
        hub_of: makes the hub within the loop, when the server begins.
    """
    held: list[Hub] = []

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        hub = hub_of()
        held.append(hub)
        await hub.open()
        try:
            yield
        finally:
            await hub.close()

    async def socket(websocket: WebSocket) -> None:
        await _serve_page(websocket, held[0])

    async def save(request: Request) -> Response:
        return await _save(request, held[0])

    async def save_run(_request: Request) -> Response:
        return await _save_run(held[0])

    routes = [
        Route("/", _index),
        Route("/save.{kind:str}", save),
        Route("/run.html", save_run),
        WebSocketRoute("/ws", socket),
        Mount("/vendor", StaticFiles(directory=web_vendor_path(), check_dir=False)),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), door)


async def _index(_request: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _save(request: Request, hub: Hub) -> Response:
    """A span of the record as a file."""
    kind, asked = request.path_params["kind"], request.query_params
    if kind not in get_args(Format):
        return PlainTextResponse("", 404)
    try:
        span = [int(asked[name]) for name in ("from", "to")]
        if any(not 0 <= one < 1 << 60 for one in span):
            raise ValueError
        capture = await hub.capture(*span)
    except (KeyError, ValueError):
        return PlainTextResponse("A span needs from and to, in ns.", 400)
    except InputError as error:
        return PlainTextResponse(str(error), 400)
    path = await asyncio.to_thread(write, capture, kind)
    name = f"stimbench-{span[0]}-{span[1]}.{kind}"
    return FileResponse(path, filename=name, background=BackgroundTask(path.unlink))


async def _save_run(hub: Hub) -> Response:
    """The present run as a page that plays without a server."""
    try:
        saved = hub.saved()
    except InputError as error:
        return PlainTextResponse(str(error), 400)
    try:
        page = await asyncio.to_thread(saved_page, saved)
    except (BenchError, StimbenchError) as error:
        return PlainTextResponse(str(error), 500)
    name = f"stimbench-run-{saved.about['config']['seed']}-{saved.about['end_ns'] // 1_000_000_000}s.html"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(page, media_type="text/html", headers=headers)


async def _serve_page(websocket: WebSocket, hub: Hub) -> None:
    await websocket.accept()
    page = hub.came()
    sender = asyncio.create_task(_send(websocket, page, hub))
    code = 1000
    try:
        code = await _receive(websocket, page, hub)
    except TooSlowError:
        code = _TRY_LATER
    finally:
        hub.went(page)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender
        if websocket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await websocket.close(code)


async def _receive(websocket: WebSocket, page: Page, hub: Hub) -> int:
    """Take the page's messages until it goes, or sends what no page of ours does; the code to close with."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return 1000
        text = message.get("text")
        try:
            if text is None:
                raise MalformedError("a page sends text")
            parsed = parse(text)
        except MalformedError:
            hub.malformed += 1
            return _INVALID if text is not None and len(text) <= LONGEST_MESSAGE else _POLICY
        await hub.on_page(page, parsed)


async def _send(websocket: WebSocket, page: Page, hub: Hub) -> None:
    """Send the page what there is to send, at most once in a frame's time."""
    clock_s = asyncio.get_running_loop().time
    next_s = clock_s()
    while True:
        await page.wake.wait()
        await asyncio.sleep(next_s - clock_s())  # not at all if that is over
        next_s = clock_s() + _FRAME_S
        page.wake.clear()
        for text in page.texts():
            await websocket.send_text(text)
        for frame in page.frames(hub.record):
            await websocket.send_bytes(frame)
