"""What every store promises of plans, public names and reports."""

from cloud.store.book import PlanRow, Stage
from cloud.store.kept import Kept, Machine
from cloud.store.reports import Journal, Report
from fogline.model.clock import NEVER, SECOND
from fogline.model.plan import Plan
from fogline.wire.plan import plan_id
from tests.contract.installation import T0, Installation, Reading, journal, origin, spec


async def row_of(installation: Installation, plan: Plan) -> PlanRow:
    shelf = await installation.store.shelf()
    return next(row for row in shelf.plans if row.plan == plan_id(plan))


async def test_deploying_the_same_plan_again_changes_nothing(installation: Installation) -> None:
    before = await installation.store.shelf()
    assert not await installation.deploy()
    assert await installation.store.shelf() == before


async def test_a_new_plan_runs_beside_the_public_one(installation: Installation) -> None:
    old = installation.plan
    assert await installation.deploy(spec(more=", avg(temp) AS mean"))
    shelf = await installation.store.shelf()
    assert (shelf.pipelines[0].public, shelf.pipelines[0].newest) == (plan_id(old), installation.plan_id)
    assert [row.stage for row in shelf.plans] == [Stage.PUBLIC, Stage.CANDIDATE]
    assert shelf.generation == 2


async def test_a_plan_keeps_the_spec_that_it_was_deployed_with(installation: Installation) -> None:
    assert await installation.store.spec("main", installation.plan_id) == installation.text
    assert await installation.store.spec("main", "nothing") == ""
    assert installation.store.database in ("sqlite", "postgresql")


async def test_a_newer_plan_gives_up_one_that_was_never_public(installation: Installation) -> None:
    await installation.deploy(spec(more=", avg(temp) AS mean"))
    middle = installation.plan
    await installation.deploy(spec(more=", max(temp) AS top"))
    assert (await row_of(installation, middle)).stage is Stage.RETIRED
    assert (await row_of(installation, installation.plan)).stage is Stage.CANDIDATE


async def test_deploying_the_public_plan_again_is_the_way_back(installation: Installation) -> None:
    text, old = installation.text, installation.plan
    await installation.deploy(spec(more=", avg(temp) AS mean"))
    given_up = installation.plan
    assert await installation.deploy(text)
    shelf = await installation.store.shelf()
    assert shelf.pipelines[0].newest == shelf.pipelines[0].public == plan_id(old)
    assert (await row_of(installation, old)).stage is Stage.PUBLIC
    assert (await row_of(installation, given_up)).stage is Stage.RETIRED


async def test_from_a_window_on_the_name_shows_the_new_plans_results(installation: Installation) -> None:
    old = installation.plan
    readings = [Reading(1, "north", 20.0), Reading(11, "north", 21.0), Reading(21, "north", 22.0)]
    await installation.push(readings)
    await installation.finish()
    await installation.deploy(spec(more=", avg(temp) AS mean"))
    await installation.push(readings)
    await installation.finish()
    before = await installation.store.newest_change("main", "greenhouse")
    await installation.store.publish(await row_of(installation, installation.plan), T0 + 10 * SECOND, T0)
    results = await installation.results()
    assert [(r.start_us - T0) // SECOND for r in results] == [0, 10, 20]
    assert [r.plan for r in results] == [plan_id(old), installation.plan_id, installation.plan_id]
    assert [r.change > before for r in results] == [False, True, True]
    assert (await row_of(installation, old)).stage is Stage.REPLACED


async def test_a_retired_plan_leaves_desired_state_and_keeps_its_results(installation: Installation) -> None:
    await installation.push([Reading(1, "north", 20.0)])
    await installation.finish()
    await installation.store.retire_plan(await row_of(installation, installation.plan), T0)
    await installation.catalog.refresh(installation.store)
    assert installation.catalog.running() == []
    assert list(installation.catalog.desired.state.plans) == []  # type: ignore[union-attr] # it was refreshed
    assert len(await installation.results()) == 1


async def test_a_late_commit_for_a_retired_plan_is_still_taken(installation: Installation) -> None:
    await installation.store.retire_plan(await row_of(installation, installation.plan), T0)
    assert not (await installation.push([Reading(1, "north", 20.0)])).refused


async def test_the_first_nodes_count_from_the_beginning_and_later_ones_from_joining(
    installation: Installation,
) -> None:
    await installation.attach("n1")
    await installation.push([Reading(1, "north", 20.0)])
    await installation.attach("n2")
    assignments = (await installation.store.progresses("main", installation.plan_id)).assignments
    assert [(a.node, a.from_us) for a in assignments] == [("n1", NEVER), ("n2", T0)]
    await installation.deploy(spec(more=", avg(temp) AS mean"))
    assignments = (await installation.store.progresses("main", installation.plan_id)).assignments
    assert [(a.node, a.from_us) for a in assignments] == [("n1", NEVER), ("n2", NEVER)]


async def test_the_generation_goes_beyond_what_a_node_has_seen(installation: Installation) -> None:
    assert await installation.store.raise_generation(40) == 41
    assert await installation.store.raise_generation(0) == 42


async def test_of_every_reported_counter_the_greatest_value_is_kept(installation: Installation) -> None:
    here = origin()
    for figures in (
        journal(here, received=10, journaled=8, refused=2),
        journal(here, received=7, journaled=9, refused=1, closed=1),
    ):
        await installation.attach("n1")
        await installation.store.take_reports([_report(figures)], T0)
    (row,) = (await installation.store.ledger("main")).journals
    assert (row.received, row.journaled, dict(row.refused)) == (10, 9, {"quota": 2})


async def test_reports_are_there_after_a_restart(installation: Installation) -> None:
    await installation.store.take_reports([_report(journal(origin()), raw=b"newest")], T0 + 5)
    node = Machine("node", "main", "n1")
    assert await installation.store.reports() == [Kept(node, T0 + 5, b"newest")]


def _report(figures: Journal, raw: bytes = b"") -> Report:
    return Report(tenant="main", node="n1", raw=raw, journals=(figures,))
