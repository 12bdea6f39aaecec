"""Reads a spec in a process of its own: the SQL parser's memory is given back, and no spec can stall the
cloud.

``python -m cloud.planner.reader`` takes a line of JSON with what it must know, and the spec, on stdin; it writes a byte
and a message:
``S`` and a DesiredState with one plan and one grant; ``F`` and SpecFaults, which are mistakes; or ``A`` and SpecFaults,
which a registry that is away has caused. Tags are resolved here, too: registries are asked off the cloud's loop.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloud.planner.reading import Readers, end
from fogline.model.errors import Fault, FogError, InvalidInput, TooLarge, Unavailable
from fogline.model.faults import Faults, SpecErrors
from fogline.model.release import Release
from fogline.registry.errors import RegistryAway
from fogline.v1 import api_pb2, control_pb2

if TYPE_CHECKING:
    from fogline.spec.read import Spec

READ_WITHIN_SECONDS: Final = 25.0
"""Registries included, each of which is given up sooner."""
MAX_SPEC_BYTES: Final = 1024 * 1024
_READ: Final = b"S"
_FAULTS: Final = b"F"
_AWAY: Final = b"A"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSpec:
    """What a spec says, serialised."""

    plan: bytes
    """A ``fogline.v1.Plan``."""
    release: bytes
    """A ``fogline.v1.Grant`` with operators and services only; empty: there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """How registries are asked."""

    insecure: tuple[str, ...] = ()
    """Hosts, ``host:port`` or networks that may be asked without TLS, besides this machine's own."""
    logins: str = ""
    """A config.json that `docker login` wrote; empty: none."""


async def read_apart(
    text: str, file: str, tenant: str, registries: RegistrySettings, readers: Readers
) -> ReadSpec:
    """The plan of a spec, and what runs its operators and services, by digest.

    Raises :class:`fogline.model.faults.SpecErrors` with every mistake, :class:`TooLarge`,
    :class:`fogline.registry.errors.RegistryAway`, or :class:`InvalidInput` for one that takes too long to read.
    """
    if len(text.encode()) > MAX_SPEC_BYTES:
        raise TooLarge(f"the spec is larger than {MAX_SPEC_BYTES} bytes", hint="split it into pipelines")
    asked = {"tenant": tenant, "file": file, "logins": registries.logins, "insecure": registries.insecure}
    process = await readers.take()
    try:
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            said, _ = await process.communicate(json.dumps(asked).encode() + b"\n" + text.encode())
    except TimeoutError:
        raise InvalidInput(
            "the spec takes too long to read", hint="make its SQL simpler, or write images with their digests"
        ) from None
    finally:
        await end(process)
    if said[:1] == _READ:
        state = control_pb2.DesiredState.FromString(said[1:])
        return ReadSpec(
            plan=state.plans[0].plan.SerializeToString(deterministic=True),
            release=state.grants[0].SerializeToString(deterministic=True),
        )
    if said[:1] == _FAULTS:
        raise SpecErrors(file, faults_from_wire(api_pb2.SpecFaults.FromString(said[1:])))
    if said[:1] == _AWAY:
        faults = faults_from_wire(api_pb2.SpecFaults.FromString(said[1:]))
        raise RegistryAway(faults[0].message, hint=faults[0].hint, places=faults)
    raise Unavailable("the spec could not be read", hint="the cloud's log says why")


def faults_to_wire(faults: Iterable[Fault]) -> api_pb2.SpecFaults:
    """Every mistake as a message."""
    return api_pb2.SpecFaults(
        faults=[
            api_pb2.SpecFault(line=f.line, column=f.column, path=f.path, message=f.message, hint=f.hint)
            for f in faults
        ]
    )


def faults_from_wire(message: api_pb2.SpecFaults) -> list[Fault]:
    """Every mistake of a message."""
    return [
        Fault(line=f.line, column=f.column, path=f.path, message=f.message, hint=f.hint)
        for f in message.faults
    ]


class _Away(Exception):
    """Carries faults that the same spec may not have later."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)


def _with_digests(spec: "Spec", file: str, registries: RegistrySettings) -> Release:
    """What is to run, by digest. Raises :class:`SpecErrors` or :class:`_Away`."""
    tagged = [image for image in spec.image_places if "@" not in image]
    if not tagged:
        return spec.release
    # Imported here: most specs need no HTTP client.
    from fogline.registry.client import Registries  # noqa: PLC0415
    from fogline.registry.hosts import PlainHosts  # noqa: PLC0415
    from fogline.registry.logins import read_logins  # noqa: PLC0415
    from fogline.registry.resolve import resolve  # noqa: PLC0415

    logins = read_logins(Path(registries.logins)) if registries.logins else {}
    with Registries(PlainHosts(registries.insecure), logins) as asked:
        resolved = resolve(tagged, asked)
    mistakes, away = Faults(), Faults()
    for image, error in resolved.faults.items():
        path, place = spec.image_places[image]
        told = away if isinstance(error, RegistryAway) else mistakes
        told.add(place, path, error.message, error.hint)
    if mistakes.found:
        raise SpecErrors(file, mistakes.found)
    if away.found:
        raise _Away(away.found)
    return spec.release.with_images(resolved.images)


def _read(text: str, tenant: str, file: str, registries: RegistrySettings) -> bytes:
    # Imported here: the SQL parser must not come into the cloud's own process.
    from fogline.spec import make_plan, read_spec  # noqa: PLC0415
    from fogline.wire.plan import plan_to_wire  # noqa: PLC0415
    from fogline.wire.release import release_to_wire  # noqa: PLC0415

    try:
        spec = read_spec(text, file)
        release = _with_digests(spec, file, registries)
    except SpecErrors as error:
        return _FAULTS + faults_to_wire(error.faults).SerializeToString()
    except _Away as error:
        return _AWAY + faults_to_wire(error.faults).SerializeToString()
    except FogError as error:
        fault = Fault(line=0, column=0, path="", message=error.message, hint=error.hint)
        return _AWAY + faults_to_wire([fault]).SerializeToString()
    state = control_pb2.DesiredState(
        plans=[control_pb2.DesiredPlan(plan=plan_to_wire(make_plan(spec, tenant)))],
        grants=[release_to_wire(release)],
    )
    return _READ + state.SerializeToString(deterministic=True)


def _main() -> None:
    # Before anything is asked: whoever is made ready has this behind it.
    import fogline.spec  # noqa: PLC0415
    import fogline.wire.plan  # noqa: PLC0415
    import fogline.wire.release  # noqa: F401, PLC0415

    asked = json.loads(sys.stdin.buffer.readline() or "null")
    if asked is None:
        return  # nobody wanted it
    registries = RegistrySettings(insecure=tuple(asked["insecure"]), logins=asked["logins"])
    text = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(_read(text, asked["tenant"], asked["file"], registries))


if __name__ == "__main__":
    _main()
    sys.stdout.flush()
    # Who asked waits for the end, and taking the parser apart takes ten times as long as reading a spec.
    os._exit(0)
