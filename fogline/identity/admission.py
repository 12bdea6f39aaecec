"""The newest word of the cloud on who may join and who may not speak any more. Its version never goes back."""

import asyncio

from fogline.v1 import enrol_pb2


class AdmissionList:
    """Level-triggered: whoever waits sees the newest list, not each one."""

    def __init__(self) -> None:
        self._signed: enrol_pb2.SignedAdmission | None = None
        self._content = enrol_pb2.Admission()
        self._revoked: frozenset[str] = frozenset()
        self._changed = asyncio.Event()

    @property
    def signed(self) -> enrol_pb2.SignedAdmission | None:
        """As the cloud signed it; None before any was heard of."""
        return self._signed

    @property
    def content(self) -> enrol_pb2.Admission:
        """What it says; empty before any was heard of."""
        return self._content

    @property
    def keys(self) -> frozenset[str]:
        """Short names of the keys that were taken back."""
        return self._revoked

    def revoked(self, key: str) -> bool:
        """Whether a key was taken back."""
        return key in self._revoked

    def is_newer(self, signed: enrol_pb2.SignedAdmission) -> bool:
        """Whether this list says more than what holds now."""
        version = enrol_pb2.Admission.FromString(signed.content).version
        return self._signed is None or version > self._content.version

    def offer(self, signed: enrol_pb2.SignedAdmission) -> bool:
        """Take a list, whose signature was checked, if it is newer; whether it was."""
        if not self.is_newer(signed):
            return False
        content = enrol_pb2.Admission.FromString(signed.content)
        self._signed, self._content = signed, content
        self._revoked = frozenset(content.revoked)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        return True

    async def newer_than(self, version: int) -> enrol_pb2.SignedAdmission:
        """Wait for a list of a higher version than this; -1 takes any."""
        while self._signed is None or self._content.version <= version:
            await self._changed.wait()
        return self._signed
