"""A running cloud: whether it answers, and whether its clock and release fit this machine's."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fogline import __version__
from fogline.cli.doctor.findings import Chart, Finding
from fogline.client.client import Client
from fogline.client.installation import Status
from fogline.model.clock import Clock, from_datetime
from fogline.model.errors import FogError

SKEW: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said."""

    address: str
    fault: str = ""
    status: Status | None = None
    offset: timedelta = timedelta()
    """Its clock less ours."""
    uncertainty: timedelta = timedelta()


def look(address: str, clock: Clock) -> Answer:
    """Ask a cloud how it is."""
    try:
        with Client(address) as client:
            client.status()  # the connection is made by the first call
            began_us = clock.now_us()
            status = client.status()
            ended_us = clock.now_us()
    except FogError as error:
        return Answer(address=address, fault=error.message)
    middle_us = (began_us + ended_us) // 2
    return Answer(
        address=address,
        status=status,
        offset=timedelta(microseconds=from_datetime(status.at) - middle_us),
        uncertainty=timedelta(microseconds=(ended_us - began_us) // 2),
    )


def judge(answer: Answer) -> list[Finding]:
    """Say what of it is well and what is not."""
    chart = Chart("server")
    if answer.status is None:
        chart.problem(
            f"{answer.address}: {answer.fault}", "is it started, and does a firewall stand between?"
        )
        return chart.findings
    status = answer.status
    chart.ok(f"{answer.address} answers: release {status.version}, store {status.store}")
    if status.version != __version__:
        chart.note(f"it runs release {status.version}, and this is {__version__}")
    if abs(answer.offset) - answer.uncertainty > SKEW:
        chart.warning(
            f"its clock is {answer.offset.total_seconds():+.1f} s off this machine's",
            "windows close by the clock: run a time service on both machines",
        )
    else:
        chart.ok("its clock agrees with this machine's")
    silent = [node.name for node in status.nodes if not node.alive]
    if silent:
        chart.warning(f"nodes are silent: {', '.join(silent[:10])}", "`fogline nodes` says since when")
    faulty = [node.name for node in status.nodes if node.alive and node.faults]
    if faulty:
        chart.warning(f"nodes report faults: {', '.join(faulty[:10])}", "`fogline nodes NAME` says which")
    if status.nodes and not silent and not faulty:
        chart.ok(f"{len(status.nodes)} nodes are well")
    return chart.findings
