"""Real radio data through two nodes, an aggregator and the cloud, checked by arithmetic that shares no code with it.

python -m bench.drill_ulb --data DIR [--parts] [--json FILE]

DIR holds ulb_readings_dev.csv.gz: 18,673 readings of 19 motes with real radio loss and 39 retransmissions. Two
pipelines read them, one as they come and one with `identity: [node, seq]`. Their counts, minima, maxima and averages
per mote and hour are compared with those that this script computes from the file, and every ledger must add up. Exit
code 1 if anything differs.

With ``--parts`` the readings go through a mosquitto with the configuration of ``deploy/`` into a PostgreSQL, and must
give the same numbers. One node reads there: repeats are recognised within a node, and a group divides them.
"""

import argparse
import asyncio
import csv
import gzip
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from fogline.testing.mosquitto import Mosquitto
from tests.postgres import private_postgres

FILE = "ulb_readings_dev.csv.gz"
FIELDS = ("temp_c", "hum_pct", "volt_v", "int_temp_c", "par", "tsr")
HOUR_US = 3_600_000_000
SETTLED_WITHIN_S = 180

SPEC = """\
name: {name}
streams:
  {stream}:
    mqtt: "wsn/ulb/{{node}}/reading"
    time: {{path: ts_ms, unit: ms}}
    fields:
      seq: int
{fields}
{identity}
steps:
  by_hour:
    sql: |
      SELECT node, count(*) AS n, {aggregates}
      FROM {stream} GROUP BY node, TUMBLE(ts_ms, INTERVAL '1 hour')
late: {{keep: 2d}}
"""
PIPELINES = {"ulb-all": ("every_reading", ""), "ulb-once": ("once", "    identity: [node, seq]")}


class Values(NamedTuple):
    """What one mote said in one hour."""

    n: int
    fields: dict[str, tuple[int, float, float, Fraction]]
    """Name to count, minimum, maximum, sum."""


Windows = dict[tuple[str, int], Values]
"""Mote and start of the hour, microseconds since 1970, to values."""


