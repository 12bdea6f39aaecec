"""A step's windows as charts and tables."""

from typing import Any

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.view import pipelines as view
from fogline.client.installation import Figure
from fogline.client.values import Latest, Result, Window, WindowStatus
from tests.unit.cloud.dashboard.values import at, pipeline, snapshot, status

OPEN, COMPLETE, PARTIAL = WindowStatus.OPEN, WindowStatus.COMPLETE, WindowStatus.PARTIAL


def window(start: int, state: WindowStatus, **other: Any) -> Window:
    facts: dict[str, Any] = {
        "have": 1,
        "expected": 2,
        "missing": ("n2",),
        "revision": 0,
        "keys": 1,
        "readings": 5,
    }
    return Window(start=at(start), end=at(start + 10), status=state, **{**facts, **other})


def result(start: int, key: str | None, state: WindowStatus = COMPLETE, **values: Any) -> Result:
    return Result(
        pipeline="p",
        step="s",
        window_start=at(start),
        window_end=at(start + 10),
        key={"zone": key},
        values=values,
        status=state,
        have=1,
        expected=2,
        missing=("n2",),
        revision=0,
        change=1,
        readings=5,
    )


def found(latest: Latest) -> Snapshot:
    return snapshot(status(pipelines=(pipeline("p", "s"),)), {view.topic("p", "s"): latest})


def test_each_key_is_a_series_with_gaps_where_it_has_no_row() -> None:
    latest = Latest(
        windows=(window(0, PARTIAL), window(10, COMPLETE), window(20, OPEN)),
        results=(result(0, "a", n=1, avg=1.5), result(20, "a", n=3, avg=None), result(10, None, n=2, avg=2)),
    )
    shown = view.charts(found(latest), "p", "s")
    assert shown["outputs"] == ["avg", "n"]
    assert shown["series"] == [
        {"name": "a", "values": [("n", [1, None, 3]), ("avg", [1.5, None, None])]},
        {"name": "null", "values": [("n", [None, 2, None]), ("avg", [None, 2, None])]},
    ]
    assert [each["status"] for each in shown["windows"]] == ["partial", "complete", "open"]


def test_texts_and_truths_are_not_charted() -> None:
    latest = Latest(windows=(window(0, COMPLETE),), results=(result(0, "a", word="x", yes=True),))
    shown = view.charts(found(latest), "p", "s")
    assert shown["outputs"] == []
    assert shown["series"] == [{"name": "a", "values": []}]


def test_rows_are_of_the_newest_closed_window() -> None:
    latest = Latest(
        windows=(window(0, COMPLETE), window(10, OPEN)),
        results=(result(0, "a", n=1), result(0, None, n=2), result(10, "a", OPEN, n=3)),
    )
    rows = view.rows(found(latest), "p", "s")["rows"]
    assert [(row[1], row[2]) for row in rows] == [("a", 1), ("null", 2)]


def test_who_is_waited_for_is_said_of_windows_that_are_closed() -> None:
    latest = Latest(windows=(window(0, PARTIAL, revision=2), window(10, OPEN)), results=())
    first, second = view.listed(found(latest), "p", "s")["rows"]
    assert (first[1], first[3]) == (["open", "open"], ())
    assert (second[1], second[2], second[3], second[4]) == (["partial", "partial"], "1 of 2", ("n2",), 2)


def test_a_pipeline_without_windows_is_said_to_have_none() -> None:
    nothing = found(Latest(windows=(), results=()))
    assert view.charts(nothing, "p", "s")["windows"] == []
    assert view.rows(nothing, "p", "s")["rows"] == []
    assert view.known(nothing, "p") is not None
    assert view.known(nothing, "q") is None
    assert view.pipelines(Snapshot())["empty"] == "Not known yet."


def test_operators_of_the_pipelines_plans_are_shown() -> None:
    def figure(of: str, total: int, plan: str = "abc") -> Figure:
        return Figure(of=of, plan=plan, name="clean", reason="", total=total, most=total, nodes=2)

    said = status(
        pipelines=(pipeline("p"),),
        figures=(
            figure("step.rows_in", 9),
            figure("step.busy_us", 1_500_000),
            figure("step.quarantined_messages", 4),
            figure("step.rows_in", 5, plan="of another pipeline"),
            figure("lane.pending", 3),
        ),
    )
    assert view.operators(snapshot(said), "p")["rows"] == [["clean", "abc", 2, 9, 0, 1_500_000, 0, 0, 4]]
    assert view.operators(snapshot(said), "gone")["rows"] == []
