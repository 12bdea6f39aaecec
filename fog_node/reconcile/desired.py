"""Which containers shall run on this node: from desired state, the owner's permits and the group's assignments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from fog_node.permit import Permit, Permits
from fog_node.runtimes.process.bundles import is_bundle
from fog_node.runtimes.runtime import ContainerSpec, Limits, Slot
from fog_node.runtimes.settings import RuntimeSettings
from fogline.model.errors import FogError
from fogline.model.release import OperatorRelease, Release, Resources, ServiceRelease
from fogline.v1 import control_pb2
from fogline.wire.release import release_from_wire

DOCKER: Final = "docker"
PROCESS: Final = "process"
MISSING: Final = ": its settings name no Engine (`runtimes.docker`), or its Python lacks the package `docker`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One container that shall run."""

    spec: ContainerSpec
    runtime: str
    start_millis: int = 0
    """Thousandths of a core that it has while it starts, if that is more than its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A container that was granted and may or can not run here."""

    slot: Slot
    image: str
    runtime: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What the group's aggregator assigned to this node for one step; 0: as granted."""

    replicas: int
    cpu_millis: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """All that shall run."""

    wanted: Mapping[Slot, Wanted] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    images: frozenset[str] = frozenset()
    """Every image that desired state names, also of what does not run here: clean-up leaves them alone."""
    faults: tuple[str, ...] = ()
    """Grants that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What this node is."""

    node: str
    labels: frozenset[str] = frozenset()
    runtimes: frozenset[str] = frozenset({DOCKER, PROCESS})
    """Those that it has, whether or not they answer now."""
    permits: Permits
    settings: RuntimeSettings
    full: frozenset[str] = frozenset()
    """Tenants whose volumes hold more than they may."""


def desired_containers(
    state: control_pb2.DesiredState,
    here: Here,
    *,
    plans: frozenset[str],
    assigned: Mapping[tuple[str, str], Assigned] = MappingProxyType({}),
) -> Desired:
    """What of a desired state shall run here, for ``plans``, those that run here themselves.

    A grant that cannot be read blocks only itself.
    """
    tenants = {plan.id: plan.plan.tenant for plan in state.plans}
    wanted: dict[Slot, Wanted] = {}
    refusals: list[Refusal] = []
    images: set[str] = set()
    faults: list[str] = []
    accounts: dict[str, _Account] = {}
    for grant in state.grants:
        if grant.plan not in tenants:
            continue  # a grant for a plan that does not run: nothing to run
        tenant = tenants[grant.plan]
        try:
            release = release_from_wire(grant)
        except FogError as error:
            faults.append(f"the release of plan {grant.plan} cannot run: {error}")
            continue
        images.update(release.images)
        if grant.plan not in plans or (grant.nodes and here.node not in grant.nodes):
            continue
        account = accounts.setdefault(tenant, _Account(tenant, here.permits))
        for one in _containers(grant.plan, tenant, release, here, assigned):
            fault = _unfit(one, here) or account.refusal(one)
            if fault:
                refused = Refusal(slot=one.spec.slot, image=one.spec.image, runtime=one.runtime, fault=fault)
                refusals.append(refused)
            else:
                wanted[one.spec.slot] = replace(one, start_millis=0) if account.counts_cores else one
    return Desired(
        wanted=MappingProxyType(wanted),
        refusals=tuple(refusals),
        images=frozenset(images),
        faults=tuple(faults),
    )


class _Account:
    """What of a tenant's permit is given out, in the order of desired state."""

    def __init__(self, tenant: str, permits: Permits) -> None:
        self._tenant: Final = tenant
        self._permits: Final = permits
        permit = permits.of(tenant)
        self.counts_cores: Final = permit is not None and permit.cpu > 0
        self._cpu_millis = 0
        self._memory_bytes = 0

    def refusal(self, one: Wanted) -> str:
        """Why a container may not run; if it may, its share is given out."""
        permit = self._permits.of(self._tenant)
        if permit is None:
            return f"tenant {self._tenant} has no permit on this node"
        if one.runtime not in self._permits.runtimes(self._tenant):
            return _runtime_refused(one.runtime, self._tenant, several=len(self._permits.by_tenant) > 1)
        limits = one.spec.limits
        cpu, memory = self._cpu_millis + limits.cpu_millis, self._memory_bytes + limits.memory_bytes
        if permit.cpu and cpu > permit.cpu * 1000:
            return f"tenant {self._tenant} may use {permit.cpu:g} cores here, and this would make it {cpu / 1000:g}"
        if permit.memory and memory > permit.memory:
            most = permit.memory
            return (
                f"tenant {self._tenant} may use {most} bytes of memory here, and this would make it {memory}"
            )
        if fault := _network_refused(one.spec, permit):
            return fault
        self._cpu_millis, self._memory_bytes = cpu, memory
        return ""


