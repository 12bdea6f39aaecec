"""What an aggregator says of where and how many: whether it is to be believed, and keeping it. It never expires."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from google.protobuf.message import DecodeError

from fogline.control.grants import term_of
from fogline.control.keys import Disbelieved
from fogline.model.errors import DataLoss
from fogline.service.files import write_whole
from fogline.v1 import control_pb2

_HEADER: Final = b"fogline assignments 1\n"
_DIGEST_BYTES: Final = 32
CONTEXT: Final = b"fogline assignments\0"
"""What is signed begins with it: a signature is good for nothing else."""
MAX_ASSIGNMENTS: Final = 100_000

Vouch = Callable[[control_pb2.SignedAssignments, str], str]
"""The short name of the key that has signed. Raises :class:`Disbelieved` unless it is that of the aggregator of this
name: (signed, name).
"""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Place(NamedTuple):
    """Which of two assignments is the newer: the higher."""

    generation: int
    term: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Assignments together with who vouches for them."""

    content: control_pb2.Assignments
    signed: control_pb2.SignedAssignments
    key: str = ""
    """Short name of the key that has signed; empty: nobody vouches."""

    @property
    def place(self) -> Place:
        """Where they stand among others."""
        content = self.content
        return Place(int(content.generation), int(content.term), int(content.sequence))


def opened(signed: control_pb2.SignedAssignments, vouch: Vouch | None) -> Given:
    """Read assignments. Raises :class:`Disbelieved` if they are none, or not their aggregator's."""
    try:
        content = control_pb2.Assignments.FromString(signed.content)
    except DecodeError as error:
        raise Disbelieved("malformed", "the assignments cannot be read") from error
    if len(content.assignments) > MAX_ASSIGNMENTS:
        raise Disbelieved("malformed", f"more than {MAX_ASSIGNMENTS} assignments")
    key = vouch(signed, content.aggregator) if vouch is not None else ""
    return Given(content=content, signed=signed, key=key)


def judge(
    signed: control_pb2.SignedAssignments,
    *,
    state: control_pb2.DesiredState | None,
    held: Given | None,
    vouch: Vouch | None,
) -> Given | None:
    """What to believe of a parent's assignments; None: they are the ones that hold already.

    ``state``: the desired state of whoever is told. Raises :class:`Disbelieved` for what is behind what was seen, or
    claims a generation or term that the cloud has not given.
    """
    given = opened(signed, vouch)
    if state is not None and given.key in state.deposed:
        raise Disbelieved(
            "revoked_aggregator",
            f"the key with which aggregator {given.content.aggregator} signs assignments was taken back",
        )
    if held is not None and given.place <= held.place:
        if given.content == held.content:
            return None
        raise Disbelieved(
            "older_assignments",
            f"assignments {_words(given)} are behind {_words(held)}, which were seen before",
        )
    generation, term = (int(state.generation), term_of(state)) if state is not None else (0, 0)
    if given.place.generation > generation or given.place.term > term:
        raise Disbelieved(
            "assignments_ahead",
            f"assignments {_words(given)} are ahead of the cloud: desired state {generation} has term {term}",
        )
    if given.place.term < term:
        raise Disbelieved("deposed", f"assignments {_words(given)} are of a former term; now it is {term}")
    return given


def _words(given: Given) -> str:
    place = given.place
    return f"{place.generation}.{place.term}.{place.sequence} of {given.content.aggregator}"


def read_given(path: Path, vouch: Vouch | None = None) -> Given | None:
    """The assignments that were kept; None if none were. Raises :class:`DataLoss`, :class:`Disbelieved`."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    hint = "the parent's next word replaces it"
    digest, content = raw[len(_HEADER) :][:_DIGEST_BYTES], raw[len(_HEADER) + _DIGEST_BYTES :]
    if not raw.startswith(_HEADER) or hashlib.sha256(content).digest() != digest:
        raise DataLoss(f"{path} is damaged, or of a version that this program does not read", hint=hint)
    try:
        return opened(control_pb2.SignedAssignments.FromString(content), vouch)
    except DecodeError as error:
        raise DataLoss(f"{path} holds no assignments", hint=hint) from error


def write_given(path: Path, given: Given) -> None:
    """Keep assignments; a power cut leaves the old ones or the new ones, whole. Blocks on the disk."""
    content = given.signed.SerializeToString(deterministic=True)
    write_whole(path, _HEADER + hashlib.sha256(content).digest() + content)


class KeptAssignments:
    """The newest assignments that were seen, together with their file."""

    def __init__(self, path: Path, *, vouch: Vouch | None = None) -> None:
        """Read what was kept; a file that cannot be read is said, and replaced by the parent's next word."""
        self._path: Final = path
        self._vouch: Final = vouch
        self._keeping: Final = asyncio.Lock()
        self._unkept = ""
        self._refusal = ""
        self.refused: Final[Counter[str]] = Counter()
        """Assignments that were not believed, by reason."""
        self.given: Given | None = None
        """The newest ones."""
        try:
            self.given = read_given(path, vouch)
        except (DataLoss, Disbelieved) as error:
            _log.error("kept assignments are lost", error=error)

    @property
    def faults(self) -> list[str]:
        """What is wrong with what the parent assigns or with keeping it, in words."""
        return [fault for fault in (self._unkept, self._refusal) if fault]

    async def accept(
        self, signed: control_pb2.SignedAssignments, state: control_pb2.DesiredState | None
    ) -> bool:
        """Keep a parent's assignments and let them hold, if they are to be believed and newer; whether they were."""
        async with self._keeping:
            try:
                given = judge(signed, state=state, held=self.given, vouch=self._vouch)
            except Disbelieved as refusal:
                self.refused[refusal.reason] += 1
                if str(refusal) != self._refusal:
                    _log.error("assignments refused", reason=refusal.reason, error=refusal)
                self._refusal = str(refusal)
                return False
            self._refusal = ""
            if given is None:
                return False
            try:
                await asyncio.to_thread(write_given, self._path, given)
            except OSError as error:
                self._unkept = f"assignments could not be kept: {error}"
                _log.error("assignments not kept", error=error)
            else:
                self._unkept = ""
            self.given = given
            return True
