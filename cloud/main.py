"""Wires the cloud together."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

from cloud.api.servicers import add_api
from cloud.api.services import make_services
from cloud.board import Board
from cloud.catalog import Catalog
from cloud.changes import Changes
from cloud.committer import Committer
from cloud.dashboard.app import make_app
from cloud.dashboard.feed import Feed
from cloud.dashboard.server import DashboardServer
from cloud.finish.finisher import Finisher
from cloud.planner.planner import Planner
from cloud.settings import CloudSettings
from cloud.store.sql import open_sqlite
from cloud.store.store import Store
from fogline.control.servicer import ControlServicer
from fogline.intake.servicer import IntakeServicer
from fogline.model.clock import SECOND, Clock, SystemClock
from fogline.model.errors import FogError
from fogline.service.arguments import settings_from
from fogline.service.folder import make_folder
from fogline.service.logs import set_up_logs
from fogline.service.run import refused, run_until_signalled
from fogline.service.server import Server
from fogline.v1 import control_pb2_grpc, uplink_pb2_grpc

STORE_FILE: Final = "store.sqlite"


class Cloud:
    """Everything of one cloud process; :meth:`run` runs it."""

    def __init__(self, settings: CloudSettings, store: Store, *, clock: Clock) -> None:
        self._settings: Final = settings
        self._store: Final = store
        changes = Changes()
        self._catalog: Final = Catalog()
        self._finisher: Final = Finisher(
            store, self._catalog, clock, changes, results_keep_us=settings.results_keep
        )
        self._committer: Final = Committer(store, self._catalog, clock, self._finisher.committed)
        self._planner: Final = Planner(
            store, self._catalog, clock, changes, replaced_keep_us=settings.replaced_keep
        )
        self._board: Final = Board(
            store,
            clock,
            self._catalog.desired,
            outbid=self._planner.outbid,
            moved=self._finisher.look_at_all,
        )
        self.services: Final = make_services(
            store=store,
            catalog=self._catalog,
            board=self._board,
            planner=self._planner,
            changes=changes,
            clock=clock,
            commits=self._committer.counters,
        )
        self._intake: Final = IntakeServicer(
            self._committer, parent=settings.name, credit_bytes=settings.credit
        )
        self._control: Final = ControlServicer(self._board)
        self.server: Final = Server(listen=settings.listen, insecure=settings.insecure)
        self.serving: Final = asyncio.Event()
        """Set once every port is open."""
        self.dashboard: Final = self._dashboard(clock) if settings.dashboard else None

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until told to stop."""
        await self._catalog.refresh(self._store)
        await self._board.load()
        self._add_services()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._committer.run(), name="commit parts"),
                group.create_task(self._finisher.run(), name="finish windows"),
                group.create_task(self._board.run(), name="keep reports"),
                group.create_task(self._planner.run(), name="switch names"),
            ]
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self.server)
                if self.dashboard is not None:
                    group.create_task(self.dashboard.run(stopping), name="serve the dashboard")
                self.serving.set()
                await stopping.wait()
            for task in tasks:
                task.cancel()

    def _dashboard(self, clock: Clock) -> DashboardServer:
        feed = Feed(
            store=self._store,
            catalog=self._catalog,
            board=self._board,
            overview=self.services.overview,
            commits=self._committer.counters,
            clock=clock,
        )
        settings = self._settings
        app = make_app(feed, insecure=settings.insecure)
        return DashboardServer(app, listen=settings.dashboard, insecure=settings.insecure)

    def _add_services(self) -> None:
        self.server.add(
            "fogline.v1.UplinkService",
            lambda server: uplink_pb2_grpc.add_UplinkServiceServicer_to_server(self._intake, server),
            end=self._intake.end_streams,
        )
        self.server.add(
            "fogline.v1.ControlService",
            lambda server: control_pb2_grpc.add_ControlServiceServicer_to_server(self._control, server),
            end=self._control.end_streams,
        )
        add_api(self.server, self.services)


def main(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run the cloud until it is told to stop, and return the exit code."""
    try:
        settings = settings_from(CloudSettings, tier="cloud", arguments=arguments, environment=environment)
        make_folder(settings.folder)
    except FogError as error:
        return refused(error)
    set_up_logs(level=settings.log_level, tier="cloud", name=settings.name)
    clock = SystemClock()

    async def run(stopping: asyncio.Event) -> None:
        async with open_sqlite(settings.folder / STORE_FILE, clock.now_us()) as store:
            await Cloud(settings, store, clock=clock).run(stopping)

    return run_until_signalled(run, limit_s=settings.stop_within / SECOND)
