"""The fog node's process."""

import asyncio
from collections.abc import Sequence
from random import Random

from fog_node.node import run_node
from fog_node.settings import NodeSettings
from fogline.identity.names import NODE
from fogline.identity.opening import open_holder
from fogline.model.clock import SystemClock
from fogline.model.errors import FogError
from fogline.service.arguments import settings_from
from fogline.service.folder import make_folder
from fogline.service.logs import set_up_logs
from fogline.service.run import refused, run_until_signalled


def main(arguments: Sequence[str]) -> int:
    """Run a node until it is told to stop; returns the exit code."""
    try:
        settings = settings_from(NodeSettings, tier="node", arguments=arguments)
        make_folder(settings.folder)
        holder = None if settings.plaintext else open_holder(settings.folder, role=NODE, name=settings.name)
    except FogError as error:
        return refused(error)
    set_up_logs(level=settings.log_level, log_format=settings.log_format, tier="node", name=settings.name)

    async def run(stopping: asyncio.Event) -> None:
        rng = Random()  # noqa: S311 - jitter
        await run_node(settings, stopping, clock=SystemClock(), rng=rng, holder=holder)

    return run_until_signalled(run)
