"""Who is let in: the token once, then the cookie, from a page of ours, by a name of ours. Others: nothing."""

import asyncio
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from stimbench.web.security import COOKIE, ENTRY, Door, Guard

HOST = "127.0.0.1:8137"
ORIGIN = f"http://{HOST}"


@pytest.fixture
def site():
    reached = []

    async def home(request):
        reached.append(request.url.path)
        return PlainTextResponse("the bench")

    async def socket(websocket):
        reached.append("socket")
        await websocket.accept()
        await websocket.send_text("the bench")
        await websocket.close()

    door = Door([HOST, "localhost:8137"])
    app = Guard(Starlette(routes=[Route("/", home), WebSocketRoute("/ws", socket)]), door)
    client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    return SimpleNamespace(door=door, client=client, reached=reached)


def let_in(site):
    answer = site.client.get(ENTRY, params={"token": site.door.new_token()})
    assert answer.status_code == 303
    return answer


def nothing(answer):
    return answer.status_code == 403 and answer.content == b"" and "set-cookie" not in answer.headers


def test_the_token_becomes_a_cookie_and_leaves_the_address(site):
    answer = let_in(site)
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={site.door.cookie};")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert site.client.get("/").text == "the bench"


def test_a_token_is_good_for_once(site):
    token = site.door.new_token()
    assert site.client.get(ENTRY, params={"token": token}).status_code == 303
    assert nothing(site.client.get(ENTRY, params={"token": token}))


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\N{SNOWMAN}"])
def test_a_wrong_token_gets_nothing(site, token):
    site.door.new_token()
    assert nothing(site.client.get(ENTRY, params={"token": token}))


def test_old_tokens_are_forgotten(site):
    first = site.door.new_token()
    tokens = [site.door.new_token() for _ in range(8)]
    assert nothing(site.client.get(ENTRY, params={"token": first}))
    assert site.client.get(ENTRY, params={"token": tokens[0]}).status_code == 303


def test_without_the_cookie_there_is_nothing(site):
    assert nothing(site.client.get("/"))
    assert nothing(site.client.get("/static/app.js"))
    site.client.cookies.set(COOKIE, "x" * 43)
    assert nothing(site.client.get("/"))
    assert not site.reached


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8137", "127.0.0.1:80", "127.0.0.1", ""])
def test_another_host_gets_nothing(site, host):
    let_in(site)
    assert nothing(site.client.get("/", headers={"host": host}))
    assert nothing(site.client.get(ENTRY, params={"token": site.door.new_token()}, headers={"host": host}))


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8137", "http://localhost:8137"]
)
def test_another_origin_gets_nothing(site, origin):
    let_in(site)
    assert nothing(site.client.get("/", headers={"origin": origin}))


def refused(site, cookie=None, **headers):
    headers = {"host": HOST, "cookie": f"{COOKIE}={cookie or site.door.cookie}"} | headers
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        site.client.websocket_connect("/ws", headers=headers),
    ):
        pass
    return "socket" not in site.reached


def test_a_socket_needs_our_origin_host_and_cookie(site):
    assert refused(site, cookie="x" * 43, origin=ORIGIN)
    assert refused(site)  # no Origin: not a page
    assert refused(site, origin="http://evil.example")
    assert refused(site, origin="null")
    assert refused(site, origin="http://evil.example:8137", host="evil.example:8137")
    good = {"origin": ORIGIN, "host": HOST, "cookie": f"{COOKIE}={site.door.cookie}"}
    with site.client.websocket_connect("/ws", headers=good) as socket:
        assert socket.receive_text() == "the bench"


def test_every_answer_has_the_headers(site):
    answers = [site.client.get("/"), let_in(site), site.client.get("/"), site.client.get("/none")]
    assert [one.status_code for one in answers] == [403, 303, 200, 404]
    for one in answers:
        policy = one.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert one.headers["cache-control"] == "no-store"
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["referrer-policy"] == "no-referrer"


def test_a_door_with_an_earlier_cookie_knows_it():
    door = Door([HOST], "c" * 43)
    assert door.knows("c" * 43)
    assert not door.knows("d" * 43)


def asked(site, headers, path="/", method="GET", query=b""):
    """Status and body of a request with these header lines, which a client library might not send."""
    sent = []
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in headers], "scheme": "http",
        "http_version": "1.1", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8137), "root_path": "",
    }  # fmt: skip

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(site.client.app(scope, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])


def test_a_request_names_one_host(site):
    cookie = ("cookie", f"{COOKIE}={site.door.cookie}")
    assert asked(site, [("host", HOST), cookie]) == (200, b"the bench")
    for hosts in ([], [HOST, HOST], [HOST, "evil.example"], ["evil.example", HOST]):
        assert asked(site, [*(("host", one) for one in hosts), cookie]) == (403, b"")


def test_a_page_has_one_origin(site):
    known = [("host", HOST), ("cookie", f"{COOKIE}={site.door.cookie}")]
    assert asked(site, [*known, ("origin", ORIGIN)])[0] == 200
    for origins in ([ORIGIN, ORIGIN], [ORIGIN, "null"], [f"https://{HOST}"], ["http://localhost:8137"], [""]):
        assert asked(site, [*known, *(("origin", one) for one in origins)]) == (403, b"")


@pytest.mark.parametrize("cookie", ["a,b=1", "a,b=1; {}={}", "{}", "{0}=", "{0}={1}x", "x{0}={1}", "{0} {1}"])
def test_what_is_not_the_cookie_gets_nothing(site, cookie):
    line = cookie.format(COOKIE, site.door.cookie)
    assert asked(site, [("host", HOST), ("cookie", line)]) == (403, b"")
    assert site.reached == []


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_token_is_taken_by_get_alone(site, method):
    token = site.door.new_token()
    query = f"token={token}".encode()
    assert asked(site, [("host", HOST)], ENTRY, method, query)[0] == 403
    assert asked(site, [("host", HOST)], ENTRY, "GET", query)[0] == 303  # and it was not used up
