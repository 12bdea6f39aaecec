"""Desired state on disk: what lets a tier come back alone after a power cut without uplink."""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

import structlog
from google.protobuf.message import DecodeError

from fogline.control.desired import Desired
from fogline.model.errors import DataLoss
from fogline.service.files import write_whole
from fogline.v1 import control_pb2

_HEADER: Final = b"fogline desired state 1\n"
_DIGEST_BYTES: Final = 32

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def read_desired(path: Path) -> control_pb2.DesiredState | None:
    """The state that was kept; None if none was.

    Raises :class:`DataLoss` if the file is not what was written; the parent's next word replaces it.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    hint = "the parent's next word replaces it"
    if not raw.startswith(_HEADER):
        raise DataLoss(f"{path} is not a kept desired state of a version that this program reads", hint=hint)
    digest, content = raw[len(_HEADER) :][:_DIGEST_BYTES], raw[len(_HEADER) + _DIGEST_BYTES :]
    if hashlib.sha256(content).digest() != digest:
        raise DataLoss(f"{path} fails its checksum", hint=hint)
    try:
        return control_pb2.DesiredState.FromString(content)
    except DecodeError as error:
        raise DataLoss(f"{path} holds no desired state", hint=hint) from error


def write_desired(path: Path, state: control_pb2.DesiredState) -> None:
    """Keep a state; a power cut leaves the old one or the new one, whole. Blocks on the disk."""
    content = state.SerializeToString(deterministic=True)
    write_whole(path, _HEADER + hashlib.sha256(content).digest() + content)


class KeptDesired:
    """The newest desired state together with its file."""

    def __init__(self, path: Path) -> None:
        """Read what was kept; a file that cannot be read is said, and replaced by the parent's next word."""
        self._path: Final = path
        state = None
        try:
            state = read_desired(path)
        except DataLoss as error:
            _log.error("kept desired state is lost", error=error)
        self.desired: Final = Desired(state)
        self.fault = ""
        """Why the newest state could not be kept; empty if it was."""

    async def accept(self, state: control_pb2.DesiredState) -> bool:
        """Keep a state and then let it hold, if it is newer than what holds now; whether it was."""
        if self.desired.state is not None and state.generation <= self.desired.generation:
            return False
        try:
            await asyncio.to_thread(write_desired, self._path, state)
        except OSError as error:
            # A full disk must not keep a node from doing what it shall; it would only forget it at a restart.
            self.fault = f"desired state {state.generation} could not be kept: {error}"
            _log.error("desired state not kept", generation=state.generation, error=error)
        else:
            self.fault = ""
        return self.desired.offer(state)
