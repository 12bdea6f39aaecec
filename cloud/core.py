"""What one cloud process knows and does. The ports through which it is asked are wired in :mod:`cloud.main`."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from cloud.board import Board
from cloud.catalog import Catalog
from cloud.changes import Changes
from cloud.committer import Committer
from cloud.finish.finisher import Finisher
from cloud.members import Members
from cloud.planner.planner import Planner
from cloud.planner.reader import RegistrySettings
from cloud.settings import CloudSettings
from cloud.signing.keyring import Keyring
from cloud.signing.signer import Signer
from cloud.store.kept import Machine
from cloud.store.store import Store
from fogline.model.clock import Clock
from fogline.v1 import control_pb2

Works = list[tuple[str, Coroutine[Any, Any, None]]]
"""What goes on for ever, with names for logs."""


class Core:
    """Plans, commits, finishing, and what is known of machines."""

    def __init__(
        self,
        settings: CloudSettings,
        store: Store,
        *,
        signer: Signer,
        taken_back: Callable[[Machine], bool],
        clock: Clock,
    ) -> None:
        """``taken_back``: whether whatever had a machine's name was revoked."""
        self.changes: Final = Changes()
        self.catalog: Final = Catalog(signer)
        self.keyring: Final = Keyring(store, self.catalog, signer, clock)
        self.members: Final = Members(store, clock, settings.name)
        self.finisher: Final = Finisher(
            store,
            self.catalog,
            clock,
            self.changes,
            results_keep_us=settings.results_keep,
            keeps=self.members.keeps,
        )
        self.committer: Final = Committer(store, self.catalog, clock, self.finisher.committed)
        self.planner: Final = self._make_planner(settings, store, clock)
        self.board: Final = Board(
            store,
            clock,
            self.catalog.desired,
            outbid=self.planner.outbid,
            astray=self.keyring.astray,
            depose=self.planner.depose,
            moved=self.finisher.look_at_all,
            taken_back=taken_back,
        )

    async def open(self, store: Store, *, commits: bool) -> None:
        """Read what the store keeps. Raises :class:`fogline.model.errors.StoreBusy`."""
        await self.keyring.open()
        await self.catalog.refresh(store)
        await self.board.take_up()
        if commits:
            await self.members.join()

    def works(self, *, commits: bool) -> Works:
        """What goes on; most of it in processes that commit."""
        works: Works = [("keep a reader of specs", self.planner.readers.run())]
        if commits:
            works += [
                ("commit parts", self.committer.run()),
                ("finish windows", self.finisher.run()),
                ("keep reports", self.board.run()),
                ("switch names", self.planner.run()),
                ("be a member", self.members.run(self.finisher.look_at_all)),
            ]
        return works

    def _make_planner(self, settings: CloudSettings, store: Store, clock: Clock) -> Planner:
        return Planner(
            store,
            self.catalog,
            clock,
            self.changes,
            replaced_keep_us=settings.replaced_keep,
            keeps=self.members.keeps,
            reports=self._reports,
            registries=RegistrySettings(
                insecure=settings.insecure_registries, logins=settings.registry_logins
            ),
        )

    def _reports(self, tenant: str) -> list[control_pb2.NodeReport]:
        return [word.report for word in self.board.nodes(tenant)]
