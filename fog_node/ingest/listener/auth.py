"""Users and passwords from a file: one ``name:salt:hash`` a line, salt and hash in hexadecimal, scrypt."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fogline.model.errors import InvalidInput

COST: Final = 2**14
BLOCK: Final = 8
SALT_BYTES: Final = 16
FIELDS: Final = 3


def hash_password(user: str, password: bytes, entropy: Callable[[int], bytes]) -> str:
    """A line for the users' file. Takes about 50 ms by intention."""
    if not user or ":" in user or "\n" in user:
        raise InvalidInput(f"{user!r} is no user name", hint="a name is some text without a colon")
    salt = entropy(SALT_BYTES)
    return f"{user}:{salt.hex()}:{_scrypt(password, salt).hex()}"


class Users:
    """Who may come in."""

    def __init__(self, lines: Mapping[str, tuple[bytes, bytes]]) -> None:
        self._lines: Final = dict(lines)

    @classmethod
    def read(cls, file: Path) -> "Users":
        """The users of a file. Raises :class:`InvalidInput` naming the line that cannot be read."""
        users: dict[str, tuple[bytes, bytes]] = {}
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split(":")
            try:
                user, salt, digest = fields if len(fields) == FIELDS else ("", "", "-")
                users[user] = bytes.fromhex(salt), bytes.fromhex(digest)
            except ValueError as fault:
                raise InvalidInput(
                    f"{file}:{number}: not a line of users",
                    hint="write name:salt:hash, as hash_password does",
                ) from fault
        return cls(users)

    def admits(self, user: str | None, password: bytes | None) -> bool:
        """Whether this is the user's password. Slow on purpose: not on an event loop."""
        # A user that does not exist costs as much as one with a wrong password, so time tells nothing.
        salt, digest = self._lines.get(user or "", (bytes(SALT_BYTES), b""))
        return hmac.compare_digest(_scrypt(password or b"", salt), digest)


def _scrypt(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=COST, r=BLOCK, p=1, dklen=32)
