"""What every store promises of results: their status, their changes, what is kept and what goes."""

from cloud.finish.decision import Status
from cloud.finish.finisher import RETIRE_EVERY_US
from cloud.store.reports import Report
from cloud.store.results import ResultQuery
from fogline.model.clock import SECOND
from tests.contract.installation import T0, Installation, Reading, journal, origin, spec

FIRST = [Reading(1, "north", 20.0), Reading(2, "south", 10.0)]
SECOND_WINDOW = [Reading(11, "north", 21.0)]
QUERY = ResultQuery(tenant="main", pipeline="greenhouse")


async def changed_since(installation: Installation, change: int) -> list[tuple[int, str | None]]:
    changes = await installation.store.changes(QUERY, change)
    assert [r.change for r in changes] == sorted({r.change for r in changes})
    return [((r.start_us - T0) // SECOND, r.key[0]) for r in changes]


async def newest(installation: Installation) -> int:
    return await installation.store.newest_change("main", "greenhouse")


async def test_a_window_is_open_until_every_node_has_passed_it(installation: Installation) -> None:
    await installation.attach("n1", "n2")
    await installation.push(FIRST, watermark=9)
    await installation.finish()
    assert (await installation.standings())[0] == ("open", 0, 2, ("n1", "n2"), 0)
    await installation.push(first=2, watermark=10)
    await installation.finish()
    assert (await installation.standings())[0] == ("open", 1, 2, ("n2",), 0)
    await installation.push(of=origin("n2"), watermark=12)
    await installation.finish()
    assert (await installation.standings())[0] == ("complete", 2, 2, (), 0)


async def test_after_the_wait_a_window_says_who_is_missing(installation: Installation) -> None:
    await installation.attach("n1", "n2")
    await installation.push(FIRST, watermark=12)
    await installation.finish()
    await installation.clock.advance(10 + 5 + 119)
    await installation.finish()
    assert (await installation.standings())[0] == ("open", 1, 2, ("n2",), 0)
    await installation.clock.advance(2)
    await installation.finish()
    assert (await installation.standings())[0] == ("partial", 1, 2, ("n2",), 0)


async def test_what_changes_after_it_was_called_complete_is_a_revision(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(FIRST, watermark=12)
    await installation.finish()
    await installation.push([Reading(3, "north", 22.0)], first=2)
    await installation.finish()
    assert (await installation.standings())[0] == ("revised", 1, 1, (), 1)
    await installation.push([Reading(4, "south", 22.0)], first=3)
    await installation.finish()
    assert (await installation.standings())[0] == ("revised", 1, 1, (), 2)
    assert (await installation.said())[0, "north"][0] == 2


async def test_a_missing_node_that_comes_later_revises_a_partial_window(installation: Installation) -> None:
    await installation.attach("n1", "n2")
    await installation.push(FIRST, watermark=12)
    await installation.clock.advance(200)
    await installation.finish()
    await installation.push([Reading(3, "north", 22.0)], of=origin("n2"), watermark=12)
    await installation.finish()
    assert (await installation.standings())[0] == ("revised", 2, 2, (), 1)


async def test_nothing_changes_while_nothing_happens(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(FIRST, watermark=12)
    await installation.finish()
    before = await newest(installation)
    await installation.push(first=2, watermark=14)
    await installation.push(FIRST)
    await installation.finish()
    await installation.clock.advance(500)
    await installation.finish()
    assert await newest(installation) == before


async def test_only_rows_that_say_something_new_get_a_new_change(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push([*FIRST, *SECOND_WINDOW])
    await installation.finish()
    assert await changed_since(installation, 0) == [(0, "north"), (0, "south"), (10, "north")]
    before = await newest(installation)
    await installation.push([Reading(3, "south", 1.0)], first=3)
    await installation.finish()
    assert await changed_since(installation, before) == [(0, "south")]
    before = await newest(installation)
    await installation.push(first=4, watermark=10)
    await installation.finish()
    assert await changed_since(installation, before) == [(0, "north"), (0, "south")]


async def test_an_old_epoch_that_still_drains_holds_its_windows_open(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(FIRST, watermark=5)
    await installation.push([Reading(61, "north", 1.0)], of=origin(epoch=2), watermark=70)
    await installation.finish()
    assert (await installation.standings())[0][0] == "open"
    await installation.push([Reading(6, "north", 1.0)], first=2, watermark=7, closed=True)
    await installation.finish()
    assert {status for status, *_ in (await installation.standings()).values()} == {"complete"}


async def test_a_new_epoch_takes_back_nothing_that_was_believed_before(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(FIRST, watermark=12)
    await installation.finish()
    await installation.push(of=origin(epoch=2))
    await installation.finish()
    await installation.push([Reading(3, "north", 1.0)], of=origin(epoch=2))
    await installation.finish()
    assert (await installation.standings())[0] == ("revised", 1, 1, (), 1)


async def test_an_old_epoch_that_a_plan_has_not_begun_on_holds_its_windows_open(
    installation: Installation,
) -> None:
    """A new plan takes today's data first."""
    old, new = origin(epoch=1), origin(epoch=2)
    kept = [journal(old, journaled=2, closed=1), journal(new, journaled=1)]
    report = Report(tenant="main", node="n1", raw=b"", journals=tuple(kept))
    await installation.store.take_reports([report], T0)
    await installation.push([Reading(61, "north", 1.0)], of=new, watermark=70)
    await installation.finish()
    assert (await installation.standings())[60][0] == "open"
    await installation.push(FIRST, of=old, watermark=20, closed=True)
    await installation.finish()
    assert {status for status, *_ in (await installation.standings()).values()} == {"complete"}


async def test_an_origin_whose_journal_is_gone_holds_nothing(installation: Installation) -> None:
    old, new = origin(epoch=1), origin(epoch=2)
    await installation.attach("n1", listed={"n1": [old]})
    await installation.push(FIRST, of=old, watermark=5)
    await installation.push([Reading(12, "north", 1.0)], of=new, watermark=30)
    await installation.attach("n1", listed={"n1": [old, new]})
    await installation.finish()
    assert (await installation.standings())[0][0] == "open"
    await installation.attach("n1", listed={"n1": [new]})
    installation.finisher.committed("main", installation.plan_id)
    await installation.finish()
    assert (await installation.standings())[0][0] == "complete"


async def test_an_origin_that_a_stale_report_does_not_know_yet_is_not_gone(
    installation: Installation,
) -> None:
    await installation.attach("n1")
    await installation.push(FIRST, watermark=5)
    await installation.attach("n1", listed={"n1": []})
    await installation.push(of=origin(epoch=2), watermark=30)
    await installation.finish()
    assert (await installation.standings())[0][0] == "open"


async def test_an_origin_that_was_never_listed_is_gone_after_a_while(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(FIRST, watermark=5)
    await installation.push(of=origin(epoch=2), watermark=30)
    await installation.clock.advance(61)
    await installation.attach("n1", listed={"n1": [origin(epoch=2)]})
    await installation.finish()
    assert (await installation.standings())[0][0] == "complete"


async def test_a_node_that_joins_later_is_expected_from_then_on(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push([*FIRST, *SECOND_WINDOW], watermark=20)
    await installation.clock.advance(15)
    await installation.attach("n2")
    await installation.finish()
    standings = await installation.standings()
    assert standings[0] == ("complete", 1, 1, (), 0)
    assert standings[10] == ("open", 1, 2, ("n2",), 0)


async def test_a_node_that_was_retired_is_expected_until_then(installation: Installation) -> None:
    await installation.attach("n1", "n2")
    await installation.push([*FIRST, *SECOND_WINDOW], watermark=20)
    await installation.clock.advance(15)
    assert await installation.store.retire_node("main", "n2", installation.clock.now_us())
    assert not await installation.store.retire_node("main", "nobody", installation.clock.now_us())
    await installation.finish()
    standings = await installation.standings()
    assert standings[0] == ("open", 1, 2, ("n2",), 0)
    assert standings[10] == ("complete", 1, 1, (), 0)


async def test_many_windows_are_finished_in_helpings(installation: Installation) -> None:
    await installation.attach("n1", "n2")
    readings = [Reading(10 * window + 1, "north", 1.0) for window in range(150)]
    await installation.push(readings, watermark=3000)
    await installation.finish()
    assert {status for status, *_ in (await installation.standings()).values()} == {"open"}
    await installation.push(of=origin("n2"), watermark=1000)
    await installation.finish()
    standings = await installation.standings()
    assert [standings[10 * window][0] for window in range(150)] == ["complete"] * 100 + ["open"] * 50
    await installation.clock.advance(4000)
    await installation.finish()
    standings = await installation.standings()
    assert [standings[10 * window][0] for window in range(150)] == ["complete"] * 100 + ["partial"] * 50


async def test_states_go_when_every_node_has_passed_them_by_keep(installation: Installation) -> None:
    await installation.attach("n1", "n2")
    await installation.push(FIRST, watermark=3700)
    await installation.push(of=origin("n2"), watermark=20)
    await installation.clock.advance(3600 + 200)
    await installation.finish()
    await installation.finisher.retire_old()
    late = await installation.push([Reading(3, "north", 22.0)], first=2)
    await installation.finish()
    assert not late.refused
    assert (await installation.said())[0, "north"][0] == 2, "n2 may still have something for it"
    await installation.push(of=origin("n2"), watermark=3700)
    await installation.clock.advance(RETIRE_EVERY_US / SECOND)
    await installation.finisher.retire_old()
    await installation.push([Reading(3, "north", 22.0)], first=3)
    await installation.finish()
    assert (await installation.said())[0, "north"][0] == 2


async def test_states_are_kept_for_ever_if_the_plan_says_so(installation: Installation) -> None:
    await installation.deploy(spec(name="kept", keep="forever"))
    await installation.attach("n1")
    await installation.push(FIRST, watermark=10**6)
    await installation.clock.advance(10**6)
    await installation.finish()
    await installation.finisher.retire_old()
    await installation.push([Reading(3, "north", 22.0)], first=2)
    await installation.finish()
    assert (await installation.said("kept"))[0, "north"][0] == 2


async def test_results_go_after_they_were_kept_long_enough(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(FIRST, watermark=3700)
    await installation.finish()
    await installation.clock.advance(3900)
    await installation.finisher.retire_old()
    assert await installation.said() == {}
    later = await installation.push([Reading(3, "north", 22.0), Reading(3801, "north", 1.0)], first=2)
    await installation.finish()
    assert not later.refused
    assert list(await installation.said()) == [(3800, "north")]


async def test_results_come_in_pages_in_the_order_of_windows(installation: Installation) -> None:
    readings = [Reading(10 * w + 1, zone, 1.0) for w in range(4) for zone in ("a", "b", None)]
    await installation.push(readings)
    await installation.finish()
    seen, place = [], None
    while True:
        page = await installation.store.results(
            ResultQuery(tenant="main", pipeline="greenhouse", since_us=T0 + 10 * SECOND, limit=2), place
        )
        if not page.results:
            break
        place = page.last
        seen += [((r.start_us - T0) // SECOND, r.key[0]) for r in page.results]
    assert len(seen) == 9
    assert [start for start, _ in seen] == [10] * 3 + [20] * 3 + [30] * 3
    assert len(set(seen)) == 9


async def test_a_window_of_another_tenant_or_pipeline_is_not_shown(installation: Installation) -> None:
    await installation.push(FIRST)
    await installation.finish()
    for query in (
        ResultQuery(tenant="other", pipeline="greenhouse"),
        ResultQuery(tenant="main", pipeline="other"),
        ResultQuery(tenant="main", pipeline="greenhouse", step="other"),
        ResultQuery(tenant="main", pipeline="greenhouse", until_us=T0),
    ):
        assert (await installation.store.results(query)).results == ()


async def test_the_live_view_shows_the_newest_closed_window_and_its_keys_history(
    installation: Installation,
) -> None:
    await installation.attach("n1")
    readings = [Reading(10 * w + 1, f"z{key}", float(w)) for w in range(5) for key in range(6)]
    await installation.push(readings, watermark=40)
    await installation.finish()
    live = await installation.store.live("main", installation.plan_id, "by_zone", windows=4, keys=2)
    assert [(w.start_us - T0) // SECOND for w in live.windows] == [10, 20, 30, 40]
    assert [w.readings for w in live.windows] == [6] * 4
    assert (live.shown_us - T0) // SECOND == 30
    assert live.keys == 6
    assert [row.key for row in live.rows] == [("z0",), ("z1",)]
    assert len(live.history) == 8


async def test_windows_that_may_still_change_are_counted_by_step_and_status(
    installation: Installation,
) -> None:
    await installation.attach("n1", "n2")
    assert await installation.store.unsettled() == []
    await installation.push([*FIRST, *SECOND_WINDOW], watermark=12)
    await installation.finish()
    (row,) = await installation.store.unsettled()
    assert (row.tenant, row.step, row.status, row.windows) == ("main", "by_zone", Status.OPEN, 2)
    assert row.oldest_end_us == T0 + 10 * SECOND
    await installation.push(of=origin("n2"), watermark=12)
    await installation.finish()
    (row,) = await installation.store.unsettled()
    assert (row.windows, row.oldest_end_us) == (1, T0 + 20 * SECOND)


async def test_the_live_view_shows_the_busiest_keys_first(installation: Installation) -> None:
    readings = [Reading(1 + n, f"z{key}", 1.0) for key in range(4) for n in range(1 + key % 3)]
    await installation.push(readings, watermark=5)
    await installation.finish()
    live = await installation.store.live("main", installation.plan_id, "by_zone", windows=1, keys=3)
    assert [(row.key, row.readings) for row in live.rows] == [(("z2",), 3), (("z1",), 2), (("z0",), 1)]
    assert [(w.keys, w.readings) for w in live.windows] == [(4, 7)]
