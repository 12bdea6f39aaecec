"""A cloud with its HTTP API on a free port, and a child that pushes into it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from blockbuster import blockbuster_ctx

from cloud.main import Cloud
from cloud.rest.server import RestServer
from cloud.settings import CloudSettings
from cloud.store.opening import STORE_FILE, open_sqlite
from cloud.store.results import ResultQuery
from cloud.store.settlement import Submission
from fogline.model.clock import SECOND, SystemClock
from fogline.model.part import Contribution, Part
from tests.contract.installation import T0, Reading, origin, plan_of, spec, state_of

PLAN = plan_of(spec())
YAML = {"Content-Type": "application/yaml"}


@dataclass
class House:
    """A cloud that serves, and how to speak with it."""

    cloud: Cloud
    rest: RestServer
    http: httpx.AsyncClient
    plan: str = ""
    _pushed: int = field(default=0, repr=False)

    async def deploy(self) -> None:
        """Deploy the greenhouse."""
        answer = await self.http.post("/v1/pipelines", content=spec(), headers=YAML)
        self.plan = answer.json()["plan"]

    async def finished(self, results: int) -> None:
        """Wait until so many results are finished."""
        query = ResultQuery(tenant="main", pipeline="greenhouse")
        changes = self.cloud.services.results._changes
        while True:
            event = changes.next("main", "greenhouse")
            if len((await self.cloud._store.results(query)).results) >= results:
                return
            await changes.wait(event, 60)

    async def push(self, readings: Sequence[Reading], watermark: float = 0.0) -> None:
        """Commit what a node would send."""
        contribution = Contribution(
            origin=origin(),
            start=0,
            first=self._pushed,
            end=self._pushed + len(readings),
            watermark=T0 + round(watermark * SECOND),
        )
        self._pushed += len(readings)
        part = Part(contributions=(contribution,), state=state_of(PLAN, readings))
        cloud = self.cloud
        submission = Submission(tenant="main", plan=self.plan, part=part)
        (answer,) = await cloud._store.commit([submission], T0)
        assert not answer.refused
        cloud.core.finisher.committed("main", self.plan)


@pytest.fixture
async def house(tmp_path: Path, empty_store: Path) -> AsyncIterator[House]:
    shutil.copy(empty_store, tmp_path / STORE_FILE)
    settings = CloudSettings(listen="127.0.0.1:0", rest="127.0.0.1:0", folder=tmp_path, anonymous=True)
    clock, stopping = SystemClock(), asyncio.Event()
    async with open_sqlite(tmp_path / STORE_FILE, clock.now_us()) as store:
        cloud = Cloud(settings, store, clock=clock)
        assert cloud.rest is not None
        async with asyncio.TaskGroup() as group:
            group.create_task(cloud.run(stopping))
            await cloud.serving.wait()
            base = f"http://{cloud.rest.address}"
            async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as http:
                # What is opened once at the start may block; what serves may not.
                with blockbuster_ctx(scanned_modules=["cloud", "fogline"]):
                    yield House(cloud, cloud.rest, http)
            stopping.set()
