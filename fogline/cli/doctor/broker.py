"""A broker from outside: what it says of itself, and what a session survives."""

from dataclasses import dataclass
from typing import Final

from fogline.cli.doctor.findings import Chart, Finding

RECEIVE_MAX: Final = 20_000
"""What a node asks for."""
SESSION_S: Final = 7 * 24 * 3600
MAX_PACKET: Final = 1024 * 1024
SHORT_S: Final = 24 * 3600


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen of a broker. What was not reached keeps its default."""

    url: str
    """Without user and password."""
    fault: str = ""
    """Why it could not be talked to in MQTT 5."""
    speaks_311: bool = False
    """It takes MQTT 3.1.1, where MQTT 5 was refused."""
    version: str = ""
    """As it calls itself; empty: it does not."""
    receive_max: int = 65_535
    """Messages that it takes unacknowledged itself."""
    max_qos: int = 2
    retain: bool = True
    shared: bool = True
    identifiers: bool = True
    wildcards: bool = True
    session_expiry_s: int | None = None
    """What it made of the expiry that was asked for; None: granted."""
    max_packet: int | None = None
    drops_readable: bool = False
    shared_granted: bool = False
    subscribe_refused: str = ""
    publish_refused: str = ""
    session_survives: bool = False
    """A session that was left was there again."""
    queued_came: bool = False
    """A message published meanwhile had waited in it."""


def judge(seen: Seen) -> list[Finding]:
    """Say what of it is well and what is not."""
    chart = Chart("broker")
    if seen.fault:
        _judge_fault(chart, seen)
        return chart.findings
    chart.ok(f"{seen.url} speaks MQTT 5{f' ({seen.version})' if seen.version else ''}")
    _judge_limits(chart, seen)
    _judge_session(chart, seen)
    _judge_rights(chart, seen)
    return chart.findings


def _judge_fault(chart: Chart, seen: Seen) -> None:
    if seen.speaks_311:
        chart.problem(
            f"{seen.url} speaks MQTT 3.1.1 only: {seen.fault}",
            "nodes need MQTT 5, which says how many messages may be under way; update the broker",
        )
    elif "certificate" in seen.fault:
        chart.problem(
            f"{seen.url}: {seen.fault}",
            "if its authority is your own: --ca FILE here, and `ca` in the node's settings",
        )
    else:
        chart.problem(f"{seen.url}: {seen.fault}", "is it there, and are user, password and TLS right?")


def _judge_limits(chart: Chart, seen: Seen) -> None:
    if seen.max_qos == 0:
        chart.warning(
            "it knows QoS 0 only: what is on its way when a connection breaks is lost",
            "allow QoS 1, or let devices publish to the node's own listener",
        )
    else:
        chart.ok(f"QoS up to {seen.max_qos}")
    if seen.shared and seen.shared_granted:
        chart.ok("several nodes can share its messages ($share)")
    else:
        chart.warning("it has no shared subscriptions", "let one node alone read from it")
    if not seen.wildcards:
        chart.problem("it takes no + in subscriptions, which streams need", "use another broker")
    if not seen.identifiers:
        chart.warning(
            "it has no subscription identifiers: a message of two overlapping streams may count twice",
            "keep the topics of streams apart",
        )
    if seen.max_packet is not None and seen.max_packet < MAX_PACKET:
        chart.note(f"packets of at most {seen.max_packet} bytes pass; nodes take {MAX_PACKET}")
    if seen.receive_max < 100:
        chart.note(f"a publisher may have {seen.receive_max} messages under way: replays will be slow")
    if not seen.retain:
        chart.note("it keeps no retained messages")


def _judge_session(chart: Chart, seen: Seen) -> None:
    if not seen.session_survives:
        chart.problem(
            "a session is gone as soon as its connection is: what comes meanwhile is lost",
            "allow persistent sessions (session expiry of MQTT 5)",
        )
        return
    if seen.publish_refused or seen.subscribe_refused:
        chart.ok("a session survives its connection")
    elif seen.queued_came:
        chart.ok("a session survives its connection, and what was published meanwhile waits in it")
    else:
        chart.problem(
            "a session survives its connection, but what was published meanwhile did not come",
            "let it queue QoS 1 messages for clients that are away",
        )
    granted = seen.session_expiry_s
    if granted is not None and granted < SHORT_S:
        chart.warning(
            f"it keeps a session for {granted} s only, and nodes ask for {SESSION_S // 86_400} days",
            "raise its longest session expiry",
        )
    chart.note(
        "whether sessions survive a restart of the broker cannot be seen from outside",
        "for mosquitto give its configuration with --mosquitto-conf",
    )


def _judge_rights(chart: Chart, seen: Seen) -> None:
    if seen.drops_readable:
        chart.ok("it says how many messages it drops ($SYS)")
    else:
        chart.warning(
            "it does not say how many messages it drops: what it loses will not be in the ledger",
            "let nodes read $SYS/broker/publish/messages/dropped, if it is a mosquitto",
        )
    for refused, what in ((seen.subscribe_refused, "subscribe to"), (seen.publish_refused, "publish to")):
        if refused:
            chart.note(f"this user may not {what} fogline-doctor/#, so not everything was tried: {refused}")
