"""Who may ask, and what goes with each answer."""

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from cloud.dashboard.guard import Guard


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


async def asked(guard: Guard, kind: str, path: str = "/", **headers: str) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": f"{kind}.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await guard({"type": kind, "method": "GET", "path": path, "headers": raw}, receive, send)
    return sent


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
async def test_loopback_names_are_answered_with_headers_that_keep_others_out(host: str) -> None:
    start, body = await asked(Guard(inner, insecure=False), "http", host=host)
    assert body["body"] == b"inside"
    policy = Headers(raw=start["headers"])["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "", "127.0.0.1.evil.example", "[::1"])
async def test_a_foreign_name_is_refused_unless_insecure(host: str) -> None:
    start, _ = await asked(Guard(inner, insecure=False), "http", host=host)
    assert start["status"] == 403
    start, _ = await asked(Guard(inner, insecure=True), "http", host=host)
    assert start["status"] == 200


@pytest.mark.parametrize("insecure", [False, True])
async def test_a_websocket_of_another_page_is_refused(*, insecure: bool) -> None:
    guard = Guard(inner, insecure=insecure)
    ours = await asked(guard, "websocket", host="localhost:8080", origin="http://localhost:8080")
    assert ours == [{"type": "websocket.accept"}]
    for origin in ("http://evil.example", "http://localhost:9", "null"):
        theirs = await asked(guard, "websocket", host="localhost:8080", origin=origin)
        assert theirs == [{"type": "websocket.close", "code": 1008}]


async def test_when_there_are_too_many_pages_those_that_are_open_go_on() -> None:
    guard = Guard(inner, insecure=False, full=lambda: True)
    answers = {
        path: (await asked(guard, "http", path, host="localhost"))[0]["status"]
        for path in ("/", "/nodes/n1", "/_nicegui/x.js", "/fogline/page.css", "/health")
    }
    assert list(answers.values()) == [503, 503, 200, 200, 200]
