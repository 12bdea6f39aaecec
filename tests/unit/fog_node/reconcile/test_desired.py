from dataclasses import replace

import pytest

from fog_node.permit import Permit, Permits
from fog_node.reconcile.desired import Assigned, Desired, Here, desired_containers
from fog_node.runtimes.runtime import Slot
from fog_node.runtimes.settings import RuntimeSettings
from fogline.v1 import control_pb2, plan_pb2

MIB = 1024**2
IMAGE = f"registry.example/acme/clean:1@sha256:{'a' * 64}"
BUNDLE = f"process:clean@sha256:{'b' * 64}"
MAIN = Permit(name="main", networks=True, ports=(8080,))


def test_a_grant_makes_replicas_with_the_nodes_defaults() -> None:
    found = _desired(_grant(_operator(least=2, most=4)))
    assert [str(slot) for slot in found.wanted] == [
        "operator clean replica 0 of plan p1",
        "operator clean replica 1 of plan p1",
    ]
    one = found.wanted[_slot()]
    assert (one.runtime, one.spec.image, one.spec.tenant) == ("docker", IMAGE, "main")
    assert (one.spec.limits.cpu_millis, one.spec.limits.memory_bytes) == (250, 128 * MIB)
    assert found.images == {IMAGE}


def test_an_operator_starts_with_a_core_unless_its_tenants_cores_are_counted() -> None:
    assert _desired(_grant(_operator())).wanted[_slot()].start_millis == 1000
    counted = _permits(replace(MAIN, cpu=4.0))
    assert _desired(_grant(_operator()), permits=counted).wanted[_slot()].start_millis == 0
    allowed = _permits(replace(MAIN, allow_process=True))
    assert _desired(_grant(_operator(image=BUNDLE)), permits=allowed).wanted[_slot()].start_millis == 0


def test_assignments_hold_within_the_grant() -> None:
    few = _desired(_grant(_operator(least=1, most=3)), assigned={("p1", "clean"): Assigned(replicas=9)})
    assert len(few.wanted) == 3
    none = _desired(_grant(_operator(least=1, most=3)), assigned={("p1", "clean"): Assigned(replicas=0)})
    assert not none.wanted
    wider = {("p1", "clean"): Assigned(replicas=1, cpu_millis=900, memory_bytes=MIB * 64)}
    limits = _desired(_grant(_operator()), assigned=wider).wanted[_slot()].spec.limits
    assert (limits.cpu_millis, limits.memory_bytes) == (900, 64 * MIB)


def test_only_chosen_nodes_run_what_is_granted_but_all_keep_its_images() -> None:
    elsewhere = _desired(_grant(_operator(), nodes=("n2",)))
    assert not elsewhere.wanted
    assert elsewhere.images == {IMAGE}
    assert _desired(_grant(_operator(), nodes=("n1", "n2"))).wanted


def test_a_plan_that_does_not_run_here_has_no_containers() -> None:
    assert not _desired(_grant(_operator()), plans=frozenset()).wanted
    assert not _desired(_grant(_operator(), plan="unknown")).wanted


def test_a_service_runs_where_all_its_labels_are() -> None:
    service = control_pb2.ServiceRelease(name="cache", image=IMAGE, on=["room=north", "ssd=yes"])
    slot = Slot(kind="service", plan="p1", name="cache")
    assert not _desired(_grant(services=[service]), labels=frozenset({"room=north"})).wanted
    both = _desired(_grant(services=[service]), labels=frozenset({"room=north", "ssd=yes", "x=y"}))
    assert both.wanted[slot].runtime == "docker"


def test_a_bundle_runs_as_a_process_where_the_owner_allows_it() -> None:
    refused = _desired(_grant(_operator(image=BUNDLE)))
    assert "allow_process" in refused.refusals[0].fault
    allowed = _permits(replace(MAIN, allow_process=True))
    assert _desired(_grant(_operator(image=BUNDLE)), permits=allowed).wanted[_slot()].runtime == "process"
    shared = _permits(replace(MAIN, allow_process=True), Permit(name="other"))
    assert "several tenants" in _desired(_grant(_operator(image=BUNDLE)), permits=shared).refusals[0].fault


