"""A mosquitto's configuration file: what in it loses messages. The rest cannot be seen from outside."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fogline.cli.doctor.findings import Chart, Finding
from fogline.model.errors import InvalidInput

SHORT_S: Final = 24 * 3600
FEW: Final = 100_000
_UNITS: Final = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 30 * 86_400, "y": 365 * 86_400}


def read(file: Path) -> dict[str, str]:
    """Settings by name; of a repeated one the last. Raises :class:`InvalidInput`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from None
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {name: value.strip() for name, _, value in pairs}


def judge(settings: Mapping[str, str]) -> list[Finding]:
    """Say what of it is well and what is not; mosquitto's defaults stand for what is left out."""
    chart = Chart("mosquitto.conf")
    _judge_disk(chart, settings)
    _judge_queues(chart, settings)
    _judge_sessions(chart, settings)
    if "include_dir" in settings:
        chart.note(f"what is in {settings['include_dir']} was not read", "give its files one by one, too")
    return chart.findings


def _judge_disk(chart: Chart, settings: Mapping[str, str]) -> None:
    if settings.get("persistence", "false") != "true":
        chart.problem(
            "persistence is off: a restart forgets every session and what is queued in it",
            "persistence true, and a persistence_location on a disk",
        )
        return
    chart.ok("persistence is on")
    interval = _number(settings, "autosave_interval", 1800)
    if settings.get("autosave_on_changes", "false") == "true" and 0 < interval <= 1:
        chart.ok("everything is written after each change")
        chart.note(
            "each write waits for the disk: some 200 messages a second, fewer while much is queued",
            "if that is too few: autosave_interval 100 takes thousands, and a killed broker loses up to 100",
        )
    elif settings.get("autosave_on_changes", "false") == "true" and interval:
        chart.warning(
            f"what is queued is written after {interval} changes: a killed broker loses up to so many messages, "
            "acknowledged or not",
            "autosave_interval 1, if some 200 messages a second are enough",
        )
    else:
        after = f"every {interval} s" if interval else "only at the end"
        chart.warning(
            f"what is queued is written {after}: a killed broker loses the rest, acknowledged or not",
            "autosave_on_changes true and autosave_interval 1",
        )


def _judge_queues(chart: Chart, settings: Mapping[str, str]) -> None:
    most, size = _number(settings, "max_queued_messages", 1000), _number(settings, "max_queued_bytes", 0)
    if 0 < most < FEW:
        chart.warning(
            f"{most} messages are queued for a node that is away, and further ones are dropped",
            f"max_queued_messages {FEW * 10}, with max_queued_bytes as the limit of memory",
        )
    elif not most and not size:
        chart.warning(
            "queues have no limit: a node that is away for long fills the memory", "set max_queued_bytes"
        )
    else:
        chart.ok(f"{most or 'any number of'} messages are queued for a node that is away")
    if not _number(settings, "max_inflight_messages", 20):
        chart.warning(
            "max_inflight_messages 0 lets MQTT 3.1.1 use packet ids again that are under way",
            "leave it at 20; a Fogline node says by itself (MQTT 5) how many it takes",
        )
    if settings.get("queue_qos0_messages", "false") != "true":
        chart.note("messages published at QoS 0 are not queued for a node that is away")


def _judge_sessions(chart: Chart, settings: Mapping[str, str]) -> None:
    expiry = settings.get("persistent_client_expiration", "")
    match = re.fullmatch(r"(\d+)([hdwmy])", expiry)
    if not expiry:
        chart.ok("sessions are kept as long as their node asks for")
    elif match is None:
        chart.warning(f"persistent_client_expiration {expiry!r} is no time", "write for example 14d")
    elif int(match[1]) * _UNITS[match[2]] < SHORT_S:
        chart.warning(f"the session of a node that is away is forgotten after {expiry}", "give it days: 14d")
    else:
        chart.ok(f"the session of a node that is away is kept for {expiry}")
    if not _number(settings, "sys_interval", 10):
        chart.warning("sys_interval 0 hides how much is dropped", "sys_interval 10")


def _number(settings: Mapping[str, str], name: str, default: int) -> int:
    text = settings.get(name, "")
    return int(text) if text.isdecimal() else default
