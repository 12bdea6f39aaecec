"""The HTTP API on a real socket: what it answers, and what it says when it cannot."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from fogline.client.client import Client
from fogline.client.shape import shape_of
from fogline.model.caller import LOCAL
from fogline.model.errors import StoreBusy
from fogline.v1 import control_pb2
from tests.contract.installation import Reading, spec
from tests.integration.rest.conftest import YAML, House

READINGS = [Reading(1, "north", 20.0), Reading(2, "south", 19.0), Reading(12, "north", 21.0)]


def problem(answer: httpx.Response) -> dict[str, Any]:
    """An error, checked for being spelled as all are."""
    said: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert said["type"] == f"urn:fogline:error:{said['code']}"
    assert said["status"] == answer.status_code
    assert set(said) == {"type", "title", "status", "detail", "code", "hint", "places"}
    return said


async def test_a_spec_is_deployed_once(house: House) -> None:
    for status, changed in ((201, True), (200, False)):
        answer = await house.http.post("/v1/pipelines", content=spec(), headers=YAML)
        assert answer.status_code == status
        assert (answer.json()["pipeline"], answer.json()["changed"]) == ("greenhouse", changed)
    (listed,) = (await house.http.get("/v1/pipelines")).json()["pipelines"]
    assert listed["steps"] == ["by_zone"]
    one = (await house.http.get("/v1/pipelines/greenhouse")).json()
    assert one == {**listed, "spec": spec()}


async def test_a_spec_may_be_json(house: House) -> None:
    body = {
        "name": "lab",
        "streams": {"air": {"mqtt": "lab/{room}/air", "format": "json", "fields": {"t": "float"}}},
        "steps": {
            "n": {
                "sql": "SELECT room, count(*) AS n FROM air GROUP BY room, TUMBLE(arrival, INTERVAL '1 minute')"
            }
        },
    }
    answer = await house.http.post("/v1/pipelines", json=body)
    assert answer.status_code == 201, answer.text


async def test_mistakes_in_a_spec_have_their_places(house: House) -> None:
    answer = await house.http.post(
        "/v1/pipelines?file=air.yaml", content="name: air\nnonsense: 1\n", headers=YAML
    )
    assert answer.status_code == 422
    said = problem(answer)
    assert said["code"] == "invalid_spec"
    assert {(p["file"], p["line"], p["column"], p["path"]) for p in said["places"]} >= {
        ("air.yaml", 2, 1, "nonsense")
    }


async def test_results_come_in_pages_as_the_client_says_them(house: House) -> None:
    await house.deploy()
    await house.push(READINGS)
    await house.finished(3)
    found: list[dict[str, Any]] = []
    token, pages = "", 0
    while pages == 0 or token:
        page = (
            await house.http.get(
                "/v1/pipelines/greenhouse/results", params={"page_size": 2, "page_token": token}
            )
        ).json()
        found += page["results"]
        token, pages = page["next_page_token"], pages + 1
        assert pages <= 3
    assert [(r["key"]["zone"], r["values"]["n"]) for r in found] == [("north", 1), ("south", 1), ("north", 1)]

    def asked() -> Any:
        with Client(house.cloud.server.address) as client:
            return shape_of(list(client.results("greenhouse")))

    assert found == await asyncio.to_thread(asked)


async def test_windows_are_bounded_by_instants(house: House) -> None:
    await house.deploy()
    await house.push(READINGS)
    await house.finished(3)
    path = "/v1/pipelines/greenhouse/results"
    for since in ("2023-11-14T22:13:30Z", "2023-11-14T23:13:30+01:00"):
        (only,) = (await house.http.get(f"{path}?since={since}")).json()["results"]
        assert only["window_start"] == "2023-11-14T22:13:30Z"
    assert len((await house.http.get(f"{path}?until=2023-11-14T22:13:30Z")).json()["results"]) == 2


async def test_the_latest_windows_come_with_their_busiest_keys(house: House) -> None:
    await house.deploy()
    await house.push([*READINGS, Reading(3, "south", 18.0)])
    await house.finished(3)
    latest = (
        await house.http.get("/v1/pipelines/greenhouse/latest", params={"windows": 2, "keys": 1})
    ).json()
    assert [(w["keys"], w["readings"]) for w in latest["windows"]] == [(2, 3), (1, 1)]
    assert {r["key"]["zone"] for r in latest["results"]} == {"north"}


async def test_streams_and_nodes_are_listed(house: House) -> None:
    await house.deploy()
    report = control_pb2.AttachRequest(
        nodes=[control_pb2.NodeReport(node=f"n{n}", at_us=1) for n in range(3)]
    )
    house.cloud.core.board.reported(report, LOCAL)
    (stream,) = (await house.http.get("/v1/streams")).json()["streams"]
    assert (stream["name"], stream["topic"], stream["fields"]) == ("air", "greenhouse/{zone}/air", ["temp"])
    names, token = [], ""
    for _ in range(2):
        page = (await house.http.get("/v1/nodes", params={"page_size": 2, "page_token": token})).json()
        names += [node["name"] for node in page["nodes"]]
        token = page["next_page_token"]
    assert (names, token) == (["n0", "n1", "n2"], "")
    assert (await house.http.get("/v1/nodes/n1")).json()["alive"] is True
    assert problem(await house.http.delete("/v1/nodes/n1"))["code"] == "node_alive"
    assert (await house.http.get("/v1/status")).json()["nodes"][0]["name"] == "n0"
    assert (await house.http.get("/v1/ledger")).json()["streams"][0]["adds_up"] is True
    assert (await house.http.get("/v1/healthz")).json() == {"status": "serving"}


async def test_a_node_that_is_gone_can_be_retired(house: House) -> None:
    await house.deploy()
    report = control_pb2.AttachRequest(nodes=[control_pb2.NodeReport(node="n1", at_us=1)])
    board = house.cloud.core.board
    board.reported(report, LOCAL)
    await board.keep_all()
    (word,) = board.nodes("main")
    # Seen so long ago that it is away.
    long_ago = replace(word, seen_us=0)
    board._words = dict.fromkeys(board._words, long_ago)
    assert (await house.http.delete("/v1/nodes/n1")).status_code == 204
    assert (await house.http.get("/v1/nodes")).json()["nodes"] == []
    assert problem(await house.http.delete("/v1/nodes/n1"))["code"] == "not_found"


REFUSED = [
    ("/v1/pipelines/nothing", 404, "not_found"),
    ("/v1/pipelines/greenhouse/results?step=nothing", 404, "not_found"),
    ("/v1/pipelines/greenhouse/results?page_size=1001", 400, "invalid_input"),
    ("/v1/pipelines/greenhouse/results?page_token=abc", 410, "page_token_expired"),
    ("/v1/pipelines/greenhouse/results?since=yesterday", 400, "invalid_input"),
    ("/v1/pipelines/greenhouse/results?since=1700000000", 400, "invalid_input"),
    ("/v1/pipelines/greenhouse/results?sinc=2023-11-14T22:13:30Z", 400, "invalid_input"),
    ("/v1/pipelines/greenhouse/results/follow?resume_token=abc", 410, "resume_token_expired"),
    ("/v1/pipelines/nothing/results/follow", 404, "not_found"),
    ("/v1/pipelines/greenhouse/latest?windows=500&keys=100", 400, "invalid_input"),
    ("/v1/nodes/nothing", 404, "not_found"),
    ("/v1/ledger?pipeline=nothing", 404, "not_found"),
    ("/v1/streams?pipeline=nothing", 404, "not_found"),
    ("/v1/nothing", 404, "not_found"),
]


async def test_what_cannot_be_answered_is_a_problem(house: House) -> None:
    await house.deploy()
    for path, status, code in REFUSED:
        answer = await house.http.get(path)
        said = problem(answer)
        assert (answer.status_code, said["code"]) == (status, code), path
        assert said["hint"] or said["places"], path


async def test_other_refusals_are_problems_too(house: House) -> None:
    http = house.http
    patched = await http.patch("/v1/nodes")
    assert problem(patched)["code"] == "method_not_allowed"
    assert patched.headers["allow"] == "GET"
    assert problem(await http.post("/v1/pipelines", content="name: x"))["code"] == "unsupported_media_type"
    plain = await http.post("/v1/pipelines", content=spec(), headers={"Content-Type": "text/plain"})
    assert problem(plain)["code"] == "unsupported_media_type"
    large = await http.post("/v1/pipelines", content=b"#" * (1024 * 1024 + 1), headers=YAML)
    assert (large.status_code, problem(large)["code"]) == (413, "too_large")
    assert problem(await http.post("/v1/pipelines", content=b"\xff", headers=YAML))["code"] == "invalid_input"


async def test_requests_are_counted_by_path_and_status(house: House) -> None:
    for path in ("/v1/nodes/a", "/v1/nodes/b", "/v1/nodes", "/v1/no/such/path"):
        await house.http.get(path)
    assert house.rest.calls.ended == {
        ("GET /v1/nodes/{name}", "404"): 2,
        ("GET /v1/nodes", "200"): 1,
        ("other", "404"): 1,
    }


async def test_a_foreign_host_name_is_refused(house: House) -> None:
    answer = await house.http.get("/v1/status", headers={"Host": "attacker.example"})
    assert (answer.status_code, problem(answer)["code"]) == (403, "not_allowed")
    for name in ("localhost", "127.0.0.1:80", "[::1]:80", "[::1]"):
        assert (await house.http.get("/v1/healthz", headers={"Host": name})).status_code == 200


async def test_an_unforeseen_error_says_nothing_of_the_inside(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    logged: list[str] = []
    monkeypatch.setattr("cloud.rest.app._log.exception", logged.append, raising=False)
    monkeypatch.setattr(type(house.cloud.services.overview), "status", broken)
    answer = await house.http.get("/v1/status")
    assert (answer.status_code, problem(answer)["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert logged == ["request failed"]


async def test_a_busy_store_says_when_to_try_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: object) -> None:
        raise StoreBusy("the store is locked")

    monkeypatch.setattr(type(house.cloud.services.overview), "status", busy)
    answer = await house.http.get("/v1/status")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert problem(answer)["code"] == "store_busy"


async def test_a_pipeline_goes_back_to_what_it_ran_before(house: House) -> None:
    first = (await house.http.post("/v1/pipelines", content=spec(), headers=YAML)).json()
    other = spec().replace("count(*) AS n", "count(*) AS number")
    second = (await house.http.post("/v1/pipelines", content=other, headers=YAML)).json()
    for status, changed in ((201, True), (200, False)):
        answer = await house.http.post(f"/v1/pipelines/greenhouse/rollback?to={first['plan']}")
        assert (answer.status_code, answer.json()["changed"]) == (status, changed)
        assert answer.json()["plan"] == first["plan"]
    page = (await house.http.get("/v1/pipelines/greenhouse/releases")).json()
    assert {past["plan"]: past["newest"] for past in page["releases"]} == {
        first["plan"]: True,
        second["plan"]: False,
    }
    for path in ("/v1/pipelines/greenhouse/rollback?to=9", "/v1/pipelines/none/rollback"):
        assert problem(await house.http.post(path))["status"] == 404
    assert problem(await house.http.get("/v1/pipelines/none/releases"))["status"] == 404
