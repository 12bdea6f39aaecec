"""How the latest figures stand to the aims.

python -m bench.aims
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.report import OUT, Heading, lines_of

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure of one benchmark, and where it should lie. ``figure`` takes all rows of all its tables."""

    bench: str
    what: str
    figure: Callable[[Rows], float]
    least: float = -math.inf
    most: float = math.inf

    @property
    def words(self) -> str:
        """The aim for people."""
        return f"<= {self.most:,g}" if math.isfinite(self.most) else f">= {self.least:,g}"


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the table."""

    what: str
    aim: str
    seen: float
    met: str


def _of(attribute: str, **where: Any) -> Callable[[Rows], float]:
    """The attribute of the first row that fits."""

    def figure(rows: Rows) -> float:
        fitting = (row for row in rows if all(row.get(name) == value for name, value in where.items()))
        return float(next(fitting)[attribute])

    return figure


def _largest(attribute: str, **where: Any) -> Callable[[Rows], float]:
    """The largest of those rows."""

    def figure(rows: Rows) -> float:
        fitting = [row for row in rows if all(row.get(name) == value for name, value in where.items())]
        return max(float(row[attribute]) for row in fitting)

    return figure


_BROKER: Final = "through_broker"
_ALL_RULES: Final = "merge core, 1,000 children with 10 keys"
_KILLED: Final = "a node killed: its own rows"
_DEPLOYED: Final = "docker: deploy to first output"
_CPU: Final = "cpu_s_per_million"
AIMS: Final = (
    Aim("ingest", "all tiers at 10,000/s, CPU-s/1M", _of(_CPU, what="all tiers at 10,000/s"), most=10),
    *(
        Aim(
            _BROKER,
            f"mosquitto, QoS {qos}, x mosquitto_sub",
            _of("of_sub", consumer="Fogline", qos=qos),
            least=0.95,
        )
        for qos in (0, 1)
    ),
    Aim(_BROKER, "mosquitto, messages lost", _largest("lost", consumer="Fogline"), most=0),
    *(
        Aim(_BROKER, f"mosquitto, QoS {qos}, node's CPU-s/1M", _of(_CPU, consumer="Fogline", qos=qos), most=2)
        for qos in (0, 1)
    ),
    Aim("latency", "pane's end to values, p99, ms", _of("values_p99", what="steady"), most=250),
    Aim(
        "latency", "pane's end + disorder to complete, p99, ms", _of("complete_p99", what="steady"), most=250
    ),
    Aim("latency", "the same for a killed node's own rows, ms", _of("complete_p99", what=_KILLED), most=250),
    Aim(
        "operator",
        "operator in Python, readings/s/core",
        _of("readings_s_core", what="batches of 10,000"),
        least=200_000,
    ),
    *(
        Aim(
            "deploy",
            f"deploy to an operator's first output, {name}, ms",
            _of(name, what=_DEPLOYED),
            most=most,
        )
        for name, most in (("p50", 700), ("p99", 1500))
    ),
    Aim("merge", "merges/s/core, all rules", _of("merges_s", what=_ALL_RULES), least=200_000),
    Aim(
        "commit", "PostgreSQL, contributions/s", _largest("contributions_s", store="postgresql"), least=30_000
    ),
    *(
        Aim("memory", f"{tier}, growth MiB/h", _of("slope_mib_h", tier=tier), most=1)
        for tier in ("node", "aggregator", "cloud", "dashboard")
    ),
)
COLUMNS: Final = (
    Heading("what", ""),
    Heading("aim", "aim"),
    Heading("seen", "seen", ",.2f"),
    Heading("met", "met"),
)


def show_aims(folder: Path) -> None:
    """Print the table of what was measured."""
    print("\n" + "\n".join(lines_of("aims", list(standings(folder)), COLUMNS)))


def standings(folder: Path) -> Iterator[Standing]:
    """Compare the files of a folder with the aims; what was not measured is left out."""
    for aim in AIMS:
        file = folder / f"{aim.bench}.json"
        if not file.exists():
            continue
        tables: dict[str, Rows] = json.loads(file.read_text())["tables"]
        try:
            seen = aim.figure([row for rows in tables.values() for row in rows])
        except (StopIteration, ValueError):
            continue
        yield Standing(aim.what, aim.words, seen, "yes" if aim.least <= seen <= aim.most else "no")


if __name__ == "__main__":
    show_aims(OUT)
