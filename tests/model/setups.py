"""The configurations that are explored with the shipped rules."""

from collections.abc import Mapping
from typing import Final

from fogline.model.frozen import FrozenMap
from tests.model.setup import CRASHES, LINKS, ORDINARY, Setup
from tests.model.values import CLOUD, Fault

Parents = FrozenMap[str, tuple[str, ...]]
EITHER: Final[Parents] = FrozenMap({"node0": ("agg0", CLOUD)})

LOSSY: Final = frozenset({Fault.LOSS, Fault.REPEAT})
CUT: Final = frozenset({Fault.CUT})
RESTORING: Final = frozenset({Fault.BACKUP, Fault.RESTORE})
GIVING_UP: Final = frozenset({Fault.EXPIRE, Fault.DETACH})
CHAIN: Final[Parents] = FrozenMap(
    {"node0": ("agg0",), "node1": ("agg1",), "agg0": ("agg1",), "agg1": (CLOUD,)}
)

QUICK: Final[Mapping[str, Setup]] = {
    "direct": Setup(messages=2, cuts=True, faults=2, cloud_processes=True),
    "direct, lossy stream": Setup(messages=3, cuts=True, faults=2, kinds=LOSSY | CUT),
    "aggregator": Setup(aggregators=1, messages=2, cuts=True, faults=2),
    "aggregator, lossy stream": Setup(aggregators=1, messages=2, cuts=True, faults=1, kinds=LOSSY | LINKS),
    "fail-over": Setup(aggregators=2, faults=2, kinds=LINKS),
    "fail-over, crashes": Setup(aggregators=2, kinds=CRASHES),
    "aggregator or the cloud itself": Setup(aggregators=1, faults=2, parents=EITHER, kinds=ORDINARY),
    "group": Setup(nodes=2, aggregators=1),
    "chain": Setup(aggregators=2, faults=2, parents=CHAIN, kinds=LINKS),
    "chain with two nodes": Setup(
        nodes=2, aggregators=2, parents=CHAIN, kinds=CUT, victims=("agg0", "node0")
    ),
    "two plans": Setup(plans=2, faults=2, truncates=True, kinds=LINKS),
    "a plan that begins later": Setup(messages=3, start=1, base=1, faults=2, cuts=True),
    "truncation at any moment": Setup(aggregators=1, messages=2, cuts=True, truncates=True),
    "growing journal": Setup(growing=1, unsynced=True, faults=2, truncates=True),
    "disk loss": Setup(aggregators=1, growing=1, faults=2, kinds=CUT | {Fault.DISK_LOSS}),
    "new epoch in mid-run": Setup(aggregators=1, growing=1, faults=2, kinds=CUT | {Fault.ROLL}),
    "expire and detach": Setup(plans=2, messages=1, faults=2, truncates=True, kinds=GIVING_UP | CUT),
    "expire at an aggregator": Setup(aggregators=1, messages=2, faults=2, kinds=GIVING_UP | LINKS),
    "watermarks": Setup(aggregators=1, messages=2, cuts=True, watermarks=True, kinds=LOSSY | LINKS),
    "restored store": Setup(messages=2, cuts=True, faults=3, truncates=True, kinds=RESTORING | CUT),
    "restored store behind an aggregator": Setup(
        aggregators=1, messages=1, faults=3, truncates=True, heartbeats=True, kinds=RESTORING | CUT
    ),
    "restored store and a node that starts again": Setup(
        messages=2, faults=3, truncates=True, kinds=RESTORING | {Fault.NODE_CRASH}
    ),
}

LARGE: Final[Mapping[str, Setup]] = {
    "direct, more faults": Setup(messages=3, cuts=True, faults=3, cloud_processes=True),
    "aggregator, more faults": Setup(aggregators=1, messages=3, cuts=True, faults=3),
    "fail-over, all faults": Setup(aggregators=2, faults=2),
    "fail-over, two messages": Setup(aggregators=2, messages=2, cuts=True, faults=2, kinds=LINKS),
    "two nodes, two aggregators": Setup(nodes=2, aggregators=2),
    "two nodes, two messages": Setup(nodes=2, aggregators=1, messages=2, faults=2),
    "two nodes, chain": Setup(nodes=2, aggregators=2, parents=CHAIN, faults=2),
    "two plans, aggregator": Setup(plans=2, aggregators=1, truncates=True, faults=2),
    "restored store, fail-over": Setup(
        aggregators=2, faults=3, truncates=True, heartbeats=True, kinds=RESTORING | CUT
    ),
    "expire and detach, fail-over": Setup(aggregators=2, plans=2, faults=2, kinds=GIVING_UP | CUT),
    "watermarks, two nodes": Setup(nodes=2, aggregators=1, watermarks=True, faults=2, kinds=LOSSY | LINKS),
    "disk loss, fail-over": Setup(aggregators=2, growing=1, faults=2, kinds=CUT | {Fault.DISK_LOSS}),
}

WIDE: Final[Mapping[str, Setup]] = {
    "everything but lost disks and stores": Setup(
        nodes=3,
        aggregators=3,
        plans=2,
        messages=2,
        growing=2,
        unsynced=True,
        truncates=True,
        watermarks=True,
        cuts=True,
        faults=8,
        kinds=ORDINARY | LOSSY | GIVING_UP | {Fault.ROLL},
        parents=FrozenMap({"agg0": ("agg1", CLOUD), "agg2": ("agg1", CLOUD), "node2": ("agg2", CLOUD)}),
    ),
    "everything": Setup(
        nodes=2,
        aggregators=2,
        plans=2,
        messages=2,
        growing=2,
        truncates=True,
        watermarks=True,
        heartbeats=True,
        cuts=True,
        faults=8,
        kinds=frozenset(Fault),
        parents=FrozenMap({"agg0": ("agg1", CLOUD)}),
    ),
}
"""Too large to be explored: random walks go through them."""