class Fogline:
    """The command line, from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """A command with --json: its lines."""
        command = [sys.executable, "-m", "fogline", *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ledger(self, pipeline: str) -> list[dict[str, Any]]:
        """The ledger of a pipeline's stream; what brokers say has lines of its own."""
        return [line for line in self.asked("ledger", pipeline) if "stream" in line]

    def asked(self, *arguments: str) -> list[dict[str, Any]]:
        """A command to the server of the folder."""
        return self.run(*arguments, "--dir", str(self.folder))

    @contextmanager
    def up(self, *arguments: str) -> Iterator[dict[str, Any]]:
        """All tiers; what `up` says when it is ready."""
        command = [sys.executable, "-m", "fogline", "up", "--dir", str(self.folder), *arguments]
        command += ["--no-sensors", "--no-browser", "--json"]
        with (self.folder / "up.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"up did not start:\n{(self.folder / 'up.log').read_text()}")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(60)


def computed(rows: list[dict[str, str]], shift_us: int, *, once: bool) -> Windows:
    """Windows of the file, by exact arithmetic over the cells as they are written."""
    found: dict[tuple[str, int], list[dict[str, str]]] = {}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        name = row["node"], row["seq"]
        if once and name in seen:
            continue
        seen.add(name)
        instant = int(row["ts_ms"]) * 1000 + shift_us
        found.setdefault((row["node"], instant - instant % HOUR_US), []).append(row)
    return {key: Values(len(group), _fields(group)) for key, group in found.items()}


def _fields(group: list[dict[str, str]]) -> dict[str, tuple[int, float, float, Fraction]]:
    fields = {}
    for field in FIELDS:
        exact = [Fraction(row[field]) for row in group if row[field]]
        if exact:
            fields[field] = (len(exact), float(min(exact)), float(max(exact)), sum(exact, Fraction()))
    return fields


def differences(wanted: Windows, results: list[dict[str, Any]]) -> Iterator[str]:
    """Every way in which the results are not what they should be."""
    found = {(row["key"]["node"], _instant(row["window_start"])): row["values"] for row in results}
    if len(found) != len(results):
        yield "a window and key occurs twice"
    for key in sorted(wanted.keys() ^ found.keys()):
        yield f"{key}: {'not in the results' if key in wanted else 'not in the file'}"
    for key in sorted(wanted.keys() & found.keys()):
        ours, theirs = wanted[key], found[key]
        if theirs["n"] != ours.n:
            yield f"{key}: {theirs['n']} readings, {ours.n} in the file"
        for field, (count, least, greatest, total) in ours.fields.items():
            mean = float(total / count)
            same = theirs[f"{field}_n"] == count
            same &= theirs[f"{field}_min"] == least and theirs[f"{field}_max"] == greatest
            same &= math.isclose(theirs[f"{field}_avg"], mean, rel_tol=1e-12)
            if not same:
                yield f"{key} {field}: {theirs}, in the file {(count, least, greatest, mean)}"


def _instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def ledger_faults(ledger: list[dict[str, Any]], rows: int, repeats: int) -> Iterator[str]:
    """What in a pipeline's ledger does not add up, by our own sums."""
    for line in ledger:
        where = f"ledger of {line['pipeline']}"
        if not line["adds_up"]:
            yield f"{where}: {line['differences']}"
        if line["received"] != line["journaled"] + sum(line["refused"].values()):
            yield f"{where}: received is not journaled + refused"
        before = line["before_start"] + line["committed"] + line["pending"] + sum(line["gap"].values())
        if line["journaled"] != before or line["committed"] != rows:
            yield f"{where}: {line['journaled']} journaled, {line['committed']} committed of {rows} rows"
        for step in line["steps"]:
            ended = (
                step["counted"]
                + step["filtered"]
                + sum(step["dead"].values())
                + sum(step["too_late"].values())
            )
            if step["decoded"] != ended or step["decoded"] != rows or step["counted"] != rows - repeats:
                yield f"{where}: {step}"
            if step["dead"].get("duplicate", 0) != repeats or step["too_late"]:
                yield f"{where}: {step['dead']} dead, {step['too_late']} too late, {repeats} repeats in the file"


def spec_of(name: str) -> str:
    """The spec of one of the pipelines."""
    stream, identity = PIPELINES[name]
    fields = "\n".join(f"      {field}: {{type: float, resolution: 0.01}}" for field in FIELDS)
    aggregates = ", ".join(
        f"count({f}) AS {f}_n, min({f}) AS {f}_min, max({f}) AS {f}_max, avg({f}) AS {f}_avg" for f in FIELDS
    )
    return SPEC.format(name=name, stream=stream, identity=identity, fields=fields, aggregates=aggregates)


def settle(fogline: Fogline, rows: int) -> float:
    """Wait until every message is committed in every pipeline; how long it took, in seconds."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLED_WITHIN_S:
        ledgers = [line for name in PIPELINES for line in fogline.ledger(name)]
        if len(ledgers) == len(PIPELINES) and all(line["committed"] >= rows for line in ledgers):
            return time.monotonic() - began
        time.sleep(0.5)
    raise SystemExit(f"not committed within {SETTLED_WITHIN_S} s:\n{json.dumps(ledgers, indent=1)}")


async def drill_with_parts(folder: Path, data: Path) -> dict[str, Any]:
    """The same through a mosquitto into a PostgreSQL."""
    async with Mosquitto(folder / "mosquitto") as mosquitto:
        with private_postgres(durable=True) as postgres:
            up = ("--nodes", "1", "--broker", mosquitto.url, "--store", postgres.url)
            return await asyncio.to_thread(drill, folder, data, up, to=[mosquitto.url])


def drill(
    folder: Path, data: Path, up: Sequence[str] = ("--nodes", "2"), *, to: Sequence[str] = ()
) -> dict[str, Any]:
    """Everything once: the report. ``up`` says which tiers run, ``to`` where readings are published if not to
    the nodes.
    """
    file = next(data.glob(f"**/{FILE}"), None)
    if file is None:
        raise SystemExit(f"{data} holds no {FILE}; name the folder of the data sets with --data")
    with gzip.open(file, "rt", newline="") as lines:
        rows = list(csv.DictReader(lines))
    repeats = len(rows) - len({(row["node"], row["seq"]) for row in rows})
    fogline = Fogline(folder)
    with fogline.up(*up) as ready:
        for name in PIPELINES:
            spec = folder / f"{name}.yaml"
            spec.write_text(spec_of(name))
            fogline.asked("deploy", str(spec), "--wait")
        targets = [flag for url in to or ready["mqtt"] for flag in ("--to", url)]
        topic = ("--topic", "wsn/ulb/{node}/reading", "--split", "node", "--time", "shift")
        time_column = ("--time-column", "ts_ms", "--time-unit", "ms")
        (replayed,) = fogline.run("replay", str(file), *targets, *topic, *time_column)
        settled_s = settle(fogline, len(rows))
        report: dict[str, Any] = {"rows": len(rows), "repeats": repeats, "replay": replayed}
        report["settled_s"] = round(settled_s, 1)
        report["pipelines"] = {
            name: _checked(fogline, name, rows, replayed["shift_us"], repeats if name == "ulb-once" else 0)
            for name in PIPELINES
        }
    return report


def _checked(
    fogline: Fogline, name: str, rows: list[dict[str, str]], shift_us: int, repeats: int
) -> dict[str, Any]:
    wanted = computed(rows, shift_us, once=bool(repeats))
    found: list[str] = []
    results: list[dict[str, Any]] = []
    # Finishing is a pass of its own behind the commit: the last results may come a moment later.
    for _ in range(20):
        results = fogline.asked("results", name)
        found = list(differences(wanted, results))
        if not found:
            break
        time.sleep(0.5)
    found += ledger_faults(fogline.ledger(name), len(rows), repeats)
    statuses = {
        status: sum(r["status"] == status for r in results) for status in {r["status"] for r in results}
    }
    return {
        "windows": len(wanted),
        "readings": sum(values.n for values in wanted.values()),
        "statuses": statuses,
        "differences": found,
    }


def main() -> int:
    """Run the drill and print its report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ulb_readings_dev.csv.gz")
    parser.add_argument("--parts", action="store_true", help="through a mosquitto, into a PostgreSQL")
    parser.add_argument("--json", type=Path, help="write the report there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fogline-ulb-") as folder:
        if arguments.parts:
            report = asyncio.run(drill_with_parts(Path(folder), arguments.data))
        else:
            report = drill(Path(folder), arguments.data)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    replay = report["replay"]
    print(f"{report['rows']} rows, {report['repeats']} repeats")
    print(
        f"replayed in {replay['seconds']} s to {replay['targets']}; committed {report['settled_s']} s later"
    )
    print(f"{'pipeline':<10} {'readings':>8} {'windows':>8} {'differences':>12}  statuses")
    failed = False
    for name, one in report["pipelines"].items():
        count = len(one["differences"])
        print(f"{name:<10} {one['readings']:>8} {one['windows']:>8} {count:>12}  {one['statuses']}")
        for difference in one["differences"][:20]:
            print(f"  {difference}")
        failed |= count > 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
