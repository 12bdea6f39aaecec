"""Where a follower stands: whatever breaks when, going on at its token leaves nothing out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.client.asks import Wanted
from fogline.client.trail import Trail
from fogline.client.values import Result
from fogline.model.errors import Unavailable
from fogline.v1 import api_pb2
from tests.unit.fogline.client.messages import window

WANTED = Wanted.of("air", since=None, until=None, step="by_zone")


def trail(resume_token: str = "", patience: float = 10.0) -> Trail:
    return Trail(WANTED, resume_token=resume_token, patience=patience, chance=lambda: 0.5)


class Server:
    """Answers of given sizes; tokens count changes."""

    def __init__(self, total: int, sizes: list[int]) -> None:
        self.total = total
        self.sizes = sizes

    def answer(self, request: api_pb2.GetResultsRequest) -> api_pb2.GetResultsResponse | None:
        after = int(request.resume_token or 0)
        if after == self.total:
            return None
        end = min(self.total, after + self.sizes[after % len(self.sizes)])
        return api_pb2.GetResultsResponse(
            results=[window(n + 1) for n in range(after, end)], resume_token=str(end)
        )


@given(st.data(), st.integers(1, 30), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_program_that_restarts_at_its_token_leaves_no_change_out(
    data: st.DataObject, total: int, sizes: list[int]
) -> None:
    server, at = Server(total, sizes), trail()
    handled: list[int] = []
    restarts = 0
    while True:
        if restarts < 20 and data.draw(st.booleans()):
            at, restarts = trail(at.resume_token), restarts + 1
        if (result := at.next_result()) is not None:
            handled.append(result.change)
        elif (answer := server.answer(at.request())) is not None:
            at.take(answer)
        else:
            break

    assert sorted(set(handled)) == list(range(1, total + 1))
    if not restarts:
        assert len(handled) == total


@given(st.data(), st.integers(1, 30), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_program_that_keeps_batch_and_token_together_handles_each_change_once(
    data: st.DataObject, total: int, sizes: list[int]
) -> None:
    server, at = Server(total, sizes), trail()
    kept: tuple[tuple[Result, ...], str] = ((), "")
    restarts = 0
    while (answer := server.answer(at.request())) is not None:
        at.take(answer)
        batch = at.next_batch()
        assert batch is not None
        if restarts < 20 and data.draw(st.booleans()):  # it dies before it could keep them
            at, restarts = trail(kept[1]), restarts + 1
            continue
        kept = (kept[0] + batch.results, batch.resume_token)

    assert [r.change for r in kept[0]] == list(range(1, total + 1))


def test_a_token_moves_with_the_last_result_of_its_answer() -> None:
    at = trail("0")
    at.take(api_pb2.GetResultsResponse(results=[window(1), window(2)], resume_token="2"))
    tokens = []
    while at.next_result() is not None:
        tokens.append(at.resume_token)

    assert tokens == ["0", "2"]
    assert at.request().resume_token == "2"


def test_an_answer_without_results_moves_the_token() -> None:
    at = trail()
    at.take(api_pb2.GetResultsResponse(resume_token="7"))

    assert at.resume_token == "7"
    assert at.next_result() is None
    assert at.next_batch() is None


def test_patience_begins_anew_with_every_answer() -> None:
    at = trail()
    away = Unavailable("away")
    assert at.lost(away, now=100.0) == at.lost(away, now=110.0) == 0.5
    at.take(api_pb2.GetResultsResponse())
    assert at.lost(away, now=200.0) == 0.5
    with pytest.raises(Unavailable):
        at.lost(away, now=210.1)
