"""What the node's owner lets each tenant do here. The owner writes it, on the node; nobody sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fogline.model.errors import InvalidInput
from fogline.model.plan import Plan
from fogline.service.settings import load
from fogline.service.units import Size

GIB: Final = 1024**3
EVERYTHING: Final = ("#",)
MAIN: Final = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What one tenant may do here. Zero of an amount is no limit but the machine's."""

    name: str
    """The tenant's."""
    read: tuple[str, ...] = EVERYTHING
    """Topics that its pipelines may read: a prefix of whole levels, for example ``greenhouse/north``; ``#`` is all."""
    write: tuple[str, ...] = ()
    """Topics that its sinks may write, likewise."""
    runtimes: tuple[str, ...] = ("docker",)
    """What may run its operators: docker, process. Services run in docker only."""
    cpu: float = 0.0
    """Cores for all its containers together."""
    memory: Size = 0
    disk: Size = 10 * GIB
    """Disk for the volumes of its services."""
    networks: bool = False
    """Whether its services may have networks, which lead to the world outside."""
    ports: tuple[int, ...] = ()
    """Ports of this machine that its services may publish."""
    allow_process: bool = False
    """Whether operators may run as plain processes, which isolates nothing. Holds for a node of one tenant only."""
    allow_exec: bool = False
    """Whether its people may run commands in its containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitFile:
    """A file of permits: ``[[tenants]]`` tables."""

    tenants: tuple[Permit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """The permits of a node."""

    by_tenant: Mapping[str, Permit] = field(
        default_factory=lambda: MappingProxyType({MAIN: Permit(name=MAIN)})
    )

    def of(self, tenant: str) -> Permit | None:
        """The tenant's permit, if it has one."""
        return self.by_tenant.get(tenant)

    def runtimes(self, tenant: str) -> tuple[str, ...]:
        """What may run the tenant's operators; plain processes only where no other tenant is."""
        permit = self.of(tenant)
        if permit is None:
            return ()
        process = ("process",) if permit.allow_process and len(self.by_tenant) == 1 else ()
        return tuple(dict.fromkeys((*(name for name in permit.runtimes if name != "process"), *process)))

    def may_execute(self, tenant: str) -> bool:
        """Whether the tenant's people may run commands in its containers."""
        permit = self.of(tenant)
        return permit is not None and permit.allow_exec

    def refusal(self, plan: Plan) -> str:
        """Why a plan may not run here; empty: it may."""
        permit = self.of(plan.tenant)
        if permit is None:
            return f"tenant {plan.tenant} has no permit on this node"
        for stream in plan.streams:
            if not covers(permit.read, stream.topic):
                return f"tenant {plan.tenant} has no permit to read {stream.topic} (stream {stream.name})"
        return ""


def read_permits(path: str, *, allow_process: bool = False) -> Permits:
    """The permits that a file has; without a file tenant ``main`` may do what is usual.

    Raises :class:`fogline.model.errors.InvalidInput` with every fault of the file.
    """
    if not path:
        main = Permit(
            name=MAIN,
            networks=True,
            ports=tuple(range(1024, 65536)),
            allow_process=allow_process,
            allow_exec=True,
        )
        return Permits(by_tenant=MappingProxyType({MAIN: main}))
    tenants = load(PermitFile, tier="permit", file=Path(path)).tenants
    names = [permit.name for permit in tenants]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"{path} has more than one permit for {', '.join(twice)}")
    return Permits(by_tenant=MappingProxyType({permit.name: permit for permit in tenants}))


def covers(prefixes: tuple[str, ...], topic: str) -> bool:
    """Whether everything that a topic template matches begins with one of these prefixes, level by level."""
    levels = topic.split("/")
    for prefix in prefixes:
        if prefix == "#":
            return True
        wanted = prefix.removesuffix("/#").rstrip("/").split("/")
        # A label stands for any word: it is covered by no word.
        if levels[: len(wanted)] == wanted:
            return True
    return False
