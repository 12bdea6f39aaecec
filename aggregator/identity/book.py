"""What an aggregator keeps on its disk about who may join: the cloud's list, and what it has issued itself."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from google.protobuf.message import DecodeError

from fogline.identity.admission import AdmissionList
from fogline.identity.certificates import key_of, parse_der, serial_of
from fogline.identity.judging import KnownToken
from fogline.identity.keys import key_id, verify
from fogline.identity.names import Subject
from fogline.service.files import write_whole
from fogline.v1 import enrol_pb2

LIST_FILE: Final = "admission"
BOOK_FILE: Final = "enrolments"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class EnrolmentBook:
    """A :class:`fogline.identity.feed.Book`. Nothing is handed out before it is on the disk."""

    def __init__(
        self, folder: Path, roots: Callable[[], Sequence[x509.Certificate]], *, ended: Callable[[], None]
    ) -> None:
        """``roots``: the CAs to go by; ``ended`` is told when keys were taken back."""
        self._folder: Final = folder
        self._roots: Final = roots
        self._ended: Final = ended
        self._writing: Final = asyncio.Lock()
        self._more: Final = asyncio.Event()
        self.list: Final = AdmissionList()
        """The cloud's newest word."""
        self._book = enrol_pb2.EnrolmentBook()
        self._read()

    def _read(self) -> None:
        """What was kept; what cannot be read comes again from the parent."""
        try:
            signed = enrol_pb2.SignedAdmission.FromString((self._folder / LIST_FILE).read_bytes())
            if self._is_signed(signed):
                self.list.offer(signed)
        except (OSError, DecodeError) as error:
            _log.info("no list of who may join is kept", reason=str(error))
        try:
            self._book = enrol_pb2.EnrolmentBook.FromString((self._folder / BOOK_FILE).read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, DecodeError) as error:
            _log.error("what was issued here cannot be read", error=error)

    def _is_signed(self, signed: enrol_pb2.SignedAdmission) -> bool:
        return any(verify(key_of(root), signed.content, signed.signature) for root in self._roots())

    @property
    def unheard(self) -> Sequence[enrol_pb2.Enrolment]:
        """What no parent has heard of."""
        heard = set(self._book.heard)
        return [each for each in self._book.enrolments if _serial(each) not in heard]

    async def changed(self) -> None:
        """Wait until something was issued."""
        await self._more.wait()
        self._more.clear()

    def token(self, digest: bytes) -> KnownToken | None:
        """An open token of the cloud's list, or one that was used here."""
        of_list = next((each for each in self.list.content.tokens if each.hash == digest), None)
        used = next((each for each in self._book.enrolments if each.token == digest), None)
        if of_list is None:
            return None
        return KnownToken(
            hash=digest,
            subject=Subject(tenant=of_list.tenant, role=of_list.role, name=of_list.name),
            expires_us=of_list.expires_us,
            used_us=used.at_us if used is not None else None,
            used_key=_key(used) if used is not None else "",
        )

    async def issued(self, enrolments: Sequence[enrol_pb2.Enrolment]) -> None:
        """Keep what was issued here or below. Raises :class:`OSError`."""
        async with self._writing:
            there = {_serial(each) for each in self._book.enrolments}
            fresh = [each for each in enrolments if _serial(each) not in there]
            if not fresh:
                return
            book = enrol_pb2.EnrolmentBook(
                enrolments=(*self._book.enrolments, *fresh), heard=self._book.heard
            )
            await self._write(book)
            self._more.set()

    async def strike(self, serials: Sequence[str]) -> None:
        """A parent keeps these; tokens stay until the list has them no more."""
        async with self._writing:
            heard = {*self._book.heard, *serials}
            listed = {each.hash for each in self.list.content.tokens}
            kept = [
                each
                for each in self._book.enrolments
                if _serial(each) not in heard or (each.token and each.token in listed)
            ]
            left = {_serial(each) for each in kept}
            await self._write(enrol_pb2.EnrolmentBook(enrolments=kept, heard=sorted(heard & left)))

    async def accept(self, signed: enrol_pb2.SignedAdmission) -> None:
        """Take the parent's list, if the CA signed it and it is newer."""
        if not self._is_signed(signed):
            _log.warning("a list of who may join was not signed by the CA, and is not believed")
            return
        if not self.list.is_newer(signed):
            return
        async with self._writing:
            try:
                await asyncio.to_thread(write_whole, self._folder / LIST_FILE, signed.SerializeToString())
            except OSError as error:
                # It holds all the same; only after a restart it would be the older one.
                _log.error("the list of who may join could not be kept", error=error)
        before = self.list.keys
        if self.list.offer(signed) and self.list.keys != before:
            self._ended()

    async def _write(self, book: enrol_pb2.EnrolmentBook) -> None:
        await asyncio.to_thread(write_whole, self._folder / BOOK_FILE, book.SerializeToString())
        self._book = book


def _serial(enrolment: enrol_pb2.Enrolment) -> str:
    return serial_of(parse_der(enrolment.certificates[0]))


def _key(enrolment: enrol_pb2.Enrolment) -> str:
    return key_id(key_of(parse_der(enrolment.certificates[0])))