def _runtime_refused(runtime: str, tenant: str, *, several: bool) -> str:
    if runtime != PROCESS:
        return f"tenant {tenant} has no permit for the {runtime} runtime here"
    if several:
        return "this node has several tenants, and plain processes would not be kept apart"
    return "plain processes isolate nothing, and this node's owner has not set allow_process"


def _network_refused(spec: ContainerSpec, permit: Permit) -> str:
    if spec.networks and not permit.networks:
        return f"tenant {permit.name} has no permit for networks here"
    outer = [int(port.partition(":")[0]) for port in spec.ports]
    if closed := [port for port in outer if port not in permit.ports]:
        return f"tenant {permit.name} has no permit for port {closed[0]} of this node"
    return ""


def _unfit(one: Wanted, here: Here) -> str:
    tenant = one.spec.tenant
    if one.runtime not in here.runtimes and one.runtime in here.permits.runtimes(tenant):
        return f"this node has no {one.runtime} runtime{MISSING if one.runtime == DOCKER else ''}"
    if one.spec.volumes and tenant in here.full:
        return f"the volumes of tenant {tenant} hold more than its permit's disk"
    return ""


def _containers(
    plan: str, tenant: str, release: Release, here: Here, assigned: Mapping[tuple[str, str], Assigned]
) -> Iterator[Wanted]:
    for operator in release.operators:
        yield from _replicas(plan, tenant, operator, here, assigned.get((plan, operator.step)))
    for service in release.services:
        if here.labels.issuperset(service.on):
            yield _service(plan, tenant, service, here)


def _replicas(
    plan: str, tenant: str, operator: OperatorRelease, here: Here, assigned: Assigned | None
) -> Iterator[Wanted]:
    count = min(assigned.replicas, operator.max_replicas) if assigned else operator.min_replicas
    runtime = operator.runtime or (PROCESS if is_bundle(operator.image) else DOCKER)
    for replica in range(count):
        spec = ContainerSpec(
            slot=Slot(kind="operator", plan=plan, name=operator.step, replica=replica),
            tenant=tenant,
            image=operator.image,
            limits=_limits(operator.resources, here.settings, assigned),
            environment=_variables(operator.environment),
        )
        start_millis = round(here.settings.start_cpu * 1000) if runtime == DOCKER else 0
        yield Wanted(spec=spec, runtime=runtime, start_millis=start_millis)


def _service(plan: str, tenant: str, service: ServiceRelease, here: Here) -> Wanted:
    spec = ContainerSpec(
        slot=Slot(kind="service", plan=plan, name=service.name),
        tenant=tenant,
        image=service.image,
        limits=_limits(service.resources, here.settings, None),
        environment=_variables(service.environment),
        command=service.command,
        networks=service.networks,
        ports=service.ports,
        volumes=service.volumes,
    )
    return Wanted(spec=spec, runtime=DOCKER)


def _limits(resources: Resources, settings: RuntimeSettings, assigned: Assigned | None) -> Limits:
    cpu_millis = (assigned.cpu_millis if assigned else 0) or resources.cpu_millis
    memory_bytes = (assigned.memory_bytes if assigned else 0) or resources.memory_bytes
    return Limits(
        cpu_millis=cpu_millis or round(settings.cpu * 1000),
        memory_bytes=memory_bytes or settings.memory,
        pids=resources.pids or settings.pids,
        tmp_bytes=resources.tmp_bytes or settings.tmp,
    )


def _variables(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(environment.items()))
