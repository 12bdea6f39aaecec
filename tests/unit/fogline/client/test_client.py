import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import grpc
import pytest

import fogline
from cloud.from_here import clock_words
from fogline.client.client import Client
from fogline.client.errors import TooSlow, Unreachable
from fogline.client.values import WindowStatus
from fogline.model.clock import DAY
from fogline.model.errors import FogError, Unavailable
from fogline.v1 import api_pb2, control_pb2
from tests.unit.fogline.client.messages import START, START_US, abort, window
from tests.unit.fogline.scripted_cloud import ScriptedCloud


def test_importing_fogline_loads_no_grpc() -> None:
    code = (
        "import sys, fogline; assert 'grpc' not in sys.modules; fogline.Client; assert 'grpc' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})

    assert fogline.Client is Client
    with pytest.raises(AttributeError, match="no attribute 'Clients'"):
        fogline.Clients  # noqa: B018


def pages(request: api_pb2.ListResultsRequest, _context: Any) -> api_pb2.ListResultsResponse:
    if not request.page_token:
        return api_pb2.ListResultsResponse(results=[window(1)], next_page_token="second")
    assert request.page_token == "second"
    return api_pb2.ListResultsResponse(results=[window(2), window(3)])


def test_results_are_values_with_aware_times_and_plain_numbers(cloud: ScriptedCloud) -> None:
    cloud.answers["ListResults"] = pages
    with Client(cloud.address) as client:
        first, *others = client.results("air", since=START, until=START, step="by_zone")

    assert (first.window_start, first.window_end.second) == (START, 10)
    assert first.key == {"zone": "a", "lot": None}
    assert first.values == {"n": 3, "avg": 1.5, "nothing": None, "word": "", "truth": False}
    assert (first.status, first.have, first.expected, first.missing) == (
        WindowStatus.PARTIAL,
        1,
        2,
        ("node-2",),
    )
    assert (first.revision, first.change, first.readings) == (4, 1, 3)
    assert [r.change for r in others] == [2, 3]
    assert [(r.pipeline, r.step, r.page_size) for r in cloud.requests] == [("air", "by_zone", 1_000)] * 2
    assert {us for r in cloud.requests for us in (r.since_us, r.until_us)} == {START_US}


def test_an_unknown_status_promises_nothing(cloud: ScriptedCloud) -> None:
    unknown = api_pb2.Result.FromString(b"\x38\x63")  # 99
    cloud.answers["ListResults"] = lambda *_: api_pb2.ListResultsResponse(results=[unknown])
    with Client(cloud.address) as client:
        assert [r.status for r in client.results("air")] == [WindowStatus.OPEN]


def test_a_naive_time_is_refused(cloud: ScriptedCloud) -> None:
    with Client(cloud.address) as client, pytest.raises(ValueError, match="no time zone"):
        client.results("air", since=datetime(2026, 1, 31))  # noqa: DTZ001 -- the point


def test_a_follower_goes_on_behind_the_last_change_when_the_connection_breaks(cloud: ScriptedCloud) -> None:
    def answer(request: api_pb2.GetResultsRequest, context: grpc.ServicerContext) -> Iterator[Any]:
        after = int(request.resume_token or 0)
        results = [window(after + 1), window(after + 2)]
        yield api_pb2.GetResultsResponse(results=results, resume_token=str(after + 2))
        context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    cloud.answers["GetResults"] = answer
    with Client(cloud.address) as client, client.follow("air") as following:
        assert [next(following).change for _ in range(5)] == [1, 2, 3, 4, 5]

    assert [r.resume_token for r in cloud.requests] == ["", "2", "4"]
    assert all(r.follow for r in cloud.requests)


def test_any_thread_may_end_an_iteration(cloud: ScriptedCloud) -> None:
    go_on, reached = threading.Event(), threading.Event()

    def answer(_request: Any, _context: Any) -> Iterator[Any]:
        yield api_pb2.GetResultsResponse(results=[window(1)], resume_token="1")
        go_on.wait(30)

    cloud.answers["GetResults"] = answer
    with Client(cloud.address) as client:
        following = client.follow("air")

        def close() -> None:
            reached.wait(30)
            following.close()

        closing = threading.Thread(target=close)
        closing.start()
        seen = []
        for result in following:
            seen.append(result.change)
            # Only now: what was sent but not handed out goes with the connection.
            reached.set()
        closing.join()
        assert seen == [1]
        assert following.resume_token == "1"
    go_on.set()


def test_closing_the_client_ends_a_reader_with_an_error(cloud: ScriptedCloud) -> None:
    go_on, reached = threading.Event(), threading.Event()

    def answer(_request: Any, _context: Any) -> Iterator[Any]:
        yield api_pb2.GetResultsResponse(results=[window(1)], resume_token="1")
        reached.set()
        go_on.wait(30)

    def close() -> None:
        reached.wait(30)
        client.close()

    cloud.answers["GetResults"] = answer
    client = Client(cloud.address)
    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(FogError):
        list(client.follow("air"))
    closing.join()
    go_on.set()


def test_a_follower_gives_up_when_nobody_answers_for_long(cloud: ScriptedCloud) -> None:
    cloud.answers["GetResults"] = abort(Unavailable("away"))
    with Client(cloud.address, timeout=0.0) as client, pytest.raises(Unavailable):
        next(client.follow("air"))


def test_nobody_at_the_address_is_said_with_what_to_do() -> None:
    with (
        Client("127.0.0.1:1") as client,
        pytest.raises(Unreachable, match=r"no answer from 127\.0\.0\.1:1") as gone,
    ):
        client.status()

    assert "fogline up" in gone.value.hint


def test_a_silent_server_meets_the_deadline(cloud: ScriptedCloud) -> None:
    released = threading.Event()

    def answer(_request: Any, _context: Any) -> Any:
        released.wait(10)
        return api_pb2.GetStatusResponse()

    cloud.answers["GetStatus"] = answer
    with (
        Client(cloud.address, timeout=0.05) as client,
        pytest.raises(TooSlow, match="did not answer in time"),
    ):
        client.status()
    released.set()


def node(
    name: str, generation: int, *, alive: bool = True, faults: tuple[str, ...] = ()
) -> api_pb2.NodeStatus:
    report = control_pb2.NodeReport(node=name, generation=generation, faults=faults)
    return api_pb2.NodeStatus(report=report, alive=alive)


def test_waiting_ends_when_every_living_node_runs_the_generation(cloud: ScriptedCloud) -> None:
    answers = iter(
        [
            api_pb2.GetStatusResponse(),
            api_pb2.GetStatusResponse(nodes=[node("a", 5), node("b", 4)]),
            api_pb2.GetStatusResponse(nodes=[node("a", 5), node("b", 4, alive=False)]),
        ]
    )
    cloud.answers["GetStatus"] = lambda *_: next(answers)
    with Client(cloud.address) as client:
        status = client.wait_until_applied(5)

    assert [(n.name, n.alive) for n in status.nodes] == [("a", True), ("b", False)]


def test_waiting_says_who_is_behind_and_what_a_node_could_not_apply(cloud: ScriptedCloud) -> None:
    with Client(cloud.address) as client:
        cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse(nodes=[node("b", 4)])
        with pytest.raises(TooSlow, match="not applied within 0 s: b"):
            client.wait_until_applied(5, within=0.0)
        with pytest.raises(TooSlow, match="1 of 2 nodes are attached"):
            client.wait_until_applied(4, nodes=2, within=0.0)
        cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse(
            nodes=[node("b", 4, faults=("no disk",))]
        )
        with pytest.raises(FogError, match="b: no disk"):
            client.wait_until_applied(5)
        late = node("b", 5, faults=(clock_words(-3 * DAY),))
        cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse(nodes=[late])
        client.wait_until_applied(5)
