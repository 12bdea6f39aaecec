"""What the results must be, computed from what was published, in plain Python."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

WIDTH_MS = 5_000
PIPELINE = """\
name: drill
streams:
  beats:
    mqtt: "drill/{device}/beat"
    format: json
    time: {path: ts, unit: ms}
    fields: {id: int, dice: int}
steps:
  by_device:
    sql: |
      SELECT device, count(*) AS n, sum(id) AS ids, sum(dice) AS dice, min(id) AS first, max(id) AS last,
        approx_distinct(device) AS devices, quantile(dice, 0.5) AS middle
      FROM beats GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
late: {disorder: 2s, wait: 4s, keep: 1d}
emit: {every: 250ms, on: change}
"""
IDENTIFIED = PIPELINE.replace("    fields:", "    identity: {fields: [id], within: 1h}\n    fields:")
"""The same, for a way to the node on which messages are repeated under other packet ids."""
BY_OFFSET = PIPELINE.replace("name: drill", "name: drill-offsets").replace("beats", "deliveries")
"""The same messages without an identity: what was repeated counts as often as it was journaled."""


@dataclass(slots=True)
class Sums:
    """What one window of one device must say. ``dice`` is a random number a message: a mix-up changes it."""

    n: int = 0
    ids: int = 0
    dice: int = 0
    first: int = 2**62
    last: int = -1


@dataclass
class Truth:
    """Everything published, added up; each message names itself by ``id``."""

    windows: dict[tuple[int, str], Sums] = field(default_factory=lambda: defaultdict(Sums))
    messages: int = 0
    ids: set[int] = field(default_factory=set)

    def add(self, device: str, ts_ms: int, id_: int, dice: int) -> None:
        """One message was given to a device to publish."""
        sums = self.windows[ts_ms - ts_ms % WIDTH_MS, device]
        sums.n += 1
        sums.ids += id_
        sums.dice += dice
        sums.first = min(sums.first, id_)
        sums.last = max(sums.last, id_)
        self.messages += 1
        self.ids.add(id_)

    def differences(self, lines: Iterable[str]) -> list[str]:
        """Where `fogline results --json` says something else than was published; empty: exactly once."""
        found: dict[tuple[int, str], dict[str, int]] = {}
        wrong = []
        for line in lines:
            row = json.loads(line)
            start = datetime.fromisoformat(row["window_start"])
            key = round(start.timestamp() * 1000), row["key"]["device"]
            if key in found:
                wrong.append(f"{key} is told twice")
            found[key] = row["values"]
            if row["have"] != row["expected"] or row["status"] == "open":
                wrong.append(f"{key} is {row['status']} with {row['have']} of {row['expected']} nodes")
        for key in sorted(self.windows.keys() | found.keys()):
            sums, values = self.windows.get(key), found.get(key)
            if sums is None:
                wrong.append(f"{key} was never published: {values}")
                continue
            must = {name: getattr(sums, name) for name in Sums.__slots__}
            said = {name: (values or {}).get(name) for name in must}
            if said != must:
                wrong.append(f"{key} must be {must}, is {said}")
        return wrong
