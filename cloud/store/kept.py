"""The newest reports that the store keeps, as one process tells the others of them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, select, true

from cloud.store import schema

CHUNK: Final = 500
"""Reports that one statement reads."""


class Machine(NamedTuple):
    """A node or an aggregator."""

    role: str
    """``node`` or ``aggregator``."""
    tenant: str
    name: str


class Kept(NamedTuple):
    """A machine's newest report."""

    machine: Machine
    seen_us: int
    """When it arrived, by the clock of the process that it reached."""
    raw: bytes | None
    """The serialised report; None: the one that the caller knows."""


NOTHING_KNOWN: Final[Mapping[Machine, int]] = {}


def kept_reports(connection: Connection, known: Mapping[Machine, int]) -> list[Kept]:
    """Every machine's report; ``known`` says of which instants the caller has the texts."""
    nodes, aggregators = schema.nodes, schema.aggregators
    tables = (
        _Reported(
            "node",
            nodes.c.tenant,
            nodes.c.node,
            nodes.c.seen_us,
            nodes.c.report,
            nodes.c.retired_us.is_(None),
        ),
        _Reported(
            "aggregator",
            aggregators.c.tenant,
            aggregators.c.aggregator,
            aggregators.c.seen_us,
            aggregators.c.report,
            true(),
        ),
    )
    return [kept for table in tables for kept in _kept(connection, table, known)]


class _Reported(NamedTuple):
    role: str
    tenant: ColumnElement[str]
    name: ColumnElement[str]
    seen_us: ColumnElement[int]
    report: ColumnElement[bytes]
    there: ColumnElement[bool]


def _kept(connection: Connection, table: _Reported, known: Mapping[Machine, int]) -> list[Kept]:
    listed = select(table.tenant, table.name, table.seen_us).where(table.there)
    seen = {Machine(table.role, tenant, name): at for tenant, name, at in connection.execute(listed)}
    tenants: dict[str, list[str]] = {}
    for machine, seen_us in seen.items():
        if known.get(machine) != seen_us:
            tenants.setdefault(machine.tenant, []).append(machine.name)
    texts: dict[Machine, bytes] = {}
    for tenant, names in tenants.items():
        for at in range(0, len(names), CHUNK):
            query = select(table.name, table.report).where(
                table.tenant == tenant, table.name.in_(names[at : at + CHUNK])
            )
            for name, report in connection.execute(query):
                texts[Machine(table.role, tenant, name)] = report
    return [Kept(machine, seen_us, texts.get(machine)) for machine, seen_us in seen.items()]
