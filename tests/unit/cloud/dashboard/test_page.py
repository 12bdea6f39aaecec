"""What the page is made of, and the rates that it shows."""

import asyncio
import re
from importlib.resources import files

import pytest

from cloud.dashboard.rates import WINDOW_US, Rates, total

PAGE = files("cloud.dashboard") / "page"


def test_texts_from_outside_never_become_markup() -> None:
    script = (PAGE / "page.js").read_text()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
        assert way not in script


def test_the_page_asks_nobody_else() -> None:
    for name in ("index.html", "page.css", "page.js", "icon.svg"):
        text = (PAGE / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z]", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)), name


@pytest.mark.needs("node")
async def test_the_script_can_be_read() -> None:
    process = await asyncio.create_subprocess_exec("node", "--check", str(PAGE / "page.js"))
    assert await process.wait() == 0


def test_a_rate_is_taken_over_some_seconds() -> None:
    rates = Rates()
    assert rates.per_second("a", 100, 0) is None
    assert rates.per_second("a", 150, 1_000_000) == 50
    at = WINDOW_US
    for value in (400, 700, 1000):
        at += WINDOW_US
        rate = rates.per_second("a", value, at)
    assert rate == 60


def test_a_counter_that_begins_anew_has_no_rate_yet() -> None:
    rates = Rates()
    rates.per_second("a", 100, 0)
    assert rates.per_second("a", 5, 1_000_000) is None
    assert rates.per_second("a", 6, 2_000_000) == 1


def test_a_counter_that_is_gone_is_forgotten() -> None:
    rates = Rates()
    rates.per_second("a", 100, 0)
    rates.forget(10**12)
    assert rates.per_second("a", 200, 10**12) is None


def test_a_total_is_that_of_the_known_rates() -> None:
    assert total([None, 2.0, None, 1.5]) == 3.5
    assert total([None]) is None
