"""Who calls, and what the caller may do. Until certificates exist everyone is tenant ``main`` with all rights."""

from dataclasses import dataclass
from enum import Enum


class Right(Enum):
    """One thing that a caller may do."""

    READ = "read"
    DEPLOY = "deploy"
    PUSH = "push"
    ATTACH = "attach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The tenant for whom a call is made, and its rights. Every service method takes one."""

    tenant: str
    rights: frozenset[Right]

    def may(self, right: Right) -> bool:
        """Whether this caller has the right."""
        return right in self.rights


LOCAL = Caller(tenant="main", rights=frozenset(Right))
"""Everyone who can reach a loopback port."""
