"""An installation that knows its machines: a cloud with its three ports, on a clock that can be set."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud.identity.admittance import Admittance, open_admittance
from cloud.main import Cloud
from cloud.settings import CloudSettings
from cloud.store.opening import STORE_FILE, open_sqlite
from cloud.store.sql import SqlStore
from fogline.identity.joining import Joined, Keys, join
from fogline.identity.keys import new_key
from fogline.identity.token import parse_token
from fogline.model.caller import LOCAL
from fogline.model.clock import HOUR, SystemClock
from fogline.v1 import enrol_pb2


class SetClock(SystemClock):
    """The machine's clock, set wrong by as much as one likes."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.ahead_us


@dataclass(frozen=True)
class Installation:
    """A cloud that serves, and what a person would do with it."""

    cloud: Cloud
    admittance: Admittance
    store: SqlStore
    clock: SetClock

    @property
    def enrol(self) -> str:
        assert self.cloud.doors is not None
        return self.cloud.doors.enrol.address

    @property
    def children(self) -> str:
        assert self.cloud.doors is not None
        return self.cloud.doors.children.address

    async def token(self, name: str = "n1", *, role: str = "node", expires_us: int = HOUR) -> str:
        """A token as `fogline token create` prints it."""
        request = enrol_pb2.CreateTokenRequest(role=role, name=name, expires_us=expires_us)
        return (await self.admittance.joining.create(LOCAL, request)).token

    async def revoke(self, name: str, *, role: str = "node") -> None:
        """As `fogline node revoke` does."""
        await self.admittance.joining.revoke(LOCAL, enrol_pb2.RevokeIdentityRequest(role=role, name=name))

    async def joined(self, name: str = "n1", *, role: str = "node", at: str = "") -> Joined:
        """A machine that has joined."""
        return await self.use(await self.token(name, role=role), role=role, at=at)

    async def use(
        self, token: str, *, role: str = "node", name: str = "", keys: Keys | None = None, at: str = ""
    ) -> Joined:
        """Join with this token."""
        keys = keys or keys_for(role)
        address, now_us = at or self.enrol, SystemClock().now_us()
        return await join(address, parse_token(token), keys, role=role, name=name, now_us=now_us)


def keys_for(role: str) -> Keys:
    """Fresh keys of a machine."""
    return Keys(own=new_key(), issuing=new_key() if role == "aggregator" else None)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def installation(tmp_path: Path, empty_store: Path, clock: SetClock) -> AsyncIterator[Installation]:
    free = "127.0.0.1:0"
    settings = CloudSettings(
        listen=free, children=free, enrol=free, folder=tmp_path / "cloud", anonymous=True
    )
    stopping = asyncio.Event()
    settings.folder.mkdir()
    shutil.copy(empty_store, settings.folder / STORE_FILE)
    async with open_sqlite(settings.folder / STORE_FILE, clock.now_us()) as store:
        admittance = await open_admittance(settings, store.admissions, clock)
        cloud = Cloud(settings, store, clock=clock, admittance=admittance)
        async with asyncio.TaskGroup() as group:
            group.create_task(cloud.run(stopping))
            await cloud.serving.wait()
            yield Installation(cloud, admittance, store, clock)
            stopping.set()
