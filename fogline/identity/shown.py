"""What a machine says of its own identity in its reports."""

import secrets
from typing import Final

from fogline.identity.holder import Holder
from fogline.identity.renewal import Renewing
from fogline.v1 import control_pb2


class Shown:
    """Fills it into reports; names this process, so that two machines with one identity are told apart."""

    def __init__(self, holder: Holder | None = None, renewing: Renewing | None = None) -> None:
        self._holder: Final = holder
        self._renewing: Final = renewing
        self._instance: Final = secrets.token_hex(8)

    def fill(self, report: control_pb2.NodeReport | control_pb2.AggregatorReport) -> None:
        """Add certificate, process, and why the certificate could not be renewed."""
        report.instance = self._instance
        if self._holder is not None:
            identity = self._holder.identity
            report.certificate = identity.serial
            report.certificate_until_us = identity.until_us
        if self._renewing is not None and self._renewing.fault:
            report.faults.append(self._renewing.fault)
