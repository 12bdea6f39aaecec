"""Who may ask, and what goes with each answer."""

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from cloud.dashboard.desk import Desk
from cloud.dashboard.guard import Guard
from fogline.model.clock import SystemClock

DESK = Desk("127.0.0.1:1", SystemClock(), anonymous=True)


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
    await guard(
        {"type": kind, "method": "GET", "path": path, "scheme": "http", "headers": raw}, receive, send
    )
    return sent


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
async def test_loopback_names_are_answered_with_headers_that_keep_others_out(host: str) -> None:
    start, body = await asked(Guard(inner, DESK, insecure=False), "http", host=host)
    assert body["body"] == b"inside"
    policy = Headers(raw=start["headers"])["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "", "127.0.0.1.evil.example", "[::1"])
async def test_a_foreign_name_is_refused_unless_insecure(host: str) -> None:
    start, _ = await asked(Guard(inner, DESK, insecure=False), "http", host=host)
    assert start["status"] == 403
    start, _ = await asked(Guard(inner, DESK, insecure=True), "http", host=host)
    assert start["status"] == 200


@pytest.mark.parametrize("insecure", [False, True])
async def test_a_websocket_of_another_page_is_refused(*, insecure: bool) -> None:
    guard = Guard(inner, DESK, insecure=insecure)
    ours = await asked(guard, "websocket", host="localhost:8080", origin="http://localhost:8080")
    assert ours == [{"type": "websocket.accept"}]
    for origin in ("http://evil.example", "http://localhost:9", "null"):
        theirs = await asked(guard, "websocket", host="localhost:8080", origin=origin)
        assert theirs == [{"type": "websocket.close", "code": 1008}]


async def test_when_there_are_too_many_pages_those_that_are_open_go_on() -> None:
    guard = Guard(inner, DESK, insecure=False, full=lambda: True)
    answers = {
        path: (await asked(guard, "http", path, host="localhost"))[0]["status"]
        for path in ("/", "/nodes/n1", "/_nicegui/x.js", "/fogline/page.css", "/health")
    }
    assert list(answers.values()) == [503, 503, 200, 200, 200]


@pytest.fixture
def desk() -> Desk:
    return Desk("127.0.0.1:1", SystemClock())


@pytest.mark.parametrize(("path", "to"), [("/", "/sign-in"), ("/nodes/n 1", "/sign-in?next=%2Fnodes%2Fn+1")])
async def test_who_is_not_signed_in_is_sent_to_sign_in(desk: Desk, path: str, to: str) -> None:
    (start, _) = await asked(Guard(inner, desk, insecure=False), "http", path, host="localhost")
    assert (start["status"], Headers(raw=start["headers"])["location"]) == (303, to)


async def test_who_is_not_signed_in_gets_no_socket(desk: Desk) -> None:
    guard = Guard(inner, desk, insecure=False)
    assert await asked(guard, "websocket", "/_nicegui_ws/socket.io/", host="localhost") == [
        {"type": "websocket.close", "code": 1008}
    ]
    (start, _) = await asked(guard, "http", "/_nicegui_ws/socket.io/", host="localhost")
    assert start["status"] == 401


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-out", "/health", "/fogline/page.css", "/_nicegui/3/x.js"]
)
async def test_what_is_open_is_open(desk: Desk, path: str) -> None:
    (start, _) = await asked(Guard(inner, desk, insecure=False), "http", path, host="localhost")
    assert start["status"] == 200


async def test_the_page_that_takes_tokens_runs_its_own_script_alone(desk: Desk) -> None:
    (start, _) = await asked(Guard(inner, desk, insecure=False), "http", "/sign-in", host="localhost")
    assert "unsafe" not in Headers(raw=start["headers"])["content-security-policy"]


async def test_a_session_is_that_of_its_port(desk: Desk) -> None:
    guard, shown = Guard(inner, desk, insecure=False), desk.sessions.begin("token", "somebody")
    for port, status in ((8080, 200), (8081, 303)):
        host, cookie = f"localhost:{port}", f"fogline_8080={shown}"
        (start, _) = await asked(guard, "http", "/nodes", host=host, cookie=cookie)
        assert start["status"] == status
