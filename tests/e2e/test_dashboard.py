"""The dashboard in a real browser, on a real `fogline up` with devices that publish."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright

from fogline.cli.dashboard_link import one_time_link

CHROMIUM = "/usr/bin/chromium"
HOSTILE = "<img src=x onerror=window.hurt=1>"
SPEC = """
name: site
streams:
  air: {mqtt: "site/{zone}/air", format: json, time: ts, fields: {temp: {type: float, resolution: 0.01}}}
steps:
  climate:
    sql: |
      SELECT zone, count(*) AS n, avg(temp) AS temp FROM air WHERE temp < 50
      GROUP BY zone, TUMBLE(ts, INTERVAL '2 seconds')
late: {disorder: 500ms, wait: 10s, keep: 1d}
"""
PAGES = {
    "/": ("Overview", "node-1"),
    "/pipelines": ("Pipelines", "climate"),
    "/pipelines/site": ("site", "window by window"),
    "/pipelines/nothing": ("nothing", "There is no pipeline"),
    "/streams": ("Streams", "site/{zone}/air"),
    "/ledger": ("Ledger", "adds up"),
    "/nodes": ("Nodes", "node-1"),
    "/nodes/node-1": ("node-1", "Dead letters"),
    "/nodes/nobody": ("nobody", "has reported"),
}
PATIENCE_MS = 60_000
"""A hang-guard, and no measure of anything."""

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(300)]


class Up:
    """All tiers, and a device that publishes all the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        spec = folder.parent / "site.yaml"
        spec.write_text(SPEC)
        with (folder.parent / "up.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "fogline", "up", "--dir", str(folder), "--nodes", "1"),
                    *("--no-sensors", "--no-browser", "--json", "--pipeline", str(spec)),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self._process.stdout.readline())
        self._stopping = threading.Event()
        self._device = threading.Thread(target=self._publish)
        self._device.start()

    @property
    def url(self) -> str:
        """The dashboard's address without the last slash."""
        return str(self.ready["dashboard"]).rstrip("/")

    def link(self) -> str:
        """A link that signs in, once."""
        return one_time_link(self.url, self.token)

    @property
    def token(self) -> str:
        """The administrator's token."""
        return Path(self.ready["token"]).read_text().strip()

    def pid(self, tier: str) -> int:
        """The process of a tier, as it is now."""
        give_up = time.monotonic() + 60
        while not (pids := json.loads((self.folder / "up.json").read_text())["pids"][tier]):
            assert time.monotonic() < give_up
        return int(pids[0])

    def close(self) -> None:
        """Stop everything."""
        self._stopping.set()
        self._device.join()
        self._process.terminate()
        self._process.communicate(timeout=60)

    def _publish(self) -> None:
        client = Client(CallbackAPIVersion.VERSION2, client_id="device")
        host, port = self.ready["mqtt"][0].removeprefix("mqtt://").split(":")
        client.connect(host, int(port))
        client.loop_start()
        while not self._stopping.wait(0.2):
            for zone in ("hall", HOSTILE):
                payload = json.dumps({"ts": time.time(), "temp": 20.5})
                client.publish(f"site/{zone}/air", payload, qos=1)
            client.publish(f"site/{HOSTILE}/air", f'{{"ts": "{HOSTILE}', qos=1)
        client.disconnect()
        client.loop_stop()


