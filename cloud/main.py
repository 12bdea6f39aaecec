"""Wires the cloud together."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

import structlog

import fogline
from cloud.access.entrance import Entrance
from cloud.api.servicers import add_api
from cloud.api.services import make_services
from cloud.core import Core, Works
from cloud.metrics import CloudMetrics, StoreWatch
from cloud.news import News
from cloud.settings import CloudSettings
from cloud.signing.servicer import serve_signing
from cloud.signing.signer import Signer
from cloud.store.kept import Machine
from cloud.store.opening import open_store
from cloud.store.store import Store
from fogline.control.servicer import ControlServicer
from fogline.control.switchboard import Switchboard
from fogline.identity.expiry import end_expired
from fogline.identity.metrics import certificate_source
from fogline.intake.servicer import IntakeServicer
from fogline.model.clock import SECOND, Clock, SystemClock
from fogline.model.errors import FogError, StoreBusy, Unavailable
from fogline.service.arguments import settings_from
from fogline.service.folder import make_folder
from fogline.service.logs import set_up_logs
from fogline.service.metrics import MetricsPort, open_metrics
from fogline.service.notify import READY, say
from fogline.service.run import refused, run_until_signalled
from fogline.service.server import Server
from fogline.v1 import control_pb2_grpc, uplink_pb2_grpc

if TYPE_CHECKING:
    from cloud.identity.admittance import Admittance
    from cloud.rest.server import RestServer

STORE_AGAIN_SECONDS: Final = 2.0
"""A store that is away at the start is asked for so often."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Cloud:
    """Everything of one cloud process; :meth:`run` runs what its roles say."""

    def __init__(
        self, settings: CloudSettings, store: Store, *, clock: Clock, admittance: "Admittance | None" = None
    ) -> None:
        """``admittance``: who may come in as a child; without one everybody, on the people's port, in plain text."""
        self._admittance: Final = admittance
        self._settings: Final = settings
        self._store: Final = store
        self._clock: Final = clock
        signer = admittance.signer if admittance is not None else Signer()
        self.core: Final = Core(settings, store, signer=signer, taken_back=self._taken_back, clock=clock)
        sessions = Switchboard()
        self.services: Final = make_services(
            store=store,
            catalog=self.core.catalog,
            board=self.core.board,
            planner=self.core.planner,
            changes=self.core.changes,
            clock=clock,
            commits=self.core.committer.counters,
            sessions=sessions,
        )
        self._watch: Final = StoreWatch(store, self.core.catalog, self.services.overview, clock)
        self._intake: Final = IntakeServicer(
            self.core.committer, parent=settings.name, credit_bytes=settings.credit
        )
        self._control: Final = ControlServicer(self.core.board, sessions)
        self._entrance: Final = self._make_entrance()
        self.server: Final = Server(
            listen=settings.listen, insecure=settings.insecure, door=self._entrance.door
        )
        self.doors: Final = admittance.doors(self.server.calls) if admittance and self._commits else None
        self._news: Final = self._make_news()
        self.serving: Final = asyncio.Event()
        """Set once every port is open."""
        self.rest: Final = self._rest() if settings.rest and self._answers else None

    def _make_entrance(self) -> Entrance:
        admittance = self._admittance
        return Entrance(
            self._store.api_tokens,
            self._clock,
            folder=self._settings.folder,
            holder=admittance.holder if admittance else None,
            authority=admittance.fingerprint if admittance else b"",
            anonymous=self._settings.anonymous,
        )

    def _make_news(self) -> News:
        core = self.core
        return News(
            self._store,
            core.catalog,
            core.changes,
            self._clock,
            board=core.board if self._answers else None,
            alone=core.members.alone,
            changed=core.finisher.look_at_all,
            serves=self.serves,
        )

    @property
    def _commits(self) -> bool:
        return "commit" in self._settings.roles

    @property
    def _answers(self) -> bool:
        return "api" in self._settings.roles

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until told to stop. Raises :class:`StoreBusy` if the store goes away before everything is read."""
        await self.core.open(self._store, commits=self._commits)
        if self._answers:
            await self._entrance.open()
        self._add_services()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work, name=name) for name, work in self._works()]
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self.server)
                if self.doors is not None:
                    await stack.enter_async_context(self.doors)
                await stack.enter_async_context(self._metrics_port())
                if self.rest is not None:
                    group.create_task(self.rest.run(stopping), name="serve the HTTP API")
                self.serving.set()
                say(READY, f"listens on {self.server.address}")
                await stopping.wait()
            for task in tasks:
                task.cancel()
        if self._commits:
            await self.core.members.leave()

    def _works(self) -> Works:
        works = [
            ("hear of other processes", self._news.run()),
            *self.core.works(commits=self._commits),
            *self._entrance.works(),
        ]
        if self.doors is not None:
            works += self.doors.works(self._end_revoked)
            works.append(("end streams with their certificates", end_expired(self._clock, self.end_expired)))
        if self._commits and self._settings.metrics:
            works.append(("watch the store for metrics", self._watch.run()))
        return works

    async def serves(self, *, serving: bool) -> None:
        """Whether this process is of use to anyone.

        Without its store for long this process is of no use to anyone: other processes may still reach it.
        """
        await self.server.says_serving(serving=serving)
        if self.doors is not None:
            await self.doors.says_serving(serving=serving)
        for servicer in (self._intake, self._control):
            if serving:
                servicer.reopen()
            else:
                servicer.close(Unavailable("this process cannot reach its store"))

    @property
    def metrics(self) -> CloudMetrics:
        """What this process counts."""
        return CloudMetrics(
            board=self.core.board,
            catalog=self.core.catalog,
            intake=self._intake if self._commits else None,
            committer=self.core.committer if self._commits else None,
            finisher=self.core.finisher if self._commits else None,
            watch=self._watch if self._commits else None,
            grpc_calls=self.server.calls,
            http_calls=self.rest.calls if self.rest is not None else None,
            desk=self._entrance.desk,
            clock=self._clock,
        )

    def _metrics_port(self) -> AbstractAsyncContextManager[MetricsPort | None]:
        settings = self._settings
        holder = None if self._admittance is None else self._admittance.holder
        return open_metrics(
            settings.metrics,
            insecure=settings.insecure,
            identity=("cloud", settings.name, fogline.__version__),
            sources={**self.metrics.sources, **certificate_source(holder, self._clock)},
            admit=self._entrance.may_scrape,
        )

    def end_expired(self, now_us: int) -> None:
        """End what is open by certificates that have ended."""
        for servicer in (self._intake, self._control):
            servicer.end_expired(now_us)
        if self._admittance is not None:
            self._admittance.feed.end_expired(now_us)

    def _end_revoked(self) -> None:
        """Keys were taken back: end what is open by them."""
        for servicer in (self._intake, self._control):
            servicer.end_revoked(self._revoked)

    def _taken_back(self, machine: Machine) -> bool:
        return self._admittance is not None and self._admittance.board.taken_back(machine)

    def _revoked(self, key: str) -> bool:
        return self._admittance is not None and self._admittance.board.revoked(key)

    def _rest(self) -> "RestServer":
        # Imported here: FastAPI costs 30 MiB, and only those who serve HTTP shall pay them.
        from cloud.rest.server import RestServer  # noqa: PLC0415

        settings = self._settings
        return RestServer(
            self.services, listen=settings.rest, insecure=settings.insecure, desk=self._entrance.desk
        )

    def _add_services(self) -> None:
        if self._commits:
            children = self.server if self.doors is None else self.doors.children
            children.add(
                "fogline.v1.UplinkService",
                lambda server: uplink_pb2_grpc.add_UplinkServiceServicer_to_server(self._intake, server),
                end=self._intake.end_streams,
            )
            children.add(
                "fogline.v1.ControlService",
                lambda server: control_pb2_grpc.add_ControlServiceServicer_to_server(self._control, server),
                end=self._control.end_streams,
            )
        if self._answers:
            add_api(self.server, self.services)
            serve_signing(self.server, self.core.keyring)
            self._entrance.serve(self.server)
            if self._admittance is not None:
                self._admittance.serve_people(self.server)


async def _admittance(settings: CloudSettings, store: Store, clock: Clock) -> "Admittance":
    # Imported here: cryptography costs 10 MiB, and only those who know their machines shall pay them.
    from cloud.identity.admittance import open_admittance  # noqa: PLC0415

    return await open_admittance(settings, store.admissions, clock)


def main(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run the cloud until it is told to stop, and return the exit code."""
    try:
        settings = settings_from(CloudSettings, tier="cloud", arguments=arguments, environment=environment)
        make_folder(settings.folder)
    except FogError as error:
        return refused(error)
    set_up_logs(level=settings.log_level, log_format=settings.log_format, tier="cloud", name=settings.name)
    clock = SystemClock()

    async def run(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                async with open_store(settings.store, settings.folder, clock.now_us()) as store:
                    admittance = None if settings.plaintext else await _admittance(settings, store, clock)
                    await Cloud(settings, store, clock=clock, admittance=admittance).run(stopping)
                    return
            except StoreBusy as error:
                # Whoever starts everything at once starts databases and their users in any order.
                _log.warning("waiting for the store", error=error, again_in_s=STORE_AGAIN_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(STORE_AGAIN_SECONDS):
                    await stopping.wait()

    return run_until_signalled(run, limit_s=settings.stop_within / SECOND)
