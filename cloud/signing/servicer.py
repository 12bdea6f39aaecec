"""The gRPC door of the signing keys."""
# ruff: noqa: N802 - methods are named by the contract

from typing import Any, Final

import grpc

from cloud.signing.keyring import Keyring
from cloud.store.signing import SigningRow
from fogline.control.keys import SIGNATURE_BYTES
from fogline.model.caller import Right
from fogline.service.callers import caller_of, require
from fogline.service.server import Server
from fogline.v1 import signing_pb2, signing_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class SigningServicer(signing_pb2_grpc.SigningServiceServicer):
    """Asks :class:`cloud.signing.keyring.Keyring`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring: Final = keyring

    async def RotateSigningKey(
        self,
        request: signing_pb2.RotateSigningKeyRequest,  # noqa: ARG002 - it has no fields yet
        context: Context,
    ) -> signing_pb2.RotateSigningKeyResponse:
        """Sign with a new key."""
        require(caller_of(context), Right.OPERATE)
        return signing_pb2.RotateSigningKeyResponse(key=_about(await self._keyring.rotate()))

    async def ListSigningKeys(
        self,
        request: signing_pb2.ListSigningKeysRequest,  # noqa: ARG002 - it has no fields yet
        context: Context,
    ) -> signing_pb2.ListSigningKeysResponse:
        """The keys, without their private halves."""
        require(caller_of(context), Right.READ)
        return signing_pb2.ListSigningKeysResponse(keys=map(_about, await self._keyring.all()))


def serve_signing(server: Server, keyring: Keyring) -> None:
    """Serve the keys on a gRPC server."""
    servicer = SigningServicer(keyring)
    server.add(
        "fogline.v1.SigningService",
        lambda grpc_server: signing_pb2_grpc.add_SigningServiceServicer_to_server(servicer, grpc_server),
    )


def _about(row: SigningRow) -> signing_pb2.SigningKeyInfo:
    vouched_by = "nobody"
    if row.signature:
        # The CA's signatures are DER, and longer.
        vouched_by = "key before" if len(row.signature) == SIGNATURE_BYTES else "ca"
    return signing_pb2.SigningKeyInfo(
        version=row.version, public_key=row.public, made_us=row.made_us, vouched_by=vouched_by
    )
