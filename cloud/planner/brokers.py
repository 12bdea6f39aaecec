"""Whether two nodes would count the same messages: nodes that read from one broker without sharing. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fogline.model.errors import Conflict, Fault
from fogline.v1 import control_pb2

HINT = "set the same broker.share on each of them, give each a broker of its own, or retire the node that is gone"


class BrokerNotShared(Conflict):
    """Several nodes read from one broker, and each gets every message."""

    code = "broker_not_shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubling:
    """A broker whose messages would count more than once."""

    url: str
    """As the first of its readers names it."""
    readers: tuple[str, ...]
    """Nodes, sorted; one that reads twice stands here twice."""
    groups: tuple[str, ...]
    """The groups that they are in, sorted; an empty name for none."""

    def __str__(self) -> str:
        if self.groups == ("",):
            how = "without a group"
        else:
            how = "in different groups: " + ", ".join(group or "none" for group in self.groups)
        return (
            f"{', '.join(self.readers)} read from {self.url} {how}, so that each message counts once for each"
        )


def doublings(reports: Iterable[control_pb2.NodeReport]) -> tuple[Doubling, ...]:
    """Every broker that has several readers which do not all share it in one group.

    Every node runs every plan, so whoever reads from the same broker reads the same streams from it.
    """
    readers: dict[str, list[tuple[str, control_pb2.BrokerReport]]] = {}
    for report in reports:
        for broker in report.brokers:
            readers.setdefault(broker.identity or broker.url, []).append((report.node, broker))
    found = []
    for _, read in sorted(readers.items()):
        groups = tuple(sorted({broker.share for _, broker in read}))
        if len(read) > 1 and (len(groups) > 1 or not groups[0]):
            nodes = tuple(sorted(node for node, _ in read))
            found.append(Doubling(url=read[0][1].url, readers=nodes, groups=groups))
    return tuple(found)


def check_shared(streams: Iterable[str], reports: Iterable[control_pb2.NodeReport]) -> None:
    """Refuse streams whose messages would count twice. Raises :class:`BrokerNotShared` naming each."""
    found = doublings(reports)
    if not found:
        return
    said = "; ".join(map(str, found))
    places = [
        Fault(line=0, column=0, path=f"streams.{name}", message=said, hint=HINT) for name in sorted(streams)
    ]
    raise BrokerNotShared(said, hint=HINT, places=places)


def faults_by_node(reports: Iterable[control_pb2.NodeReport]) -> Mapping[str, Sequence[str]]:
    """What to say of each node that already does so: it may have come after the streams."""
    faults: dict[str, list[str]] = {}
    for doubling in doublings(reports):
        for node in sorted(set(doubling.readers)):
            faults.setdefault(node, []).append(f"{doubling} ({HINT})")
    return faults
