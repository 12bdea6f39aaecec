"""The ledger's equations, term by term."""

from cloud.api.ledger import LaneWord, Messages, differences
from cloud.store.reading import JournalRow, LedgerRow
from fogline.model.part import Origin

HERE = Origin(tenant="main", node="n1", stream="air", epoch=b"e" * 16)


def journal(
    journaled: int, refused: int = 0, received: int | None = None, *, listed: bool = True
) -> JournalRow:
    return JournalRow(
        origin=HERE,
        received=journaled + refused if received is None else received,
        journaled=journaled,
        refused={"quota": refused} if refused else {},
        redelivered=0,
        retained=0,
        base=0,
        listed=listed,
    )


def row(messages: int, *, start: int = 0, gap: int = 0, offset: int | None = None) -> LedgerRow:
    return LedgerRow(
        plan="p",
        origin=HERE,
        start=start,
        offset=start + messages + gap if offset is None else offset,
        messages=messages,
        gaps={"expired": gap} if gap else {},
    )


def lane(journaled: int, committed: int, *, start: int = 0, pending: int | None = None) -> LaneWord:
    return LaneWord(
        origin=HERE,
        journaled=journaled,
        start=start,
        committed=committed,
        pending=journaled - committed if pending is None else pending,
    )


def total(*origins: tuple[JournalRow, LedgerRow | None, LaneWord | None]) -> Messages:
    messages = Messages()
    for each in origins:
        messages.add(*each)
    assert messages.received == messages.journaled + messages.refused.total()
    assert messages.journaled == (
        messages.before_start + messages.committed + messages.pending + messages.gap.total()
    )
    return messages


def test_at_rest_everything_is_committed() -> None:
    messages = total((journal(100, refused=3), row(70, start=20, gap=10), lane(100, 100, start=20)))
    assert not messages.differences
    assert (messages.received, messages.before_start, messages.committed, messages.pending) == (
        103,
        20,
        70,
        0,
    )


def test_what_the_store_took_after_the_report_is_no_longer_pending() -> None:
    messages = total((journal(100), row(90), lane(100, 60)))
    assert (messages.committed, messages.pending) == (90, 10)
    assert not messages.differences


def test_what_the_store_has_beyond_the_report_was_journaled_after_it() -> None:
    messages = total((journal(100), row(130), lane(100, 60)))
    assert (messages.received, messages.journaled, messages.committed, messages.pending) == (130, 130, 130, 0)
    assert not messages.differences


def test_an_origin_on_which_the_plan_has_not_begun_lies_before_its_start() -> None:
    assert total((journal(50), None, None)).before_start == 50
    waiting = total((journal(50), None, lane(50, 20, start=20)))
    assert (waiting.before_start, waiting.pending) == (20, 30)


def test_a_plan_that_has_just_begun_has_all_of_a_listed_journal_pending() -> None:
    begun = total((journal(50), row(10), None))
    assert (begun.committed, begun.pending) == (10, 40)
    assert not begun.differences


def test_each_equation_that_does_not_hold_is_said_in_words() -> None:
    assert "received 12" in differences(journal(10, received=12), None, None)[0]
    assert "9 pending" in differences(journal(10), row(0), lane(10, 0, pending=9))[0]
    assert "committed up to 9" in differences(journal(10), row(8, offset=9), lane(10, 9))[0]
    assert "was told 9" in differences(journal(10), row(8), lane(10, 9))[0]
    assert "no journal holds them" in differences(journal(10, listed=False), row(8), None)[0]
