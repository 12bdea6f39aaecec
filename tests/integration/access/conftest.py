"""A cloud that asks everybody who comes for a token, as it does by default."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud.access.desk import Desk
from cloud.identity.admittance import open_admittance
from cloud.main import Cloud
from cloud.settings import CloudSettings
from cloud.store.access import ApiTokenRow
from cloud.store.opening import STORE_FILE, open_sqlite
from fogline.access.first import FILE
from fogline.access.token import ApiToken, new_api_token
from fogline.client.aio.client import AsyncClient
from fogline.model.caller import Right
from fogline.model.clock import SystemClock


@dataclass
class Guarded:
    """A cloud that serves, and its folder."""

    cloud: Cloud
    folder: Path
    authority: bytes
    _clients: list[AsyncClient] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where people ask over gRPC."""
        return self.cloud.server.address

    @property
    def rest(self) -> str:
        """Where people ask over HTTP, as a URL."""
        assert self.cloud.rest is not None
        return f"http://{self.cloud.rest.address}"

    @property
    def desk(self) -> Desk:
        """Who knows the tokens."""
        desk = self.cloud._entrance.desk
        assert desk is not None
        return desk

    @property
    def admin(self) -> str:
        """The administrator's token."""
        return (self.folder / FILE).read_text().strip()

    def client(self, token: str) -> AsyncClient:
        """A client that shows this token."""
        made = AsyncClient(self.address, token=token)
        self._clients.append(made)
        return made

    async def token(
        self, *rights: Right, tenant: str = "main", expires_us: int | None = None, name: str = "somebody"
    ) -> ApiToken:
        """A new token, straight into the store."""
        made, now_us = new_api_token(self.authority), SystemClock().now_us()
        row = ApiTokenRow(
            id=made.id,
            tenant=tenant,
            name=name,
            rights=frozenset(rights),
            hash=made.hash,
            created_us=now_us,
            expires_us=expires_us,
        )
        await self.cloud._store.api_tokens.create(row, now_us)
        await self.desk.refresh()
        return made

    async def close(self) -> None:
        """End the clients."""
        for client in self._clients:
            await client.close()


@pytest.fixture
def opened(tmp_path: Path, empty_store: Path) -> Callable[..., AbstractAsyncContextManager[Guarded]]:
    """Starts the cloud, with the same folder each time; settings by name."""

    @asynccontextmanager
    async def start(**told: object) -> AsyncIterator[Guarded]:
        folder, free = tmp_path / "cloud", "127.0.0.1:0"
        folder.mkdir(exist_ok=True)
        if not (folder / STORE_FILE).exists():
            shutil.copy(empty_store, folder / STORE_FILE)
        settings = CloudSettings(
            **{"listen": free, "children": free, "enrol": free, "rest": free, "folder": folder, **told}  # type: ignore[arg-type] # settings by name
        )
        clock, stopping = SystemClock(), asyncio.Event()
        async with open_sqlite(folder / STORE_FILE, clock.now_us()) as store:
            admittance = (
                None if settings.plaintext else await open_admittance(settings, store.admissions, clock)
            )
            cloud = Cloud(settings, store, clock=clock, admittance=admittance)
            async with asyncio.TaskGroup() as group:
                group.create_task(cloud.run(stopping))
                await cloud.serving.wait()
                guarded = Guarded(cloud, folder, admittance.fingerprint if admittance else b"")
                yield guarded
                await guarded.close()
                stopping.set()

    return start


@pytest.fixture
async def guarded(opened: Callable[..., AbstractAsyncContextManager[Guarded]]) -> AsyncIterator[Guarded]:
    async with opened() as cloud:
        yield cloud
