"""The metrics port as strangers meet it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from fogline.model.errors import InvalidInput
from fogline.service import metrics_server
from fogline.service.histogram import Histogram
from fogline.service.listen import PortTaken
from fogline.service.metrics import Kind, Metric, Snapshot, open_metrics
from fogline.service.metrics_server import MOST_CONNECTIONS, MetricsServer

MESSAGES = Metric(name="test_messages_total", kind=Kind.COUNTER, help="Messages.", labels=("stream",))
TIMES = Metric(name="test_commit_seconds", kind=Kind.HISTOGRAM, help="Times.")
IDENTITY = ("node", "roof", "1.2.3")


def fill(snapshot: Snapshot) -> None:
    snapshot.add(MESSAGES, 7, 'an "odd"\nname')
    times = Histogram((0.1, 1.0))
    times.observe(0.5)
    snapshot.add(TIMES, times.snapshot())


def broken(snapshot: Snapshot) -> None:
    snapshot.add(MESSAGES, 1, "half of it")
    raise RuntimeError("a mistake")


@asynccontextmanager
async def serving(**sources: object) -> AsyncIterator[MetricsServer]:
    named = {"all": fill, **sources}
    server = MetricsServer("127.0.0.1:0", insecure=False, identity=IDENTITY, sources=named)  # type: ignore[arg-type] # as given
    async with server:
        yield server


async def ask(server: MetricsServer, request: str) -> tuple[str, str]:
    """Head and body of the answer."""
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.encode())
        async with asyncio.timeout(30):
            answer = (await reader.read()).decode()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return head, body


def get(path: str = "/metrics", *, method: str = "GET", accept: str = "") -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{f'Accept: {accept}' if accept else 'X: y'}\r\n\r\n"


@pytest.mark.usefixtures("loop_is_never_blocked")
async def test_the_text_says_what_the_sources_know_and_what_runs_here() -> None:
    async with serving() as server:
        head, body = await ask(server, get())
        assert head.startswith("HTTP/1.1 200 OK\r\n")
        families = {family.name: family for family in parse_text(body)}
    (sample,) = families["test_messages"].samples
    assert (sample.labels, sample.value) == ({"stream": 'an "odd"\nname'}, 7)
    buckets = {s.labels["le"]: s.value for s in families["test_commit_seconds"].samples if "le" in s.labels}
    assert buckets == {"0.1": 0, "1.0": 1, "+Inf": 1}
    (build,) = families["fogline_build_info"].samples
    assert build.labels == {"tier": "node", "name": "roof", "version": "1.2.3"}
    assert families["process_resident_memory_bytes"].samples[0].value > 0


async def test_openmetrics_is_spoken_with_who_asks_for_it() -> None:
    async with serving() as server:
        head, body = await ask(server, get(accept="application/openmetrics-text;version=1.0.0"))
        assert "application/openmetrics-text; version=1.0.0" in head
        assert body.endswith("# EOF\n")
        families = parse_openmetrics(body)  # type: ignore[no-untyped-call] # the library leaves it untyped
        assert "test_messages" in {family.name for family in families}


async def test_head_has_the_length_of_the_body_and_no_body() -> None:
    async with serving() as server:
        head, body = await ask(server, get(method="HEAD"))
        assert head.startswith("HTTP/1.1 200 OK")
        assert int(re.findall(r"Content-Length: (\d+)", head)[0]) > 100
        assert body == ""


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/"), "404"),
        (get("/metrics/x"), "404"),
        (get("/metrics?name=x"), "200"),
        (get(method="POST"), "405"),
        ("\r\n\r\n", "400"),
        ("GET /metrics\r\n\r\n", "400"),
        ("\x00\x01\x02 \xff\r\n\r\n", "400"),
    ],
)
async def test_everything_else_is_refused_in_words(request_: str, status: str) -> None:
    async with serving() as server:
        head, _ = await ask(server, request_)
        assert head.startswith(f"HTTP/1.1 {status} ")


async def test_a_source_that_fails_costs_its_own_metrics_alone_and_is_counted() -> None:
    async with serving(bad=broken) as server:
        for times in (1, 2):
            head, body = await ask(server, get())
            assert head.startswith("HTTP/1.1 200")
            assert f'fogline_metrics_errors_total{{source="bad"}} {times}.0' in body
            assert "half of it" not in body
            assert "odd" in body


async def test_what_cannot_be_encoded_is_an_error_to_the_scraper_and_nothing_to_the_tier() -> None:
    def odd(snapshot: Snapshot) -> None:
        snapshot.add(MESSAGES, "seven", "air")  # type: ignore[arg-type] # the mistake under test

    async with serving(odd=odd) as server:
        head, _ = await ask(server, get())
        assert head.startswith("HTTP/1.1 500")


async def test_who_is_slow_is_cut_and_who_comes_meanwhile_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "REQUEST_WITHIN_S", 0.05)
    async with serving() as server:
        host, _, port = server.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /metrics HTTP/1.1\r\n")
        assert (await ask(server, get()))[0].startswith("HTTP/1.1 200")
        async with asyncio.timeout(30):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.transport.abort()


async def test_more_connections_than_the_bound_are_closed_and_leave_no_trace() -> None:
    async with serving() as server:
        host, _, port = server.address.rpartition(":")
        idle = [await asyncio.open_connection(host, int(port)) for _ in range(MOST_CONNECTIONS)]
        async with asyncio.timeout(30):
            while True:  # the last of them may not be counted yet
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(get().encode())
                try:
                    answer = await reader.read()
                except ConnectionResetError:
                    answer = b""
                writer.transport.abort()
                if not answer:
                    break
        for _, writer in idle:
            writer.transport.abort()
        async with asyncio.timeout(30):
            while True:  # until the server has noticed
                try:
                    head, _ = await ask(server, get())
                except ConnectionResetError:
                    continue
                if head:
                    break
        assert head.startswith("HTTP/1.1 200")


async def test_a_head_that_never_ends_is_cut() -> None:
    async with serving() as server:
        try:
            head, _ = await ask(server, "GET /metrics HTTP/1.1\r\n" + "X: y\r\n" * 100_000)
        except ConnectionResetError:
            head = ""
        assert head == ""
        assert (await ask(server, get()))[0].startswith("HTTP/1.1 200")


async def test_leaving_ends_what_is_under_way() -> None:
    async with serving() as server:
        host, _, port = server.address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        assert (await ask(server, get()))[0].startswith("HTTP/1.1 200")
    writer.transport.abort()


async def test_a_port_that_is_taken_is_said() -> None:
    async with serving() as server:
        with pytest.raises(PortTaken, match="another process"):
            async with MetricsServer(server.address, insecure=False, identity=IDENTITY, sources={}):
                pass


async def test_other_machines_reach_it_only_if_told_so_and_without_an_address_nothing_opens() -> None:
    with pytest.raises(InvalidInput, match="insecure"):
        open_metrics("0.0.0.0:0", insecure=False, identity=IDENTITY, sources={})
    async with open_metrics("0.0.0.0:0", insecure=True, identity=IDENTITY, sources={}) as port:
        assert port is not None
    async with open_metrics("", insecure=False, identity=IDENTITY, sources={}) as port:
        assert port is None
