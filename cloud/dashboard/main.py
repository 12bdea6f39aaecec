"""Wires the dashboard together."""

import asyncio
from collections.abc import Mapping, Sequence

import fogline
from cloud.dashboard.app import make_app
from cloud.dashboard.desk import Desk
from cloud.dashboard.metrics import DashboardMetrics
from cloud.dashboard.server import DashboardServer
from cloud.dashboard.settings import DashboardSettings
from fogline.model.clock import SECOND, SystemClock
from fogline.model.errors import FogError
from fogline.service.arguments import settings_from
from fogline.service.logs import set_up_logs
from fogline.service.metrics import open_metrics
from fogline.service.notify import READY, say
from fogline.service.run import refused, run_until_signalled


def main(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run the dashboard until it is told to stop, and return the exit code."""
    try:
        settings = settings_from(
            DashboardSettings, tier="dashboard", arguments=arguments, environment=environment
        )
    except FogError as error:
        return refused(error)
    set_up_logs(level=settings.log_level, tier="dashboard", name=settings.name)

    async def run(stopping: asyncio.Event) -> None:
        clock = SystemClock()
        desk = Desk(settings.server, clock, ca=settings.ca, anonymous=settings.anonymous)
        app = make_app(desk, clock, installation=settings.name, insecure=settings.insecure)
        server = DashboardServer(app, listen=settings.listen, insecure=settings.insecure)
        metrics = open_metrics(
            settings.metrics,
            insecure=settings.insecure,
            identity=("dashboard", settings.name, fogline.__version__),
            sources=DashboardMetrics(desk).sources,
        )
        async with metrics, asyncio.TaskGroup() as group:
            looking = group.create_task(desk.run(), name="let go of what nobody looks at")
            say(READY, f"listens on {server.address}")
            await server.run(stopping)
            looking.cancel()

    return run_until_signalled(run, limit_s=settings.stop_within / SECOND)
