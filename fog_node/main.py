"""The fog node's process."""

import sys
from collections.abc import Sequence
from random import SystemRandom

from fog_node.node import run_node
from fog_node.settings import NodeSettings
from fogline.model.clock import SystemClock
from fogline.model.errors import FogError
from fogline.service.arguments import settings_from
from fogline.service.logs import set_up_logs
from fogline.service.run import EXIT_REFUSED, run_until_signalled


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a node until it is told to stop; returns the exit code."""
    try:
        settings = settings_from(
            NodeSettings, tier="node", arguments=sys.argv[1:] if arguments is None else arguments
        )
    except FogError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_REFUSED
    set_up_logs(level=settings.log_level, tier="node")
    clock, rng = SystemClock(), SystemRandom()
    return run_until_signalled(lambda stopping: run_node(settings, stopping, clock=clock, rng=rng))
