"""A machine that has joined: its identity, how long that holds, and whether its parents take it."""

import asyncio
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fogline.cli.doctor.findings import Chart, Finding
from fogline.identity.folder import read_identity
from fogline.identity.holder import Holder
from fogline.identity.identity import Identity
from fogline.model.clock import Clock, to_datetime
from fogline.model.errors import FogError, InvalidInput
from fogline.uplink.dial import channel_to, in_words

FILE: Final = "node.toml"
ANSWER_WITHIN_S: Final = 10.0
OVERDUE: Final = 0.65
"""Share of a certificate's life after which it should have been renewed long since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What was seen."""

    name: str
    folder: Path
    docker: str
    """The Engine that its settings name."""
    plaintext: bool
    identity: Identity | None = None
    fault: str = ""
    """Why it has no identity, and what to do."""
    hint: str = ""
    parents: Mapping[str, str] = field(default_factory=dict)
    """By address: why it does not take this machine; empty: it does."""


def settings_of(place: Path) -> Path:
    """The settings file that a folder or a path names. Raises :class:`InvalidInput`."""
    path = place / FILE if place.is_dir() else place
    if not path.is_file():
        raise InvalidInput(
            f"there is no {path}", hint="name the node's settings file, or the folder that has it"
        )
    return path


def look(path: Path, *, docker: str) -> Node:
    """Read a node's settings and identity, and dial its parents. ``docker``: where the Engine is usually.

    Raises :class:`InvalidInput`.
    """
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"{path} cannot be read: {error}", hint="it is the node's settings file"
        ) from error
    folder = Path(str(settings.get("folder", path.parent)))
    plaintext = bool(settings.get("plaintext", False))
    identity, fault, hint = None, "", ""
    if not plaintext:
        try:
            identity = read_identity(folder, role="node")
        except FogError as error:
            fault, hint = error.message, error.hint
    parents: dict[str, str] = {}
    if identity is not None or plaintext:
        addresses = [str(address) for address in settings.get("parents", ())]
        parents = asyncio.run(_asked(addresses, None if identity is None else Holder(identity)))
    return Node(
        name=str(settings.get("name", "")),
        folder=folder,
        docker=str(_table(settings, "runtimes").get("docker", docker)),
        plaintext=plaintext,
        identity=identity,
        fault=fault,
        hint=hint,
        parents=parents,
    )


def judge(node: Node, clock: Clock) -> list[Finding]:
    """Say what of it is well and what is not."""
    chart = Chart("node")
    if node.fault:
        chart.problem(node.fault, node.hint or "join again with a new token")
    if node.identity is not None:
        _judge_identity(chart, node, node.identity, clock.now_us())
    if node.plaintext:
        chart.warning(
            "it talks to its parents in plain text, and believes whoever answers",
            "take `plaintext` out of its settings, and join",
        )
    for address, why in node.parents.items():
        if why:
            chart.problem(f"parent {address}: {why}", _hint(why))
        else:
            chart.ok(f"parent {address} takes this machine")
    if not node.parents and not node.fault:
        chart.problem("its settings name no parents", "`fogline node join` writes them")
    return chart.findings


def _judge_identity(chart: Chart, node: Node, identity: Identity, now_us: int) -> None:
    subject = identity.subject
    if subject.name != node.name:
        chart.problem(
            f"its settings call it {node.name}, and its identity is that of {subject}",
            "let `name` be the same, or join with a token for this name",
        )
    left = timedelta(microseconds=identity.until_us - now_us)
    until = f"{to_datetime(identity.until_us):%Y-%m-%d}"
    where = ", ".join(identity.enrol) or "where it joined"
    if left <= timedelta():
        chart.problem(
            f"by this machine's clock its certificate ended on {until}",
            f"is the clock right? Else start the node: it renews at {where}; after a revocation join again",
        )
    elif now_us > identity.issued_us + OVERDUE * (identity.until_us - identity.issued_us):
        chart.warning(
            f"its certificate holds until {until}, {left.days} days more, and should have been renewed since",
            f"does the node run, and does it reach {where}?",
        )
    elif now_us < identity.issued_us:
        chart.warning(
            f"by this machine's clock its certificate was made later: {to_datetime(identity.issued_us):%Y-%m-%d %H:%M}",
            "set the clock, and let a time service keep it",
        )
    else:
        chart.ok(
            f"it is {subject}; its certificate holds until {until}, {left.days} days more, and is renewed by itself"
        )


def _hint(why: str) -> str:
    if "revoked" in why:
        return "if it shall come back: `fogline token create` at the cloud, then `fogline node join` here"
    if "has ended" in why:
        return "start the node: it renews where it joined; after a revocation join again"
    if "clock" in why:
        return "set the clock, and let a time service keep it"
    if "of another CA" in why:
        return "it joined another installation: `fogline node join` with a token of this one"
    if "plain text" in why or "no parent" in why:
        return "are `parents` the cloud's `children` port, or the aggregator's `listen`?"
    return "is it started, and does a firewall stand between? The node keeps its messages meanwhile"


async def _asked(addresses: list[str], holder: Holder | None) -> dict[str, str]:
    answers = await asyncio.gather(*(_ask(address, holder) for address in addresses))
    return dict(zip(addresses, answers, strict=True))


async def _ask(address: str, holder: Holder | None) -> str:
    """Why a parent does not take this machine; empty: it does."""
    try:
        async with channel_to(address) if holder is None else holder.dial(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_WITHIN_S)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return "no answer"
        return in_words(f"{error.code().name}: {error.details()}")
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    return "" if serving else "it answers, and says that it does not serve now"


def _table(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, dict) else {}
