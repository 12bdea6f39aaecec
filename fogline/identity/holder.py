"""The identity that a process has now, and the gRPC credentials made of it. Renewal replaces it while all runs on."""

from typing import Any

import grpc

from fogline.identity.identity import Identity
from fogline.identity.names import parent_name
from fogline.uplink.dial import CHANNEL_OPTIONS


class Holder:
    """Holds the newest identity. Streams that are open go on with the one they began with."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    @property
    def identity(self) -> Identity:
        """The identity now."""
        return self._identity

    def replace(self, identity: Identity) -> None:
        """Show this one from the next connection on."""
        self._identity = identity

    def dial(self, address: str) -> grpc.aio.Channel:
        """A channel to a parent of this machine's tenant, wherever it is reached; each side shows itself."""
        identity = self._identity
        credentials = grpc.ssl_channel_credentials(
            identity.authority_pem, private_key=identity.key_pem, certificate_chain=identity.chain_pem
        )
        # Parents are told by what the CA says they are: addresses change, and names of DNS can be taken over.
        expected = ("grpc.ssl_target_name_override", parent_name(identity.subject.tenant))
        return grpc.aio.secure_channel(address, credentials, options=(*CHANNEL_OPTIONS, expected))

    def server_credentials(self, *, mutual: bool) -> grpc.ServerCredentials:
        """For a server's port; every handshake shows the identity of its instant.

        ``mutual``: only who has a certificate of the same CA gets through.
        """
        shown = self._identity
        configuration = _configuration(shown, mutual=mutual)

        def newest() -> Any:  # None, too: nothing new; the stubs do not know
            nonlocal shown
            if shown is self._identity:
                return None
            shown = self._identity
            return _configuration(shown, mutual=mutual)

        return grpc.dynamic_ssl_server_credentials(
            configuration, newest, require_client_authentication=mutual
        )


def _configuration(identity: Identity, *, mutual: bool) -> grpc.ServerCertificateConfiguration:
    # The CA's own certificate goes with the chain: who joins has only its fingerprint.
    shown = [(identity.key_pem, identity.chain_pem + identity.authority_pem)]
    return grpc.ssl_server_certificate_configuration(
        shown, root_certificates=identity.authority_pem if mutual else None
    )
