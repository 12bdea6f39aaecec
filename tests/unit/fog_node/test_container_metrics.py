"""What a node shows of its containers: a series for each slot, whatever comes and goes in it."""

from typing import Any, cast

from fog_node.container_metrics import CONTAINERS, CPU, MEMORY, RESTARTS, STATES, VISITS, add_containers
from fogline.v1 import control_pb2


class Remembering:
    """A snapshot as a table."""

    def __init__(self) -> None:
        self.values: dict[tuple[Any, ...], float] = {}

    def add(self, metric: Any, value: float, *labels: str) -> None:
        place = (metric, *labels)
        self.values[place] = self.values.get(place, 0) + value


class Lane:
    """As much of a lane as is asked for."""

    def __init__(self, plan: str, pipeline: str) -> None:
        self.plan = plan
        self.spec = cast("Any", type("Spec", (), {"pipeline": pipeline}))


class Visits:
    """As much of the sessions as is asked for."""

    open = 2


def report(plan: str, container: str, state: str = "running") -> control_pb2.ContainerReport:
    return control_pb2.ContainerReport(
        kind="operator",
        plan=plan,
        name="clean",
        id=container,
        state=state,
        cpu_us=1_500_000,
        memory_bytes=7,
        restarts=3,
    )


def test_labels_are_those_of_slots_and_never_of_containers_or_plans() -> None:
    snapshot = Remembering()
    reports = [report("p1", "c1"), report("p2", "", "backing_off")]
    lanes = (Lane("p1", "house"), Lane("p2", "barn"))
    add_containers(cast("Any", snapshot), reports, cast("Any", lanes), cast("Any", Visits()))
    house, barn = ("house", "operator", "clean", "0"), ("barn", "operator", "clean", "0")
    assert snapshot.values[CPU, *house] == 1.5
    assert snapshot.values[MEMORY, *house] == 7
    assert snapshot.values[RESTARTS, *house] == snapshot.values[RESTARTS, *barn] == 3
    assert (CPU, *barn) not in snapshot.values
    assert {state: snapshot.values[CONTAINERS, state] for state in STATES} == {
        **dict.fromkeys(STATES, 0),
        "running": 1,
        "backing_off": 1,
    }
    assert snapshot.values[(VISITS,)] == 2
