"""Everything by which the cloud knows its machines, put together: CA, own identity, desk, doors."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cloud.api.joining import Joining
from cloud.identity.authority import open_shared_authority
from cloud.identity.desk import CloudDesk
from cloud.identity.hearing import Hearing
from cloud.identity.servicer import AdmissionServicer
from cloud.identity.standing import AdmissionBoard
from cloud.settings import CloudSettings
from cloud.signing.seal import Seal
from cloud.signing.signer import Signer, Vouching
from cloud.store.admissions import Admissions
from fogline.identity.authority import Authority, fingerprint_of
from fogline.identity.authority_folder import FOLDER
from fogline.identity.certificates import describe, key_of, to_pem
from fogline.identity.doors import REQUEST_BYTES, ChildrenDoor, JoiningDoor
from fogline.identity.feed import FeedServicer, add_feed
from fogline.identity.holder import Holder
from fogline.identity.identity import Identity
from fogline.identity.keys import key_to_pem, new_key, secret_of, sign, verify
from fogline.identity.names import CLOUD, Subject
from fogline.identity.renewal import LOOK_EVERY_S, is_due
from fogline.identity.servicer import EnrolServicer, add_enrolment
from fogline.model.caller import LOCAL
from fogline.model.clock import Clock
from fogline.service.calls import Calls
from fogline.service.server import Server
from fogline.v1 import enrol_pb2_grpc


class Admittance:
    """One cloud process's part in who may come in; made by :func:`open_admittance`."""

    def __init__(
        self, authority: Authority, admissions: Admissions, settings: CloudSettings, clock: Clock
    ) -> None:
        self._authority: Final = authority
        self._settings: Final = settings
        self._clock: Final = clock
        self.board: Final = AdmissionBoard(admissions, authority, clock)
        self.holder: Final = Holder(self._own())
        self.children_door: Final = ChildrenDoor(self.holder, revoked=self.board.revoked, clock=clock)
        self.joining_door: Final = JoiningDoor(self.holder)
        self._desk: Final = CloudDesk(authority, admissions, self.board, name=settings.name, clock=clock)
        self.feed: Final = FeedServicer(Hearing(admissions, self.board, authority.roots, clock))
        self.fingerprint: Final = fingerprint_of(authority.root)
        """SHA-256 of the CA's certificate."""
        self.joining: Final = Joining(
            admissions,
            fingerprint=self.fingerprint,
            clock=clock,
            changed=self.board.changed,
        )

    @property
    def signer(self) -> Signer:
        """Signs desired state, with keys that the CA vouches for and that only its key opens."""
        authority = self._authority
        roots = [key_of(root) for root in authority.roots]
        return Signer(
            Seal(secret_of(authority.key)),
            Vouching(
                sign=lambda content: sign(authority.key, content),
                signed=lambda content, signature: any(verify(root, content, signature) for root in roots),
            ),
        )

    def enrolment(self, parents: tuple[str, ...]) -> EnrolServicer:
        """Serves those who join; ``parents``: where they then find their parent."""
        return EnrolServicer(self._desk, parents=parents, clock=self._clock)

    def serve_people(self, server: Server) -> None:
        """Serve tokens and revocations."""
        servicer = AdmissionServicer(self.joining)
        server.add(
            "fogline.v1.AdmissionService",
            lambda grpc_server: enrol_pb2_grpc.add_AdmissionServiceServicer_to_server(servicer, grpc_server),
        )

    def doors(self, calls: Calls) -> "Doors":
        """The ports of children and of those who join."""
        return Doors(self, self._settings, calls)

    def renew_own(self) -> Identity:
        """A fresh certificate for this process; a key of its own with each."""
        identity = self._own()
        self.holder.replace(identity)
        return identity

    async def keep_own(self) -> None:
        """Renew the own certificate in time, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            if is_due(self.holder.identity, self._clock.now_us(), 0.0):
                self.renew_own()

    def _own(self) -> Identity:
        subject = Subject(tenant=LOCAL.tenant, role=CLOUD, name=self._settings.name)
        key, now_us = new_key(), self._clock.now_us()
        certificate = self._authority.issue(key.public_key(), subject, now_us=now_us)
        own = describe(certificate)
        return Identity(
            subject=subject,
            serial=own.serial,
            key=own.key,
            until_us=own.until_us,
            issued_us=now_us,
            key_pem=key_to_pem(key),
            chain_pem=to_pem((certificate,)),
            authority_pem=to_pem(self._authority.roots),
        )


class Doors:
    """The two ports, as an async context manager."""

    def __init__(self, admittance: Admittance, settings: CloudSettings, calls: Calls) -> None:
        self._admittance: Final = admittance
        self._advertise: Final = settings.advertise
        self.children: Final = Server(listen=settings.children, door=admittance.children_door, calls=calls)
        self.enrol: Final = Server(
            listen=settings.enrol, door=admittance.joining_door, calls=calls, request_bytes=REQUEST_BYTES
        )

    async def __aenter__(self) -> Self:
        # Those who join are told the port of the children, and these renew where they are.
        await self.children.bind()
        parent = self._advertise or f":{self.children.port}"
        for server in (self.children, self.enrol):
            add_enrolment(server, self._admittance.enrolment((parent,)))
        add_feed(self.children, self._admittance.feed)
        await self.children.__aenter__()
        try:
            await self.enrol.__aenter__()
        except BaseException:
            await self.children.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.enrol.stop()
        await self.children.stop()

    async def says_serving(self, *, serving: bool) -> None:
        """What health checks are told from now on."""
        await self.children.says_serving(serving=serving)
        await self.enrol.says_serving(serving=serving)

    def works(self, ended: Callable[[], None]) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """What runs beside them; ``ended`` is told when keys were taken back."""

        def end_all() -> None:
            ended()
            self._admittance.feed.end_revoked()

        return [
            ("follow revocations", self._admittance.board.run(end_all)),
            ("renew the own certificate", self._admittance.keep_own()),
        ]


async def open_admittance(settings: CloudSettings, admissions: Admissions, clock: Clock) -> Admittance:
    """Open the CA and read who belongs to it. Raises :class:`DataLoss`, :class:`AuthorityDiffers`."""
    folder = Path(settings.authority) if settings.authority else settings.folder / FOLDER
    authority = await open_shared_authority(folder, admissions, clock.now_us())
    made = Admittance(authority, admissions, settings, clock)
    await made.board.refresh()
    return made
