"""What every store promises of the commit (docs/protocol.md, C1 to C7)."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.store.settlement import Submission
from fogline.engine.merge import merge
from fogline.engine.state import OTHER, ReadingTerm
from fogline.model.clock import SECOND
from fogline.model.errors import NotFound
from fogline.model.part import Part
from tests.contract.conftest import OpenStore
from tests.contract.installation import T0, Installation, Reading, origin, spec

SOME = [Reading(1, "north", 20.0), Reading(2, "north", 21.5), Reading(3, "south", 19.0)]
MORE = [Reading(4, "north", 25.0), Reading(12, "south", 18.0)]
DECODED = ReadingTerm("air", "", "decoded")
COUNTED = ReadingTerm("air", "by_zone", "counted")
GONE = ReadingTerm("air", "by_zone", "too_late", "state_gone")


async def counters(installation: Installation) -> dict[ReadingTerm, int]:
    terms = await installation.store.ledger("main")
    return terms.counters.get(installation.plan_id, {})


async def test_a_committed_part_becomes_a_result(installation: Installation) -> None:
    answer = await installation.push(SOME)
    await installation.finish()
    assert not answer.refused
    assert dict(answer.offsets) == {origin(): 3}
    assert answer.incarnation == installation.store.incarnation
    said = await installation.said()
    assert said[0, "north"][:5] == (2, 2, 41.5, 20.0, 21.5)
    assert said[0, "south"][:5] == (1, 1, 19.0, 19.0, 19.0)


async def test_parts_that_follow_merge_into_the_same_rows(installation: Installation) -> None:
    await installation.push(SOME)
    await installation.push(MORE, first=3)
    await installation.finish()
    said = await installation.said()
    assert said[0, "north"][:5] == (3, 3, 66.5, 20.0, 25.0)
    assert said[10, "south"][0] == 1


async def test_a_range_that_is_already_committed_is_not_merged_again(installation: Installation) -> None:
    await installation.push(SOME)
    again = await installation.push(SOME)
    await installation.finish()
    assert not again.refused
    assert dict(again.offsets) == {origin(): 3}
    assert (await installation.said())[0, "north"][0] == 2
    assert (await counters(installation))[COUNTED] == 3


@pytest.mark.parametrize(("first", "end"), [(4, 6), (2, 5), (1, 9)])
async def test_holes_and_overlaps_are_refused_whole(installation: Installation, first: int, end: int) -> None:
    await installation.push(SOME)
    before = await installation.store.ledger("main")
    answer = await installation.push(MORE, first=first, end=end)
    assert answer.refused
    assert dict(answer.offsets) == {origin(): 3}
    assert await installation.store.ledger("main") == before


async def test_a_mixture_of_fresh_and_done_is_refused_whole(installation: Installation) -> None:
    await installation.push(SOME)
    done = installation.submission(SOME)
    fresh = installation.submission(MORE, of=origin("n2"))
    mixed = Part(
        contributions=(*done.part.contributions, *fresh.part.contributions),
        state=merge(done.part.state, fresh.part.state),
    )
    submission = Submission(tenant="main", plan=installation.plan_id, part=mixed)
    (answer,) = await installation.commit(submission)
    assert answer.refused
    assert dict(answer.offsets) == {origin(): 3, origin("n2"): 0}


async def test_an_origin_without_a_row_stands_at_its_start(installation: Installation) -> None:
    refused = await installation.push(SOME, start=5, first=8)
    taken = await installation.push(SOME, start=5, first=5)
    assert refused.refused
    assert dict(refused.offsets) == {origin(): 5}
    assert dict(taken.offsets) == {origin(): 8}


async def test_a_part_is_judged_on_what_the_parts_before_it_in_its_batch_leave(
    installation: Installation,
) -> None:
    answers = await installation.commit(
        installation.submission(SOME),
        installation.submission(MORE, first=3),
        installation.submission(SOME),
        installation.submission(MORE, first=9),
        installation.submission(MORE, of=origin("n2")),
    )
    await installation.finish()
    assert [answer.refused for answer in answers] == [False, False, False, True, False]
    assert dict(answers[3].offsets) == {origin(): 5}
    assert (await installation.said())[0, "north"][0] == 4


async def test_an_empty_part_moves_the_watermark_and_nothing_else(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(SOME, watermark=3)
    await installation.push(first=3, watermark=30)
    await installation.finish()
    assert (await installation.standings())[0][0] == "complete"
    assert (await counters(installation))[DECODED] == 3


async def test_a_watermark_never_goes_back(installation: Installation) -> None:
    await installation.attach("n1")
    await installation.push(SOME, watermark=30)
    await installation.push(first=3, watermark=2)
    await installation.finish()
    assert (await installation.standings())[0][0] == "complete"


async def test_a_gap_advances_the_offset_and_is_counted_by_reason(installation: Installation) -> None:
    await installation.push(SOME)
    answer = await installation.push(first=3, end=10, gap="expired")
    row = (await installation.store.ledger("main")).offsets[0]
    assert dict(answer.offsets) == {origin(): 10}
    assert (row.start, row.offset, row.messages, dict(row.gaps)) == (0, 10, 3, {"expired": 7})


async def test_a_plan_that_nobody_deployed_is_not_committed(installation: Installation) -> None:
    part = installation.submission(SOME).part
    with pytest.raises(NotFound):
        await installation.store.commit([Submission(tenant="main", plan="f" * 16, part=part)], T0)
    other = Submission(tenant="other", plan=installation.plan_id, part=part)
    with pytest.raises(NotFound):
        await installation.store.commit([other], T0)


async def test_readings_of_a_window_whose_state_is_gone_are_too_late(installation: Installation) -> None:
    await installation.push(SOME)
    await installation.finish()
    before = await installation.said()
    layout = installation.catalog.layouts("main", installation.plan_id)["by_zone"]
    await installation.store.retire_states("main", installation.plan_id, layout, T0 + 10 * SECOND)
    answer = await installation.push([*SOME, Reading(15, "north", 30.0)], first=3)
    await installation.finish()
    said = await installation.said()
    assert dict(answer.offsets) == {origin(): 7}
    assert said[0, "north"] == before[0, "north"]
    assert said[10, "north"][0] == 1
    assert await counters(installation) == {DECODED: 7, COUNTED: 4, GONE: 3}


async def test_keys_beyond_the_limit_share_one_row_and_totals_hold(installation: Installation) -> None:
    await installation.deploy(spec(name="small", max_keys=2))
    readings = [Reading(1, zone, 1.0) for zone in ("a", "b")]
    late = [Reading(2, zone, 2.0) for zone in ("a", "c", "d", None)]
    await installation.push(readings)
    await installation.push(late, first=2)
    await installation.push(late, first=6)
    await installation.finish()
    said = {zone: values[0] for (_, zone), values in (await installation.said("small")).items()}
    assert said == {"a": 3, "b": 1, OTHER: 6}


async def test_nulls_and_hostile_texts_are_keys_like_any_other(installation: Installation) -> None:
    zones = [None, "", "null", '["x"]', "<script>", "\u0000", "ä\U0001f600", "x" * 20_000]
    await installation.push([Reading(1, zone, 1.0) for zone in zones])
    await installation.push([Reading(2, zone, 1.0) for zone in zones], first=len(zones))
    await installation.finish()
    said = await installation.said()
    assert {zone: values[0] for (_, zone), values in said.items()} == dict.fromkeys(zones, 2)


async def test_tenants_with_the_same_names_are_apart(store: object, installation: Installation) -> None:
    await installation.push(SOME)
    terms = await installation.store.ledger("other")
    assert (terms.offsets, terms.journals, terms.counters) == ([], [], {})


async def test_the_store_is_the_same_after_it_was_opened_again(open_store: OpenStore) -> None:
    async with open_store() as store:
        first = Installation(store)
        await first.deploy()
        await first.push(SOME)
        incarnation = store.incarnation
    async with open_store() as store:
        second = Installation(store)
        await second.catalog.refresh(store)
        answer = await second.push(MORE, first=3)
        await second.finish()
        assert answer.incarnation == incarnation
        assert not answer.refused
        assert (await second.said())[0, "north"][0] == 3


async def test_a_restored_store_lives_another_life(open_store: OpenStore) -> None:
    async with open_store() as store:
        before = store.incarnation
        renewed = await store.renew_incarnation()
    async with open_store() as store:
        assert store.incarnation == renewed != before


# Hypothesis runs an example more than once: each run needs a store of its own.
EXAMPLES = count()
readings = st.lists(
    st.builds(
        Reading,
        at=st.integers(0, 400).map(lambda tenths: tenths / 10),
        zone=st.sampled_from(["a", "b", None]),
        temp=st.integers(-500, 500).map(lambda hundredths: hundredths / 100),
    ),
    min_size=1,
    max_size=8,
)


@given(data=st.data(), streams=st.lists(readings, min_size=1, max_size=3))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_repetition_and_split_of_parts_gives_one_result(
    open_store: OpenStore, data: st.DataObject, streams: list[list[Reading]]
) -> None:
    number = next(EXAMPLES)
    async with open_store(f"one-{number}") as store:
        whole = Installation(store)
        await whole.deploy()
        for at, each in enumerate(streams):
            await whole.push(each, of=origin(f"n{at}"))
        await whole.finish()
        expected, said = await whole.said(), await counters(whole)
    async with open_store(f"cut-{number}") as store:
        cut = Installation(store)
        await cut.deploy()
        await _push_somehow(cut, data, streams)
        await cut.finish()
        assert await cut.said() == expected
        assert await counters(cut) == said


async def _push_somehow(cut: Installation, data: st.DataObject, streams: list[list[Reading]]) -> None:
    """Each origin sends its next piece, and before it some that are old, overlap or come too early."""
    committed = [0] * len(streams)
    while behind := [at for at, each in enumerate(streams) if committed[at] < len(each)]:
        next_ = data.draw(st.sampled_from(behind))
        pieces = [
            (next_, committed[next_], data.draw(st.integers(committed[next_] + 1, len(streams[next_]))))
        ]
        if data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(streams) - 1))
            first = data.draw(st.integers(0, len(streams[at])))
            pieces.insert(0, (at, first, data.draw(st.integers(first, len(streams[at])))))
        batch = [
            cut.submission(streams[at][first:end], of=origin(f"n{at}"), first=first)
            for at, first, end in pieces
        ]
        if data.draw(st.booleans()):
            await cut.finish()
        for (at, _, _), answer in zip(pieces, await cut.commit(*batch), strict=True):
            committed[at] = answer.offsets[origin(f"n{at}")]
    assert committed == [len(each) for each in streams]
