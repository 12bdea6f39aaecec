"""What every store promises to several cloud processes that share it."""

import asyncio

import pytest

from cloud.store.book import Overtaken
from cloud.store.kept import Kept, Machine
from cloud.store.releases import NewPlan
from cloud.store.reports import AggregatorReport, Report
from cloud.store.rows import layouts_of
from cloud.store.store import Store
from fogline.wire.plan import plan_id, plan_to_wire
from tests.contract.conftest import OpenStore
from tests.contract.installation import T0, Installation, Reading, origin, plan_of, spec


def new_plan(text: str) -> NewPlan:
    plan = plan_of(text)
    return NewPlan(
        tenant="main",
        plan=plan_id(plan),
        pipeline=plan.pipeline,
        wire=plan_to_wire(plan).SerializeToString(deterministic=True),
        spec=text,
        steps=tuple(layouts_of(plan).values()),
    )


async def test_a_change_of_plans_with_an_old_view_is_turned_away(installation: Installation) -> None:
    store = installation.store
    before = (await store.shelf()).edition
    assert (await store.deploy(new_plan(spec(name="other")), T0, before)).changed
    with pytest.raises(Overtaken):
        await store.deploy(new_plan(spec(name="third")), T0, before)
    public = (await store.shelf()).plans[0]
    for change in (store.publish(public, 0, T0, before), store.retire_plan(public, T0, before)):
        with pytest.raises(Overtaken):
            await change
    assert {p.name for p in (await store.shelf()).pipelines} == {"greenhouse", "other"}


async def test_changes_by_two_processes_at_once_follow_one_another(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        await asyncio.gather(
            *(
                store.deploy(new_plan(spec(name=f"p{number}-{of}")), T0)
                for number in range(5)
                for of, store in enumerate((one, other))
            ),
            *(store.raise_generation(0) for store in (one, other)),
        )
        shelf = await one.shelf()
        assert len(shelf.pipelines) == 10
        assert shelf.generation == 12
        assert shelf.edition == await other.edition() >= 12


async def test_every_change_of_who_is_assigned_is_an_edition(installation: Installation) -> None:
    store, editions = installation.store, [await installation.store.edition()]
    await installation.attach("n1")
    editions.append(await store.edition())
    await installation.attach("n1")
    assert await store.edition() == editions[-1], "nothing new in it"
    await store.retire_node("main", "n1", T0)
    editions.append(await store.edition())
    assert editions == sorted(set(editions))


async def test_a_pass_with_an_old_view_takes_nothing_back(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        early, late = Installation(one), Installation(other)
        await early.deploy()
        await late.deploy()
        await early.attach("n1")
        await early.push([Reading(1, "north", 20.0)], watermark=5)
        old = await one.progresses("main", early.plan_id)
        await early.attach("n2")
        await late.push(first=1, watermark=12)
        await late.push(of=origin("n2"), watermark=12)
        await late.finish()
        assert (await late.standings())[0] == ("complete", 2, 2, (), 0)
        step = early.finisher.step(early.catalog.plans()[0], "by_zone", old)
        await one.finish(step, None, T0)
        assert (await late.standings())[0] == ("complete", 2, 2, (), 0)


async def test_a_member_hears_the_beats_of_the_others(store: Store) -> None:
    first, second = await store.join("a"), await store.join("b")
    assert first < second
    assert await store.beat(first, ()) == {first: 1, second: 0}
    assert await store.beat(first, [second]) == {first: 2}
    assert second not in await store.beat(second, ()), "it was struck off"
    third = await store.join("b")
    assert third > second
    await store.leave(first)
    assert set(await store.beat(third, ())) == {third}


async def test_reports_are_told_to_other_processes_once(store: Store) -> None:
    node, aggregator = Machine("node", "main", "n1"), Machine("aggregator", "main", "a1")
    await store.take_reports(
        [Report(tenant="main", node="n1", raw=b"one", journals=())],
        T0,
        [AggregatorReport(tenant="main", aggregator="a1", raw=b"two")],
    )
    assert await store.reports() == [Kept(node, T0, b"one"), Kept(aggregator, T0, b"two")]
    assert await store.reports({node: T0}) == [Kept(node, T0, None), Kept(aggregator, T0, b"two")]
    await store.take_reports([Report(tenant="main", node="n1", raw=b"three", journals=())], T0 + 1)
    assert (await store.reports({node: T0, aggregator: T0}))[0] == Kept(node, T0 + 1, b"three")


async def test_newest_changes_are_those_of_each_pipeline(installation: Installation) -> None:
    await installation.push([Reading(1, "north", 20.0), Reading(1, "south", 20.0)])
    await installation.finish()
    assert await installation.store.newest_changes() == {("main", "greenhouse"): 2}
