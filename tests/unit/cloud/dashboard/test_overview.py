"""What the overview says of reports."""

from cloud.dashboard.live.snapshot import Lost, Snapshot
from cloud.dashboard.view import frame, overview
from tests.unit.cloud.dashboard.values import aggregator, node, snapshot, status


def test_before_the_first_answer_everything_is_unknown_and_nothing_fails() -> None:
    nothing = Snapshot()
    assert frame.state(nothing)["level"] == "unknown"
    assert [figure["value"] for figure in overview.figures(nothing)] == [None] * 4
    assert overview.tiers(nothing)["nodes"] == []
    assert overview.newest(nothing) == {"steps": []}
    assert overview.concerns(nothing) == []


def test_all_is_well() -> None:
    found = snapshot(status(nodes=(node(),), aggregators=(aggregator(),)))
    assert (frame.state(found)["level"], frame.state(found)["words"]) == ("good", "All well")


def test_the_worst_decides_and_comes_first() -> None:
    nodes = (node("full", journal_bytes=900), node("gone", alive=False), node("odd", faults=("no plan",)))
    found = snapshot(status(nodes=nodes, aggregators=(aggregator(alive=False),)))
    assert frame.state(found)["level"] == "bad"
    assert frame.state(found)["words"] == "4 things to look at"
    said = [(each["level"], each["where"], each["what"]) for each in overview.concerns(found)]
    assert said == [
        ("bad", "gone", "is away"),
        ("bad", "odd", "no plan"),
        ("bad", "a1", "is away"),
        ("warning", "full", "journal is 90% full"),
    ]
    assert [each["name"] for each in overview.tiers(found)["nodes"]] == ["gone", "odd", "full"]


def test_a_cloud_that_is_away_is_said_and_the_rest_stays() -> None:
    lost = Lost(since_us=5, why="nobody answers", hint="")
    found = snapshot(status(nodes=(node(clients=3),)), lost=lost)
    state = frame.state(found)
    assert (state["level"], state["words"]) == ("lost", "Cloud unreachable")
    assert state["lost"] == {"since": 5, "why": "nobody answers", "hint": ""}
    assert overview.tiers(found)["devices"] == 3
    assert overview.concerns(found) == []


def test_many_machines_are_shown_in_part_with_their_number() -> None:
    found = snapshot(status(nodes=tuple(node(f"n{n}") for n in range(100))))
    assert len(overview.tiers(found)["nodes"]) == overview.MACHINES
    assert overview.tiers(found)["nodes_total"] == 100


def test_names_go_into_links_as_one_piece() -> None:
    found = snapshot(status(nodes=(node("a/b?<i>"),)))
    assert overview.tiers(found)["nodes"][0]["link"] == "/nodes/a%2Fb%3F%3Ci%3E"
