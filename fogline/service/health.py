"""Asks a tier of this machine whether it answers: ``python -m fogline.service.health [HOST:PORT]``.

For containers' health checks. It asks for metrics, as they need no certificate and are made on the tier's event loop.
"""

import sys
from http.client import HTTPConnection, HTTPException
from typing import Final

DEFAULT: Final = "127.0.0.1:9470"
WITHIN_S: Final = 5.0


def fault_of(address: str) -> str:
    """What is wrong with the tier whose metrics are at ``address``; empty if it answers."""
    connection = HTTPConnection(address, timeout=WITHIN_S)
    try:
        connection.request("HEAD", "/metrics")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"{address}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return "" if status == 200 else f"{address}: answers {status}"


def main(arguments: list[str]) -> int:
    """Exit code 0 if it answers, else 1 and the reason on stderr."""
    fault = fault_of(arguments[0] if arguments else DEFAULT)
    if fault:
        sys.stderr.write(f"{fault}\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
