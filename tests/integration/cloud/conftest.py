"""A cloud on free ports."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud.main import Cloud
from cloud.settings import CloudSettings
from cloud.store.opening import STORE_FILE, open_sqlite
from fogline.model.clock import SystemClock


@dataclass(frozen=True)
class Running:
    """A cloud that serves."""

    cloud: Cloud

    @property
    def address(self) -> str:
        """Where children and clients connect."""
        return self.cloud.server.address


@pytest.fixture
async def running(tmp_path: Path, empty_store: Path) -> AsyncIterator[Running]:
    shutil.copy(empty_store, tmp_path / STORE_FILE)
    settings = CloudSettings(listen="127.0.0.1:0", folder=tmp_path, anonymous=True)
    clock, stopping = SystemClock(), asyncio.Event()
    async with open_sqlite(tmp_path / STORE_FILE, clock.now_us()) as store:
        cloud = Cloud(settings, store, clock=clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(cloud.run(stopping))
            await cloud.serving.wait()
            yield Running(cloud)
            stopping.set()