@dataclass
class Seen:
    """What a browser's pages did besides being looked at."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def by(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", self._asked)

    def _said(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("dashboard") / "up")
    yield running
    running.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, up: Up, path: str, **options: Any) -> Iterator[tuple[Page, Seen]]:
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    seen = Seen()
    seen.by(context)
    page = context.new_page()
    page.goto(up.link())
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.goto(up.url + path)
    try:
        yield page, seen
    finally:
        context.close()


PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_shows_what_it_is_for_and_asks_nobody_else(browser: Browser, up: Up, look: str) -> None:
    with opened(browser, up, "/", **LOOKS[look]) as (page, seen):
        for path, (title, content) in PAGES.items():
            page.goto(up.url + path)
            expect(page.get_by_role("heading", level=1)).to_have_text(title)
            expect(page.get_by_role("main")).to_contain_text(content)
            expect(page.get_by_role("banner")).to_contain_text("Fogline")
            expect(page.get_by_role("alert").first).to_be_empty()
            expect(page.locator("html")).to_have_attribute(
                "data-theme", "dark" if look == "dark" else "light"
            )
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert page.evaluate("document.querySelectorAll('main img, main script').length") == 0
        own = ("data:", up.url, up.url.replace("http", "ws", 1))
        assert [url for url in seen.requests if not url.startswith(own)] == []
        assert seen.complaints == []
        assert page.evaluate("window.hurt") is None


def test_new_windows_arrive_by_themselves_with_texts_as_they_are(browser: Browser, up: Up) -> None:
    with opened(browser, up, "/pipelines/site") as (page, seen):
        newest = page.locator("time").first
        before = newest.inner_text()
        expect(newest).not_to_have_text(before)
        expect(page.get_by_role("main")).to_contain_text("complete")
        expect(page.get_by_role("cell", name=HOSTILE).first).to_be_visible()
        assert page.locator("canvas").count() == 2
        page.goto(f"{up.url}/nodes/node-1")
        expect(page.get_by_role("cell", name=f'{{"ts": "{HOSTILE}').first).to_be_visible()
        assert page.evaluate("window.hurt") is None
        assert seen.complaints == []


def test_the_theme_is_chosen_kept_and_otherwise_the_systems(browser: Browser, up: Up) -> None:
    with opened(browser, up, "/") as (page, _):
        html = page.locator("html")
        page.emulate_media(color_scheme="dark")
        expect(html).to_have_attribute("data-theme", "dark")
        page.get_by_role("radio", name="light").click()
        expect(html).to_have_attribute("data-theme", "light")
        page.goto(up.url + "/ledger")
        expect(html).to_have_attribute("data-theme", "light")
        expect(page.get_by_role("radio", name="light")).to_be_checked()
        page.get_by_role("radio", name="light").press("ArrowRight")
        expect(html).to_have_attribute("data-theme", "dark")
        page.get_by_role("radio", name="auto").click()
        page.emulate_media(color_scheme="light")
        expect(html).to_have_attribute("data-theme", "light")


def test_a_phone_has_the_pages_in_a_drawer(browser: Browser, up: Up) -> None:
    with opened(browser, up, "/", **PHONE) as (page, _):
        menu = page.get_by_role("button", name="Pages")
        ledger = page.get_by_role("navigation").get_by_role("link", name="Ledger")
        expect(ledger).not_to_be_visible()
        menu.click()
        expect(ledger).to_be_visible()
        page.keyboard.press("Escape")
        expect(ledger).not_to_be_visible()
        expect(menu).to_be_focused()
        menu.click()
        ledger.click()
        expect(page).to_have_url(up.url + "/ledger")


def test_a_cloud_that_is_away_is_said_and_the_page_goes_on_when_it_is_back(browser: Browser, up: Up) -> None:
    with opened(browser, up, "/pipelines/site") as (page, _):
        expect(page.get_by_role("main")).to_contain_text("complete")
        cloud = up.pid("cloud")
        os.kill(cloud, signal.SIGSTOP)
        try:
            banner = page.get_by_role("alert").first
            expect(banner).to_contain_text("The cloud has not answered since")
            expect(page.get_by_role("status")).to_have_text("Cloud unreachable")
            expect(page.get_by_role("main")).to_contain_text("complete")
        finally:
            os.kill(cloud, signal.SIGKILL)
        expect(banner).to_be_empty()
        newest = page.locator("time").first
        expect(newest).not_to_have_text(newest.inner_text())


def test_a_page_whose_dashboard_died_signs_in_and_comes_back(browser: Browser, up: Up) -> None:
    with opened(browser, up, "/nodes") as (page, _):
        expect(page.get_by_role("main")).to_contain_text("node-1")
        os.kill(up.pid("dashboard"), signal.SIGKILL)
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.get_by_label("API token").fill(up.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Nodes")
        expect(page.get_by_role("main")).to_contain_text("node-1")
        expect(page.get_by_role("status")).to_have_text(re.compile("All well|things? to look at"))


def test_a_browser_signs_in_and_out_with_all_its_pages(browser: Browser, up: Up) -> None:
    context = browser.new_context(**PHONE)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page, other, link = context.new_page(), context.new_page(), up.link()
    sign_in = page.get_by_role("heading", name="Sign in")
    page.goto(up.url + "/nodes")
    expect(sign_in).to_be_visible()
    page.get_by_label("API token").fill(up.token[:-1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not a whole API token")
    page.get_by_label("API token").fill(up.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nodes")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert up.token not in json.dumps(context.storage_state())
    other.goto(up.url)
    expect(other.get_by_role("heading", level=1)).to_have_text("Overview")
    page.get_by_role("button", name="Pages").click()
    page.get_by_role("button", name="Sign out").click()
    expect(sign_in).to_be_visible()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert link.partition("#")[2] not in page.url
    other.goto(link)
    expect(other.get_by_role("alert")).to_contain_text("used before")
    context.close()


def test_a_token_that_is_taken_back_signs_its_pages_out(browser: Browser, up: Up) -> None:
    command = [sys.executable, "-m", "fogline", "api-token"]
    where = ["--dir", str(up.folder)]
    made = subprocess.run([*command, "create", "guest", *where], check=True, capture_output=True, text=True)
    token = made.stdout.strip()
    context = browser.new_context()
    expect.set_options(timeout=PATIENCE_MS)
    page = context.new_page()
    page.goto(one_time_link(up.url, token))
    expect(page.get_by_role("navigation")).to_contain_text("guest")
    subprocess.run([*command, "revoke", token.split(".")[1], *where], check=True, capture_output=True)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()


def test_browsers_that_are_gone_are_forgotten(browser: Browser, up: Up) -> None:
    for _ in range(3):
        with opened(browser, up, "/") as (page, _seen):
            for path in PAGES:
                page.goto(up.url + path)
                page.wait_for_function("window.did_handshake")
            assert count(up, "fogline_dashboard_browsers") >= 1
    give_up = time.monotonic() + 120
    while count(up, "fogline_dashboard_browsers") or count(up, "fogline_dashboard_pages"):
        assert time.monotonic() < give_up
        time.sleep(0.5)  # a page is forgotten some seconds after its browser went


def count(up: Up, metric: str) -> int:
    """A number of the dashboard's metrics."""
    with urllib.request.urlopen(up.ready["metrics"]["dashboard"], timeout=60) as answer:
        said = answer.read().decode()
    found = re.search(rf"^{metric}(?:{{[^}}]*}})? ([0-9.]+)$", said, re.MULTILINE)
    assert found, said
    return int(float(found[1]))
