"""What lets a command in at an MQTT server, beside what stands in its URL."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fogline.cli.passwords import PASSWORD_VARIABLE
from fogline.model.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Files, named as in a node's settings."""

    password_file: Path | None = None
    """Holds the password of users whose URL has none; else the environment may have it."""
    ca: Path | None = None
    """PEM file of authorities; else the system's."""
    certificate: Path | None = None
    """PEM file with our own certificate, for a server that asks for one."""
    key: Path | None = None

    def tls(self) -> ssl.SSLContext:
        """What TLS is spoken with. Raises :class:`InvalidInput` for a file that cannot be used."""
        if self.key is not None and self.certificate is None:
            raise InvalidInput("--key is given, and --certificate is not", hint="give both or none")
        try:
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except OSError as error:
            raise InvalidInput(
                f"the files for TLS cannot be used: {error}", hint="--ca, --certificate, --key name PEM files"
            ) from None
        return context

    def password(self) -> str:
        """For a user whose URL has none; "" if there is none. Raises :class:`InvalidInput`."""
        if self.password_file is None:
            return os.environ.get(PASSWORD_VARIABLE, "")
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"--password-file {self.password_file} cannot be read: {error}",
                hint="name a file that holds the password alone",
            ) from None

    @property
    def speaks_tls(self) -> bool:
        """Whether any of its files is for TLS."""
        return bool(self.ca or self.certificate or self.key)


NOTHING: Final = Access()


def _no_password() -> str:
    raise InvalidInput("the key is encrypted", hint="give one without a passphrase")
