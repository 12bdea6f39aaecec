import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from fogline.model.errors import NotFound
from fogline.service.logs import MOST_REMEMBERED, Repeats, hidden, set_up_logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    try:
        yield io.StringIO()
    finally:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
        logging.getLogger().handlers[:] = handlers


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("postgresql://fog:s3cr:et@db:5432/fog", "postgresql://fog:***@db:5432/fog"),
        (
            "cannot reach mqtts://u:p@b:8883, nor mqtt://v:q@c",
            "cannot reach mqtts://u:***@b:8883, nor mqtt://v:***@c",
        ),
        ("mqtt://u:p@ss@b,mqtt://v:q@c", "mqtt://u:***@b,mqtt://v:***@c"),
        ("mqtt://user@broker:1883", "mqtt://user@broker:1883"),
        ("postgresql+asyncpg://fog:pw@db", "postgresql+asyncpg://fog:***@db"),
        ("mail me@home: at 10:30", "mail me@home: at 10:30"),
    ],
)
def test_passwords_in_urls_are_not_written(text: str, written: str) -> None:
    assert hidden(text) == written


def test_a_line_is_json_with_what_is_bound_and_no_secret(out: io.StringIO) -> None:
    set_up_logs(stream=out, tier="node", name="roof")
    log = structlog.get_logger()
    log.info("connects", broker="mqtt://u:geheim@b", password="geheim", parents=["http://u:geheim@p"], port=7)
    log.error("failed", exc_info=ValueError("cannot parse mqtt://u:geheim@b"))
    log.debug("not asked for")
    first, second = lines(out)
    assert first | {"timestamp": ""} == {
        "timestamp": "",
        "event": "connects",
        "level": "info",
        "tier": "node",
        "name": "roof",
        "broker": "mqtt://u:***@b",
        "password": "***",
        "parents": ["http://u:***@p"],
        "port": 7,
    }
    assert "ValueError" in second["exception"]
    assert "geheim" not in out.getvalue()


def test_an_error_is_written_with_its_code(out: io.StringIO) -> None:
    set_up_logs(stream=out)
    structlog.get_logger().warning("lane failed", error=NotFound("there is no plan"), plan="0123")
    structlog.get_logger().warning("lane failed", error=KeyError("x"), plan="0123")
    ours, other = lines(out)
    assert (ours["error"], ours["code"]) == ("there is no plan", NotFound.code)
    assert other["error"] == "'x'"
    assert "code" not in other


def test_the_format_can_be_chosen(out: io.StringIO) -> None:
    set_up_logs(stream=out, log_format="text")
    structlog.get_logger().info("listening", port=7)
    assert "listening" in out.getvalue()
    assert "port=7" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_what_libraries_log_is_a_line_like_the_others(out: io.StringIO) -> None:
    set_up_logs(stream=out, tier="cloud")
    logging.getLogger("driver").warning("slow answer from postgresql://u:pw@%s", "db")
    logging.getLogger("driver").info("not asked for")
    (line,) = lines(out)
    assert (line["event"], line["logger"], line["level"], line["tier"]) == (
        "slow answer from postgresql://u:***@db",
        "driver",
        "warning",
        "cloud",
    )


def test_a_warning_that_repeats_is_written_now_and_then_with_how_often() -> None:
    now = 0.0
    repeats = Repeats(lambda: now)

    def written(**event: Any) -> dict[str, Any] | None:
        try:
            return dict(repeats(None, "", event))
        except structlog.DropEvent:
            return None

    away: dict[str, Any] = {"event": "store away", "level": "warning"}
    assert written(**away) == away
    assert written(**away, plan="other") is not None, "another line"
    assert [written(**away) for _ in range(3)] == [None] * 3
    info: dict[str, Any] = {"event": "child connected", "level": "info"}
    assert [written(**info) for _ in range(2)] == [info, info]
    now = 61.0
    assert written(**away) == {**away, "repeated": 3}
    assert written(**away) is None
    now = 200.0
    assert written(**away) == {**away, "repeated": 1}
    for number in range(MOST_REMEMBERED):
        assert written(event=f"{number}", level="error") is not None
    assert written(**away) == away, "what is remembered is bounded"
