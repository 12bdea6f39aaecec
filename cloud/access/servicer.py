"""The gRPC door of API tokens."""
# ruff: noqa: N802 - methods are named by the contract

from typing import Any, Final

import grpc

from cloud.api.access import Access
from fogline.service.callers import caller_of
from fogline.service.server import Server
from fogline.v1 import access_pb2, access_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class AccessServicer(access_pb2_grpc.AccessServiceServicer):
    """Asks :class:`cloud.api.access.Access`."""

    def __init__(self, access: Access) -> None:
        self._access: Final = access

    async def CreateApiToken(
        self, request: access_pb2.CreateApiTokenRequest, context: Context
    ) -> access_pb2.CreateApiTokenResponse:
        """A new token."""
        return await self._access.create(caller_of(context), request)

    async def ListApiTokens(
        self, request: access_pb2.ListApiTokensRequest, context: Context
    ) -> access_pb2.ListApiTokensResponse:
        """Tokens, never their secrets."""
        return await self._access.list(caller_of(context), request)

    async def RevokeApiToken(
        self, request: access_pb2.RevokeApiTokenRequest, context: Context
    ) -> access_pb2.RevokeApiTokenResponse:
        """Close a token."""
        return await self._access.revoke(caller_of(context), request)

    async def GetCaller(
        self,
        request: access_pb2.GetCallerRequest,  # noqa: ARG002 - it has no fields yet
        context: Context,
    ) -> access_pb2.GetCallerResponse:
        """Who asks."""
        return self._access.whoami(caller_of(context))


def serve_access(server: Server, access: Access) -> None:
    """Serve API tokens on a gRPC server."""
    servicer = AccessServicer(access)
    server.add(
        "fogline.v1.AccessService",
        lambda grpc_server: access_pb2_grpc.add_AccessServiceServicer_to_server(servicer, grpc_server),
    )
