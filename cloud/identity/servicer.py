"""The gRPC door of join tokens and revocations."""
# ruff: noqa: N802 - methods are named by the contract

from typing import Any, Final

import grpc

from cloud.api.joining import Joining
from fogline.service.callers import caller_of
from fogline.v1 import enrol_pb2, enrol_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class AdmissionServicer(enrol_pb2_grpc.AdmissionServiceServicer):
    """Asks :class:`cloud.api.joining.Joining`."""

    def __init__(self, joining: Joining) -> None:
        self._joining: Final = joining

    async def CreateToken(
        self, request: enrol_pb2.CreateTokenRequest, context: Context
    ) -> enrol_pb2.CreateTokenResponse:
        """A token for one machine."""
        return await self._joining.create(caller_of(context), request)

    async def ListTokens(
        self,
        request: enrol_pb2.ListTokensRequest,  # noqa: ARG002 - it has no fields yet
        context: Context,
    ) -> enrol_pb2.ListTokensResponse:
        """Tokens, never their secrets."""
        return await self._joining.tokens(caller_of(context))

    async def RevokeToken(
        self, request: enrol_pb2.RevokeTokenRequest, context: Context
    ) -> enrol_pb2.RevokeTokenResponse:
        """Close a token."""
        return await self._joining.revoke_token(caller_of(context), request)

    async def RevokeIdentity(
        self, request: enrol_pb2.RevokeIdentityRequest, context: Context
    ) -> enrol_pb2.RevokeIdentityResponse:
        """Take identities back."""
        return await self._joining.revoke(caller_of(context), request)