@pytest.mark.parametrize(
    ("permit", "words"),
    [
        (replace(MAIN, cpu=0.3), "may use 0.3 cores"),
        (replace(MAIN, memory=200 * MIB), "of memory here"),
        (replace(MAIN, runtimes=()), "no permit for the docker runtime"),
    ],
)
def test_what_passes_the_permit_is_refused_with_a_reason(permit: Permit, words: str) -> None:
    found = _desired(_grant(_operator(least=2, most=2)), permits=_permits(permit))
    assert len(found.wanted) + len(found.refusals) == 2
    assert words in found.refusals[-1].fault


def test_a_tenant_without_a_permit_runs_nothing() -> None:
    found = _desired(_grant(_operator()), permits=_permits(Permit(name="other")))
    assert "no permit on this node" in found.refusals[0].fault


def test_networks_and_ports_need_a_permit() -> None:
    def service(port: str) -> control_pb2.ServiceRelease:
        return control_pb2.ServiceRelease(name="web", image=IMAGE, networks=["front"], ports=[port])

    assert _desired(_grant(services=[service("8080:80")])).wanted
    assert "port 22" in _desired(_grant(services=[service("22:80")])).refusals[0].fault
    closed = _permits(replace(MAIN, networks=False))
    assert "networks" in _desired(_grant(services=[service("8080:80")]), permits=closed).refusals[0].fault


def test_services_with_volumes_wait_while_their_tenants_volumes_are_too_large() -> None:
    service = control_pb2.ServiceRelease(name="store", image=IMAGE, volumes=["data:/data"])
    found = _desired(_grant(_operator(), services=[service]), full=frozenset({"main"}))
    assert list(found.wanted) == [_slot()]
    assert "volumes" in found.refusals[0].fault


def test_a_runtime_that_the_node_has_not_is_said() -> None:
    found = _desired(_grant(_operator()), runtimes=frozenset({"process"}))
    assert found.refusals[0].fault.startswith("this node has no docker runtime: its settings name no Engine")


def test_a_release_that_cannot_be_read_blocks_only_itself() -> None:
    broken = _grant(_operator(image="registry.example/acme/clean:1"), plan="p2")
    found = _desired(broken, _grant(_operator()))
    assert list(found.wanted) == [_slot()]
    assert "p2" in found.faults[0]


def _slot() -> Slot:
    return Slot(kind="operator", plan="p1", name="clean")


def _operator(*, image: str = IMAGE, least: int = 1, most: int = 1) -> control_pb2.OperatorRelease:
    return control_pb2.OperatorRelease(
        step="clean",
        image=image,
        resources=control_pb2.Resources(cpu_millis=250),
        min_replicas=least,
        max_replicas=most,
        timeout_us=5_000_000,
    )


def _grant(
    *operators: control_pb2.OperatorRelease,
    plan: str = "p1",
    nodes: tuple[str, ...] = (),
    services: list[control_pb2.ServiceRelease] | None = None,
) -> control_pb2.Grant:
    return control_pb2.Grant(plan=plan, operators=operators, services=services or [], nodes=nodes)


def _permits(*permits: Permit) -> Permits:
    return Permits(by_tenant={permit.name: permit for permit in permits})


def _desired(
    *grants: control_pb2.Grant,
    permits: Permits | None = None,
    labels: frozenset[str] = frozenset(),
    runtimes: frozenset[str] = frozenset({"docker", "process"}),
    plans: frozenset[str] = frozenset({"p1", "p2"}),
    assigned: dict[tuple[str, str], Assigned] | None = None,
    full: frozenset[str] = frozenset(),
) -> Desired:
    ids = ("p1", "p2")
    plan = plan_pb2.Plan(tenant="main")
    state = control_pb2.DesiredState(
        plans=[control_pb2.DesiredPlan(id=one, plan=plan) for one in ids], grants=grants
    )
    here = Here(
        node="n1",
        labels=labels,
        runtimes=runtimes,
        permits=permits or _permits(MAIN),
        settings=RuntimeSettings(),
        full=full,
    )
    return desired_containers(state, here, plans=plans, assigned=assigned or {})
