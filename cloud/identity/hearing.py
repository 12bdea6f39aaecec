"""What aggregators have issued while the cloud was away: believed as far as their signatures reach."""

from collections.abc import Sequence
from typing import Final

import structlog
from cryptography import x509

from cloud.identity.authority import joined_key
from cloud.identity.standing import AdmissionBoard
from cloud.store.admissions import Admissions, Heard
from fogline.identity.admission import AdmissionList
from fogline.identity.certificates import describe, leads_to, parse_der, serial_of
from fogline.identity.servicer import may_sign
from fogline.model.caller import Caller
from fogline.model.clock import Clock
from fogline.model.errors import FogError
from fogline.v1 import enrol_pb2

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Hearing:
    """The cloud's :class:`fogline.identity.feed.Source`."""

    def __init__(
        self, admissions: Admissions, board: AdmissionBoard, roots: Sequence[x509.Certificate], clock: Clock
    ) -> None:
        self._admissions: Final = admissions
        self._board: Final = board
        self._roots: Final = roots
        self._clock: Final = clock

    @property
    def admission(self) -> AdmissionList:
        """The newest list."""
        return self._board.list

    async def heard(self, enrolments: Sequence[enrol_pb2.Enrolment], caller: Caller) -> list[str]:
        """Keep what an aggregator has issued. What it may not have issued is dropped, and said in the log."""
        kept, serials = [], []
        for enrolment in enrolments:
            try:
                chain = [parse_der(der) for der in enrolment.certificates]
                serials.append(serial_of(chain[0]))
                subject = describe(chain[0]).subject
            except (FogError, IndexError):
                _log.warning("an enrolment makes no sense", aggregator=caller.name)
                continue
            signed = leads_to(chain, *self._roots) and all(may_sign(each, subject) for each in chain[1:])
            if not signed or subject.tenant != caller.tenant:
                _log.warning(
                    "an aggregator certified whom it may not", aggregator=caller.name, subject=str(subject)
                )
                continue
            kept.append(
                Heard(
                    joined=joined_key(chain[:1]),
                    token=enrolment.token,
                    by=enrolment.by,
                    at_us=enrolment.at_us,
                )
            )
        if kept:
            for refused in await self._admissions.hear(kept, self._clock.now_us()):
                _log.warning(
                    "a token was used twice; the later machine's identity is taken back", key=refused
                )
            self._board.changed()
        return serials
