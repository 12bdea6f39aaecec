"""Desired state on disk: what lets a tier come back alone after a power cut without uplink. It never expires."""

import asyncio
import hashlib
from collections import Counter
from pathlib import Path
from typing import Final

import structlog
from google.protobuf.message import DecodeError

from fogline.control.desired import Desired
from fogline.control.keys import Anchor, Disbelieved, SigningKey
from fogline.control.word import Believed, Word, judge, reopened
from fogline.model.errors import DataLoss
from fogline.service.files import write_whole
from fogline.v1 import control_pb2

_UNSIGNED: Final = b"fogline desired state 1\n"
"""Of releases whose cloud signed nothing: a DesiredState."""
_HEADER: Final = b"fogline desired state 2\n"
"""An AttachResponse, as the parent told it."""
_DIGEST_BYTES: Final = 32
_HINT: Final = "the parent's next word replaces it"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def read_word(path: Path, anchor: Anchor | None = None) -> tuple[Word, SigningKey | None] | None:
    """The word that was kept and the signing key to go by; None if none was kept.

    Raises :class:`DataLoss` if the file is not what was written, :class:`Disbelieved` if it is not what the cloud
    signed.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    header = raw[: len(_HEADER)]
    if header not in (_HEADER, _UNSIGNED):
        raise DataLoss(f"{path} is not a kept desired state of a version that this program reads", hint=_HINT)
    digest, content = raw[len(header) :][:_DIGEST_BYTES], raw[len(header) + _DIGEST_BYTES :]
    if hashlib.sha256(content).digest() != digest:
        raise DataLoss(f"{path} fails its checksum", hint=_HINT)
    try:
        if header == _UNSIGNED:
            return Word(state=control_pb2.DesiredState.FromString(content)), None
        believed = reopened(control_pb2.AttachResponse.FromString(content), anchor=anchor)
    except DecodeError as error:
        raise DataLoss(f"{path} holds no desired state", hint=_HINT) from error
    return believed.word, believed.key


def write_word(path: Path, word: Word) -> None:
    """Keep a word; a power cut leaves the old one or the new one, whole. Blocks on the disk."""
    content = word.told().SerializeToString(deterministic=True)
    write_whole(path, _HEADER + hashlib.sha256(content).digest() + content)


class KeptDesired:
    """The newest desired state together with its file: takes only what the cloud has signed."""

    def __init__(self, path: Path, *, anchor: Anchor | None = None) -> None:
        """Read what was kept; a file that cannot be read is said, and replaced by the parent's next word.

        ``anchor``: the CA; without one the first signing key that a parent tells is believed from then on.
        """
        self._path: Final = path
        self._anchor: Final = anchor
        self._key: SigningKey | None = None
        self._keeping: Final = asyncio.Lock()
        self._unkept = ""
        self._refusal = ""
        self.refused: Final[Counter[str]] = Counter()
        """Words of parents that were not believed, by reason."""
        self.contested = 0
        """Generation under which the parent says something else than what is held; 0: none."""
        self._astray = False
        self.desired: Final = Desired(self._reread())

    def _reread(self) -> Word | None:
        try:
            found = read_word(self._path, self._anchor)
        except (DataLoss, Disbelieved) as error:
            _log.error("kept desired state is lost", error=error)
            self._refusal = f"the desired state that was kept is lost: {error}"
            return None
        if found is None:
            return None
        word, self._key = found
        return word

    @property
    def faults(self) -> list[str]:
        """What is wrong with what the parent says or with keeping it, in words."""
        return [fault for fault in (self._unkept, self._refusal) if fault]

    @property
    def known_keys(self) -> tuple[control_pb2.SigningKey, ...]:
        """The signing keys that are known here, as long as the parent goes by others."""
        word = self.desired.word
        return word.keys if self._astray and word is not None else ()

    async def accept(self, told: control_pb2.AttachResponse) -> bool:
        """Keep a parent's word and then let it hold, if the cloud signed it and it is newer; whether it was."""
        if not told.HasField("signed"):
            return False
        async with self._keeping:
            try:
                believed = judge(told, known=self._key, held=self.desired.word, anchor=self._anchor)
            except Disbelieved as refusal:
                self._refuse(refusal)
                return False
            self._refusal, self.contested, self._astray = "", 0, False
            return believed is not None and await self._take(believed)

    def _refuse(self, refusal: Disbelieved) -> None:
        self.refused[refusal.reason] += 1
        if str(refusal) != self._refusal:
            _log.error("desired state refused", reason=refusal.reason, error=refusal)
        self._refusal = str(refusal)
        self._astray = refusal.reason in ("unknown_key", "older_key")
        self.contested = self.desired.generation if refusal.reason == "contested" else 0

    async def _take(self, believed: Believed) -> bool:
        word = believed.word
        try:
            await asyncio.to_thread(write_word, self._path, word)
        except OSError as error:
            # A full disk must not keep a node from doing what it shall; it would only forget it at a restart.
            self._unkept = f"desired state {word.generation} could not be kept: {error}"
            _log.error("desired state not kept", generation=word.generation, error=error)
        else:
            self._unkept = ""
        self._key = believed.key
        return self.desired.offer(word)
