"""The SDK at a real cloud: pages, changes over restarts, a reader that is slow, one that goes away."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fogline.client import (
    AsyncClient,
    Client,
    InvalidInput,
    NotFound,
    Result,
    SpecRejected,
    Unreachable,
    WindowStatus,
)
from fogline.model.clock import to_datetime
from tests.contract.installation import T0, Reading, spec
from tests.contract.test_store_releases import image, with_operator
from tests.integration.cloud.child import child_of
from tests.integration.cloud.conftest import Running
from tests.integration.cloud.test_cloud import part
from tests.integration.cloud.test_process import cloud, free_port

SOME = [Reading(1, "north", 20.0), Reading(2, "south", 19.0)]
ZONES = 25


@pytest.fixture
async def client(running: Running) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(running.address, timeout=60.0) as client:
        yield client


async def changes_of(client: AsyncClient, count: int, resume_token: str = "") -> tuple[list[Result], str]:
    async with asyncio.timeout(60), client.follow("greenhouse", resume_token=resume_token) as following:
        return [await anext(following) for _ in range(count)], following.resume_token


async def test_both_clients_read_the_same_page_by_page(
    running: Running, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fogline.client.results.PAGE_SIZE", 7)
    monkeypatch.setattr("fogline.client.aio.results.PAGE_SIZE", 4)
    deployed = await client.deploy(spec(), file="greenhouse.yaml")
    readings = [Reading(number / 10, f"z{number:02}", 1.0) for number in range(ZONES)]
    async with child_of(running.address, deployed.plan) as child:
        await child.push(part(readings, 0))
        await changes_of(client, ZONES)
    found = [r async for r in client.results("greenhouse")]

    def block() -> tuple[list[Result], int, int, str]:
        with Client(running.address, timeout=60.0) as blocking:
            results = blocking.results("greenhouse", since=to_datetime(T0), step="by_zone")
            html = results._repr_html_()
            return list(results), len(results.to_pandas()), results.to_arrow().num_rows, html

    blocked, rows, others, html = await asyncio.to_thread(block)
    assert blocked == found
    assert [r.key["zone"] for r in found] == [f"z{number:02}" for number in range(ZONES)]
    assert rows == others == ZONES == len(await client.results("greenhouse").to_polars())
    assert "<caption>greenhouse, the first 10</caption>" in html
    assert await client.results("greenhouse", until=to_datetime(T0)).to_arrow() is not None


async def test_everything_that_is_deployed_can_be_asked_for(running: Running, client: AsyncClient) -> None:
    text = spec()
    deployed = await client.deploy(text)
    again = await client.deploy(text)
    async with child_of(running.address, deployed.plan) as child:
        await child.push(part(SOME, 0))
        await changes_of(client, 2)

    assert (deployed.changed, again.changed, again.plan) == (True, False, deployed.plan)
    (pipeline,) = [p async for p in client.pipelines()]
    assert (pipeline.name, pipeline.plan, pipeline.spec) == ("greenhouse", deployed.plan, None)
    assert (await client.pipeline("greenhouse")).spec == text
    (stream,) = [s async for s in client.streams("greenhouse")]
    assert (stream.name, stream.topic, stream.labels) == ("air", "greenhouse/{zone}/air", ("zone",))
    latest = await client.latest("greenhouse", "by_zone", windows=1)
    assert [(w.keys, w.readings, w.status) for w in latest.windows] == [(2, 2, WindowStatus.OPEN)]
    assert {r.key["zone"] for r in latest.results} == {"north", "south"}
    assert (await client.status()).store == "sqlite"
    assert [s.stream for s in await client.ledger("greenhouse")] in ([], ["air"])
    assert [n async for n in client.nodes()] == []
    for missing in (client.node("n9"), client.pipeline("none"), client.retire_node("n9")):
        with pytest.raises(NotFound):
            await missing
    with pytest.raises(SpecRejected) as rejected:
        await client.deploy("name: 7", file="seven.yaml")
    assert rejected.value.lines()[0].startswith("seven.yaml:1:")


async def test_a_token_goes_on_exactly_behind_the_batch_that_bore_it(
    running: Running, client: AsyncClient
) -> None:
    deployed = await client.deploy(spec())
    async with child_of(running.address, deployed.plan) as child:
        await child.push(part(SOME, 0))
        first, token = await changes_of(client, 2)
        await child.push(part([Reading(3, "south", 22.0)], 2))
        second, _ = await changes_of(client, 1, token)

    assert [r.key["zone"] for r in first] == ["north", "south"]
    assert [(r.key["zone"], r.values["n"]) for r in second] == [("south", 2)]
    with pytest.raises(InvalidInput):
        await changes_of(client, 1, "of another server")


@pytest.mark.timeout(300)
async def test_a_follower_lives_through_kills_and_restarts_of_the_cloud(tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    sums: dict[str | None, int] = {}
    grown = asyncio.Event()

    async def follow(client: AsyncClient) -> None:
        async with client.follow("greenhouse") as following:
            async for result in following:
                sums[result.key["zone"]] = result.readings
                grown.set()
                if sum(sums.values()) == 6:
                    return

    async with (
        asyncio.timeout(280),
        AsyncClient(address, timeout=250.0) as client,
        asyncio.TaskGroup() as group,
    ):
        for life in range(3):
            async with cloud(tmp_path, port) as process:
                await serving(client)
                plan = (await client.deploy(spec(keep="forever"))).plan
                if life == 0:
                    group.create_task(follow(client))
                async with child_of(address, plan) as child:
                    await child.push(part(SOME, 2 * life))
                while sum(sums.values()) < 2 * (life + 1):
                    grown.clear()
                    await grown.wait()
                process.send_signal(signal.SIGKILL if life else signal.SIGTERM)
    assert sums == {"north": 3, "south": 3}


async def serving(client: AsyncClient) -> None:
    """Return when the cloud answers; a retry of the client's alone is over before a slow machine's cloud is up."""
    while True:
        try:
            await client.status()
        except Unreachable:
            continue
        return


async def test_a_reader_that_is_slow_gets_every_window_and_holds_nobody_up(
    running: Running, client: AsyncClient
) -> None:
    deployed = await client.deploy(spec())
    async with child_of(running.address, deployed.plan) as child, client.follow("greenhouse") as slow:
        await child.push(part([Reading(0, "zone", 1.0)], 0))
        assert (await anext(slow)).readings == 1
        for number in range(1, 40):
            await child.push(part([Reading(number * 10, "zone", 1.0)], number))
        await changes_of(client, 40)
        late = [await anext(slow) for _ in range(39)]

    assert {r.window_start for r in late} == {to_datetime(T0 + n * 10_000_000) for n in range(1, 40)}


async def test_a_follower_that_is_dropped_in_the_middle_leaves_nothing_open(
    running: Running, client: AsyncClient
) -> None:
    deployed = await client.deploy(spec())
    async with child_of(running.address, deployed.plan) as child:
        await child.push(part(SOME, 0))
        for _ in range(20):
            async for _result in client.follow("greenhouse"):
                break
        task = asyncio.create_task(changes_of(client, 99))
        await changes_of(client, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await client.status()).readings == 2


async def test_a_release_shows_what_it_runs(client: AsyncClient) -> None:
    one, two = (f"acme/clean@sha256:{digit * 64}" for digit in "12")
    text = spec().replace("FROM air", "FROM clean")
    text = text.replace("steps:\n", f"steps:\n  clean: {{image: {one}, from: air, cpu: 0.5}}\n")
    first = await client.deploy(text)
    assert (first.changed, first.release) == (True, 1)
    second = await client.deploy(text.replace(one, two))
    assert (second.plan, second.changed, second.release) == (first.plan, True, 2)
    assert second.generation > first.generation
    pipeline = await client.pipeline("greenhouse")
    (image,) = pipeline.images
    assert (image.kind, image.name, image.image, image.cpu_millis) == ("operator", "clean", two, 500)
    assert (pipeline.release, pipeline.spec) == (2, text.replace(one, two))


async def test_a_pipeline_goes_back_to_what_it_ran_before(running: Running, client: AsyncClient) -> None:
    bare = await client.deploy(spec())
    one = await client.deploy(with_operator(image(1)))
    two = await client.deploy(with_operator(image(2)))
    assert (one.plan, two.plan, two.release) == (one.plan, one.plan, 2)

    back = await client.rollback("greenhouse")
    assert (back.plan, back.release, back.changed) == (one.plan, 3, True)
    assert back.generation > two.generation
    past = [each async for each in client.releases("greenhouse")]
    assert [(each.plan, each.release, each.newest) for each in past] == [
        (one.plan, 3, True),
        (one.plan, 2, False),
        (one.plan, 1, False),
        (bare.plan, 0, False),
    ]
    assert past[0].images == past[2].images != past[1].images
    assert past[3].images == ()

    further = await client.rollback("greenhouse", bare.plan[:6])
    assert (further.plan, further.changed) == (bare.plan, True)
    again = await client.rollback("greenhouse", bare.plan[:6])
    assert (again.changed, again.generation) == (False, further.generation)
    forward = await client.rollback("greenhouse", f"{one.plan}/2")
    assert (forward.plan, forward.release) == (one.plan, 4)

    with pytest.raises(NotFound, match="there is no release '9'"):
        await client.rollback("greenhouse", "9")
    with pytest.raises(NotFound, match="there is no pipeline 'none'"):
        await client.rollback("none")

    def block() -> None:
        with Client(running.address, timeout=60.0) as blocking:
            assert next(each.release for each in blocking.releases("greenhouse")) == 4
            assert blocking.rollback("greenhouse", "1").release == 5

    await asyncio.to_thread(block)
