"""Reads a spec in a process of its own: the SQL parser's memory is given back, and no spec can stall the
cloud.

``python -m cloud.planner.reader TENANT FILE`` takes the spec on stdin and writes one byte and a message:
``S`` and a DesiredState with one plan and one grant, or ``F`` and SpecFaults.
"""

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fogline.model.errors import Fault, InvalidInput, TooLarge, Unavailable
from fogline.model.faults import Faults, SpecErrors, shown
from fogline.v1 import api_pb2, control_pb2

if TYPE_CHECKING:
    from fogline.spec.read import Spec

READ_WITHIN_SECONDS: Final = 20.0
MAX_SPEC_BYTES: Final = 1024 * 1024
_READ: Final = b"S"
_FAULTS: Final = b"F"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSpec:
    """What a spec says, serialised."""

    plan: bytes
    """A ``fogline.v1.Plan``."""
    release: bytes
    """A ``fogline.v1.Grant`` with operators and services only; empty: there are none."""


async def read_apart(text: str, file: str, tenant: str) -> ReadSpec:
    """The plan of a spec, and what runs its operators and services.

    Raises :class:`fogline.model.faults.SpecErrors` with every mistake, :class:`TooLarge`, or
    :class:`InvalidInput` for one that takes too long to read.
    """
    if len(text.encode()) > MAX_SPEC_BYTES:
        raise TooLarge(f"the spec is larger than {MAX_SPEC_BYTES} bytes", hint="split it into pipelines")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cloud.planner.reader",
        tenant,
        file,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            said, _ = await process.communicate(text.encode())
    except TimeoutError:
        raise InvalidInput("the spec takes too long to read", hint="make its SQL simpler") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if said[:1] == _READ:
        state = control_pb2.DesiredState.FromString(said[1:])
        return ReadSpec(
            plan=state.plans[0].plan.SerializeToString(deterministic=True),
            release=state.grants[0].SerializeToString(deterministic=True),
        )
    if said[:1] == _FAULTS:
        raise SpecErrors(file, faults_from_wire(api_pb2.SpecFaults.FromString(said[1:])))
    raise Unavailable("the spec could not be read", hint="the cloud's log says why")


def faults_to_wire(error: SpecErrors) -> api_pb2.SpecFaults:
    """Every mistake as a message."""
    return api_pb2.SpecFaults(
        faults=[
            api_pb2.SpecFault(line=f.line, column=f.column, path=f.path, message=f.message, hint=f.hint)
            for f in error.faults
        ]
    )


def faults_from_wire(message: api_pb2.SpecFaults) -> list[Fault]:
    """Every mistake of a message."""
    return [
        Fault(line=f.line, column=f.column, path=f.path, message=f.message, hint=f.hint)
        for f in message.faults
    ]


def _check_digests(spec: "Spec", file: str) -> None:
    """Only digests are run. Raises :class:`SpecErrors`."""
    faults = Faults()
    for image, (path, place) in spec.image_places.items():
        if "@" not in image:
            hint = "write what `fogline operator build` or `push` prints: name:tag@sha256:..."
            faults.add(place, path, f"{shown(image)} has no digest", hint)
    if faults.found:
        raise SpecErrors(file, faults.found)


def _read(text: str, tenant: str, file: str) -> bytes:
    # Imported here: the SQL parser must not come into the cloud's own process.
    from fogline.spec import make_plan, read_spec  # noqa: PLC0415
    from fogline.wire.plan import plan_to_wire  # noqa: PLC0415
    from fogline.wire.release import release_to_wire  # noqa: PLC0415

    try:
        spec = read_spec(text, file)
        _check_digests(spec, file)
    except SpecErrors as error:
        return _FAULTS + faults_to_wire(error).SerializeToString()
    state = control_pb2.DesiredState(
        plans=[control_pb2.DesiredPlan(plan=plan_to_wire(make_plan(spec, tenant)))],
        grants=[release_to_wire(spec.release)],
    )
    return _READ + state.SerializeToString(deterministic=True)


if __name__ == "__main__":
    sys.stdout.buffer.write(_read(sys.stdin.buffer.read().decode(), *sys.argv[1:3]))
