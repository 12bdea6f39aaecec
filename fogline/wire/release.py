"""Releases as wire messages and back: the operators and services of a grant."""

from collections.abc import Iterable

from fogline.model.plan import Plan
from fogline.model.release import OperatorRelease, Release, Resources, ServiceRelease
from fogline.v1 import control_pb2
from fogline.wire.release_rules import MalformedRelease, check_release, runtime_of

__all__ = ["MalformedRelease", "check_release", "release_from_wire", "release_to_wire"]


def release_to_wire(release: Release) -> control_pb2.Grant:
    """The operators and services of a grant; which plan and which number it is says the cloud."""
    return control_pb2.Grant(
        operators=[_operator_to_wire(one) for one in release.operators],
        services=[_service_to_wire(one) for one in release.services],
    )


def release_from_wire(grant: control_pb2.Grant, plan: Plan | None = None) -> Release:
    """The release of a grant, checked as a whole: whoever has it can run it.

    With ``plan`` it must be one of that plan. Raises :class:`MalformedRelease`.
    """
    release = Release(
        operators=tuple(_operator_from_wire(one) for one in grant.operators),
        services=tuple(_service_from_wire(one) for one in grant.services),
    )
    check_release(release, plan)
    return release


def _operator_to_wire(one: OperatorRelease) -> control_pb2.OperatorRelease:
    return control_pb2.OperatorRelease(
        step=one.step,
        image=one.image,
        resources=_resources_to_wire(one.resources),
        min_replicas=one.min_replicas,
        max_replicas=one.max_replicas,
        timeout_us=one.timeout_us,
        environment=one.environment,
        runtime=one.runtime,
    )


def _operator_from_wire(message: control_pb2.OperatorRelease) -> OperatorRelease:
    return OperatorRelease(
        step=message.step,
        image=message.image,
        resources=_resources_from_wire(message.resources),
        min_replicas=message.min_replicas,
        max_replicas=message.max_replicas,
        timeout_us=message.timeout_us,
        environment=_sorted(message.environment.items()),
        runtime=runtime_of(message.runtime),
    )


def _service_to_wire(one: ServiceRelease) -> control_pb2.ServiceRelease:
    return control_pb2.ServiceRelease(
        name=one.name,
        image=one.image,
        resources=_resources_to_wire(one.resources),
        command=one.command,
        environment=one.environment,
        networks=one.networks,
        ports=one.ports,
        volumes=one.volumes,
        on=one.on,
    )


def _service_from_wire(message: control_pb2.ServiceRelease) -> ServiceRelease:
    return ServiceRelease(
        name=message.name,
        image=message.image,
        resources=_resources_from_wire(message.resources),
        command=tuple(message.command),
        environment=_sorted(message.environment.items()),
        networks=tuple(message.networks),
        ports=tuple(message.ports),
        volumes=tuple(message.volumes),
        on=tuple(message.on),
    )


def _resources_to_wire(resources: Resources) -> control_pb2.Resources:
    return control_pb2.Resources(
        cpu_millis=resources.cpu_millis,
        memory_bytes=resources.memory_bytes,
        pids=resources.pids,
        tmp_bytes=resources.tmp_bytes,
    )


def _resources_from_wire(message: control_pb2.Resources) -> Resources:
    return Resources(
        cpu_millis=message.cpu_millis,
        memory_bytes=message.memory_bytes,
        pids=message.pids,
        tmp_bytes=message.tmp_bytes,
    )


def _sorted(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A wire map has no order: whoever prints it or hands it to a container has one."""
    return dict(sorted(items))
