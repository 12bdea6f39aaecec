"""Whether a join token opens the door: a pure decision, the same at the cloud and at an aggregator without it."""

from dataclasses import dataclass

from fogline.identity.names import NODE, Subject
from fogline.identity.token import TokenRefused, id_of
from fogline.model.clock import to_rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownToken:
    """A token as whoever made it keeps it."""

    hash: bytes
    subject: Subject
    """Who joins with it."""
    expires_us: int
    used_us: int | None = None
    used_key: str = ""
    """The key that it was used for."""
    revoked_us: int | None = None

    @property
    def id(self) -> str:
        """Short name, for people."""
        return id_of(self.hash)


def judge(token: KnownToken | None, *, role: str, name: str, key: str, now_us: int) -> Subject:
    """Whose identity the applicant gets. Raises :class:`TokenRefused` saying why it gets none.

    A token that was used opens the door again for the same key: the answer may have been lost on its way.
    """
    if token is None:
        raise TokenRefused(
            "nobody here knows this token", hint="is it of another installation, or of long ago?"
        )
    if token.revoked_us is not None:
        raise TokenRefused(
            f"token {token.id} was revoked at {to_rfc3339(token.revoked_us)}", hint=anew(token.subject)
        )
    if token.used_us is not None and token.used_key != key:
        raise TokenRefused(
            f"token {token.id} was used at {to_rfc3339(token.used_us)} by another machine, or by this one with an "
            "identity that it has lost",
            hint=f"if it was neither, `fogline {token.subject.role} revoke {token.subject.name}`; "
            f"{anew(token.subject)}",
        )
    if now_us >= token.expires_us:
        raise TokenRefused(
            f"token {token.id} expired at {to_rfc3339(token.expires_us)}", hint=anew(token.subject)
        )
    if role != token.subject.role:
        raise TokenRefused(
            f"token {token.id} is for {_article(token.subject.role)}, and {_article(role)} wants to join",
            hint=f"`fogline {token.subject.role} join`, or another token",
        )
    if name not in ("", token.subject.name):
        raise TokenRefused(
            f"token {token.id} is for {token.subject}, and {name} wants to join",
            hint="leave the name out, or take a token for it",
        )
    return token.subject


def anew(subject: Subject) -> str:
    """What to do about a token that does not hold for a machine."""
    role = "" if subject.role == NODE else f" --role {subject.role}"
    return f"where the cloud is, `fogline token create --name {subject.name}{role}` makes a new one"


def _article(role: str) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"
