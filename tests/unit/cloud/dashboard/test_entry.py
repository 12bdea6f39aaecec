"""Signing in over HTTP, without any cloud."""

import httpx
import pytest
from fastapi import FastAPI

from cloud.dashboard.desk import Desk
from cloud.dashboard.entry import Entry
from cloud.dashboard.guard import Guard
from fogline.client.values import Who
from fogline.model.clock import SystemClock
from fogline.model.errors import TokenUnknown
from fogline.service.throttle import FAILURES

HOST = "http://localhost:8080"
ANN = Who(id="aaaaaaaa", name="ann", tenant="main", rights=("read",))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk("127.0.0.1:1", SystemClock())

    async def look_up(token: str) -> Who:
        if token != "good":
            raise TokenUnknown("there is no such token")
        return ANN

    monkeypatch.setattr(made, "look_up", look_up)
    return made


@pytest.fixture
def browser(desk: Desk) -> httpx.AsyncClient:
    app = FastAPI()
    Entry(desk, SystemClock(), "<Site>").add(app)
    guard = Guard(app, desk, insecure=False)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url=HOST)


async def test_a_token_brings_a_cookie_that_scripts_and_other_sites_do_not_get(
    browser: httpx.AsyncClient,
) -> None:
    assert (await browser.get("/sign-in/session")).status_code == 401
    answer = await browser.post("/sign-in", json={"token": " good\n"})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("fogline_8080=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "good" not in cookie
    assert (await browser.get("/sign-in/session")).status_code == 204
    assert (await browser.post("/sign-out", json={})).status_code == 204
    assert (await browser.get("/sign-in/session")).status_code == 401


async def test_a_link_is_for_whoever_has_a_token_and_opens_once(browser: httpx.AsyncClient) -> None:
    asked = {"Authorization": "Bearer good"}
    path = (await browser.post("/sign-in/link", json={}, headers=asked)).json()["path"]
    page, _, code = path.partition("#")
    assert page == "/sign-in"
    assert (await browser.post("/sign-in/code", json={"code": code})).status_code == 204
    again = await browser.post("/sign-in/code", json={"code": code})
    assert (again.status_code, again.json()["code"]) == (401, "token_unknown")
    assert (await browser.post("/sign-in/link", json={})).status_code == 401


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/sign-in/link", "/sign-out"])
async def test_what_another_site_can_send_changes_nothing(browser: httpx.AsyncClient, path: str) -> None:
    plain = {"Content-Type": "text/plain", "Authorization": "Bearer good"}
    assert (await browser.post(path, content='{"token": "good"}', headers=plain)).status_code == 400
    foreign = {"Origin": "http://evil.example"}
    assert (await browser.post(path, json={"token": "good"}, headers=foreign)).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[", b'{"token": 1}', b'{"other": ""}', b"x" * 5_000])
async def test_what_is_no_sign_in_is_refused(browser: httpx.AsyncClient, body: bytes) -> None:
    answer = await browser.post("/sign-in", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 413}


async def test_who_tries_too_often_is_told_to_wait_and_who_has_a_token_is_not(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_us = SystemClock().now_us()
    monkeypatch.setattr(SystemClock, "now_us", lambda _: clock_us)
    codes = [(await browser.post("/sign-in", json={"token": "bad"})).status_code for _ in range(FAILURES + 2)]
    assert codes == [401] * FAILURES + [429] * 2
    assert (await browser.post("/sign-in", json={"token": "good"})).status_code == 204


async def test_the_page_says_what_it_is_for_and_nothing_of_the_installation(
    browser: httpx.AsyncClient,
) -> None:
    page = await browser.get("/sign-in")
    assert "&lt;Site&gt;" in page.text
    assert "{{" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]


async def test_a_host_with_odd_letters_names_no_odd_cookie(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/sign-in", json={"token": "good"}, headers={"Host": "localhost:80;x"})
    assert answer.status_code in {204, 403}
    assert "x=" not in answer.headers.get("set-cookie", "")
