"""What parents say of what this node shall run: desired state and assignments, kept on its disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol, Self

from fog_node.assigned import NOTHING, Effective, effective
from fog_node.reconcile.desired import Assigned
from fogline.control.assignments import KeptAssignments, Place, Vouch
from fogline.control.desired import Desired
from fogline.control.keep import KeptDesired
from fogline.control.keys import Anchor
from fogline.identity.holder import Holder
from fogline.v1 import control_pb2

NOWHERE: Final = Place(0, 0, 0)


class Assignable(Protocol):
    """What runs replicas."""

    def assign(self, assigned: Mapping[tuple[str, str], Assigned]) -> None:
        """Run as many of them, by plan and step."""
        ...


class Told:
    """Takes what is to be believed of a parent's words, and lets it hold."""

    def __init__(
        self,
        folder: Path,
        *,
        node: str,
        containers: Assignable,
        anchor: Anchor | None = None,
        vouch: Vouch | None = None,
    ) -> None:
        """``anchor``, ``vouch``: whether the CA stands behind a signing key, behind an aggregator's assignments."""
        self._node: Final = node
        self._containers: Final = containers
        self._desired: Final = KeptDesired(folder / "desired", anchor=anchor)
        self._assignments: Final = KeptAssignments(folder / "assignments", vouch=vouch)
        self._effective: Effective = NOTHING

    @classmethod
    def by(cls, folder: Path, *, node: str, containers: Assignable, holder: Holder | None) -> Self:
        """Believe whom the identity's CA stands behind; without an identity the first that says something."""
        if holder is None:
            return cls(folder, node=node, containers=containers)
        # Imported here: certificates cost 3 MiB, and only those who have one shall pay them.
        from fogline.identity.vouching import anchor_of, vouch_of  # noqa: PLC0415

        return cls(folder, node=node, containers=containers, anchor=anchor_of(holder), vouch=vouch_of(holder))

    @property
    def desired(self) -> Desired:
        """The newest desired state."""
        return self._desired.desired

    async def hear(self, told: control_pb2.AttachResponse) -> None:
        """A parent's word."""
        if told.HasField("signed"):
            await self._desired.accept(told)
        if told.HasField("assignments") and await self._assignments.accept(
            told.assignments, self.desired.state
        ):
            self.assign()

    def assign(self) -> None:
        """Let the newest assignments hold within the newest desired state."""
        given = self._assignments.given
        if given is not None and self.desired.state is not None:
            self._effective = effective(self.desired.state, given.content, self._node)
            self._containers.assign(self._effective.shares)

    def fill(self, report: control_pb2.NodeReport) -> None:
        """Say in a report what is believed, and what is not."""
        place = self._assignments.given.place if self._assignments.given is not None else NOWHERE
        report.term, report.sequence = place.term, place.sequence
        report.faults.extend((*self._desired.faults, *self._assignments.faults, *self._effective.faults))
        report.known_keys.extend(self._desired.known_keys)
        report.contested = self._desired.contested

    @property
    def refused(self) -> dict[str, int]:
        """Words of parents that were not believed, by reason."""
        return dict(self._desired.refused + self._assignments.refused)
