"""Who calls, and what the caller may do."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Right(Enum):
    """One thing that a caller may do."""

    READ = "read"
    DEPLOY = "deploy"
    PUSH = "push"
    ATTACH = "attach"
    EXEC = "exec"
    """Run commands in containers."""
    ADMIT = "admit"
    """Decide which machines and which people and programs belong to the tenant."""
    METRICS = "metrics"
    """Read the metrics, which are of every tenant."""
    OPERATE = "operate"
    """Do what concerns every tenant: tokens of others, signing keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The tenant for whom a call is made, and its rights. Every service method takes one."""

    tenant: str
    rights: frozenset[Right]
    role: str = ""
    """What a certificate says the caller is: node, aggregator, cloud; ``token`` for people and programs."""
    name: str = ""
    """The name in the certificate, or the token's; empty: the port does not ask who comes."""
    key: str = ""
    """Short name of the certificate's key, or the token's id; empty without one."""
    issuer_key: str = ""
    """The same of the key that signed the certificate."""
    until_us: int = 0
    """When the certificate ends; 0 without one."""

    def may(self, right: Right) -> bool:
        """Whether this caller has the right."""
        return right in self.rights

    def speaks_for(self, node: str) -> bool:
        """Whether it may tell of this node: a node of itself alone, an aggregator of its group."""
        return self.role != "node" or node == self.name


PEOPLES: Final = frozenset({Right.READ, Right.DEPLOY, Right.EXEC, Right.ADMIT, Right.METRICS, Right.OPERATE})
"""Rights that a token may have; the others are machines'."""
LOCAL = Caller(tenant="main", rights=frozenset(Right))
"""Everyone who can reach a port that asks for nothing, and the cloud itself."""
NOBODY = Caller(tenant="", rights=frozenset())
"""Somebody without a certificate at a port that needs none: may call what asks for no right."""
