"""Whose an identity is, and under which names a server shows it. Needs no cryptography."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from fogline.model.errors import InvalidInput

NODE: Final = "node"
AGGREGATOR: Final = "aggregator"
CLOUD: Final = "cloud"
ROLES: Final = (NODE, AGGREGATOR, CLOUD)
JOINING: Final = (NODE, AGGREGATOR)
"""Roles that join with a token."""

SCHEME: Final = "fogline"
DOMAIN: Final = "fogline.internal"
LOCAL_TENANT: Final = "main"
"""Whose everything is, as long as there is one tenant."""

_TENANT: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who somebody is: what a certificate says."""

    tenant: str
    role: str
    name: str

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.role not in ROLES:
            raise InvalidInput(f"{self.role!r} is no role; known are {', '.join(ROLES)}")
        if _TENANT.fullmatch(self.tenant) is None:
            raise InvalidInput(f"{self.tenant!r} is no tenant's name")

    @property
    def uri(self) -> str:
        """As the certificate's alternative name: ``fogline://main/node/greenhouse-1``."""
        return f"{SCHEME}://{self.tenant}/{self.role}/{quote(self.name, safe='')}"

    def __str__(self) -> str:
        return f"{self.role} {self.name}"


def check_name(name: str) -> None:
    """Refuse a name that no machine can join under. Raises :class:`InvalidInput`."""
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            f"{name!r} is no name for a machine",
            hint="1 to 64 letters, digits, `.`, `_`, `-`; a letter or digit first",
        )


def subject_of(uri: str) -> Subject:
    """Read a certificate's name. Raises :class:`InvalidInput` for one that is not ours."""
    scheme, separator, rest = uri.partition("://")
    parts = rest.split("/")
    if scheme != SCHEME or not separator or len(parts) != 3:
        raise InvalidInput(f"{uri!r} names nobody")
    tenant, role, name = parts
    return Subject(tenant=tenant, role=role, name=unquote(name))


def parent_name(tenant: str) -> str:
    """DNS name under which a tenant's children know their parents, wherever these are reached."""
    return f"{tenant}.parent.{DOMAIN}"


CLOUD_NAME: Final = f"_cloud.parent.{DOMAIN}"
"""DNS name under which people and programs know the cloud; no tenant is called so, and so no aggregator shows it."""
EVERY_PARENT: Final = f"*.parent.{DOMAIN}"
"""What the cloud shows: it is a parent of every tenant's children."""


def nodes_domain(tenant: str) -> str:
    """DNS names below it are those of the tenant's nodes; an aggregator's signature is good for no others."""
    return f"{tenant}.node.{DOMAIN}"
