"""The ledger's flows add up exactly when the ledger does, and say by how much when not."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloud.dashboard.live.topics import LEDGER
from cloud.dashboard.view import frame
from cloud.dashboard.view import ledger as view
from fogline.client.accounts import BrokerLedger, Ledger, StepLedger, StreamLedger
from tests.unit.cloud.dashboard.values import snapshot, status

COUNT = st.integers(0, 2**53)
REASONS = st.dictionaries(st.text(min_size=1, max_size=5), COUNT, max_size=3)

STEP = StepLedger(
    step="s", decoded=10, counted=7, filtered=1, dead={"malformed": 1}, too_late={"state_gone": 1}
)
LINE = StreamLedger(
    pipeline="p",
    plan="abc",
    stream="air",
    received=12,
    journaled=11,
    refused={"full": 1},
    before_start=1,
    committed=7,
    pending=2,
    gap={"expired": 1},
    redelivered=0,
    retained=0,
    steps=(STEP,),
    adds_up=True,
    differences=(),
)


def test_every_equation_is_a_flow_whose_terms_make_its_total() -> None:
    received, journaled, decoded = view.flows(LINE)
    assert (received.name, received.total, received.difference) == ("received", 12, 0)
    assert [(term.name, term.count) for term in journaled.terms] == [
        ("committed", 7),
        ("pending", 2),
        ("before start", 1),
        ("gap: expired", 1),
    ]
    assert (journaled.difference, decoded.difference) == (0, 0)


@given(COUNT, COUNT, REASONS)
def test_a_difference_is_what_came_in_less_where_it_went(total: int, kept: int, lost: dict[str, int]) -> None:
    flow, *_ = view.flows(replace(LINE, received=total, journaled=kept, refused=lost))
    assert flow.difference == total - kept - sum(lost.values())
    assert flow.total == sum(term.count for term in flow.terms) + flow.difference


def test_what_does_not_add_up_comes_first_and_is_a_concern() -> None:
    wrong = replace(LINE, stream="soil", received=13, adds_up=False, differences=("13 received, 12 known",))
    found = snapshot(status(), {LEDGER: Ledger(streams=(LINE, wrong))})
    shown = view.ledger(found)["lines"]
    assert [line["stream"] for line in shown] == ["soil", "air"]
    assert shown[0]["differences"] == ("13 received, 12 known",)
    assert shown[0]["flows"][0]["difference"] == 1
    assert frame.state(found)["level"] == "bad"


def test_a_broker_that_does_not_say_what_it_dropped_is_not_called_lossless() -> None:
    brokers = (
        BrokerLedger(node="n1", url="mqtt://a", dropped=1234),
        BrokerLedger(node="n1", url="mqtt://b", dropped=None),
    )
    rows = view.brokers(snapshot(status(), {LEDGER: Ledger(streams=(), brokers=brokers)}))["rows"]
    assert rows == [["mqtt://a", "n1", "1,234"], ["mqtt://b", "n1", "the broker does not say"]]
