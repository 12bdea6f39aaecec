"""Wires an aggregator together."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

import fogline
from aggregator.assigner import Sign, unsigned
from aggregator.group import Group
from aggregator.images.cache import ImageCache
from aggregator.images.servicer import add_images
from aggregator.images.upstream import FromParent, FromRegistry
from aggregator.metrics import AggregatorMetrics
from aggregator.relay import Relay
from aggregator.settings import AggregatorSettings
from aggregator.sink import MergeSink
from fogline.control.client import ControlClient
from fogline.control.keep import KeptDesired
from fogline.control.keys import Anchor
from fogline.control.servicer import ControlServicer
from fogline.identity.holder import Holder
from fogline.identity.metrics import certificate_source
from fogline.identity.names import AGGREGATOR
from fogline.identity.opening import open_holder
from fogline.identity.shown import Shown
from fogline.intake.servicer import IntakeServicer
from fogline.model.clock import SECOND, Clock, SystemClock
from fogline.model.errors import FogError
from fogline.registry.parent import ParentCache
from fogline.service.arguments import settings_from
from fogline.service.doors import OpenDoor
from fogline.service.folder import make_folder
from fogline.service.logs import set_up_logs
from fogline.service.metrics import MetricsPort, open_metrics
from fogline.service.notify import READY, say
from fogline.service.run import refused, run_until_signalled
from fogline.service.server import Server
from fogline.uplink.dial import Dial, channel_to
from fogline.uplink.lanes import LaneSet
from fogline.uplink.uplink import Uplink
from fogline.v1 import control_pb2, control_pb2_grpc, uplink_pb2_grpc

if TYPE_CHECKING:
    from aggregator.identity.gate import Gate

DESIRED_FILE: Final = "desired"
ASSIGNMENTS_FILE: Final = "assignments"
IMAGES_FOLDER: Final = "images"


class Aggregator:
    """Everything of one aggregator's process; :meth:`run` runs it."""

    def __init__(
        self, settings: AggregatorSettings, *, clock: Clock, rng: Random, holder: Holder | None = None
    ) -> None:
        """``holder``: whom it shows itself as; without one it neither encrypts nor asks who comes."""
        self._settings: Final = settings
        self._holder: Final = holder
        dial = channel_to if holder is None else holder.dial
        self._clock: Final = clock
        lanes = LaneSet()
        anchor, sign = _vouching(holder)
        self._kept: Final = KeptDesired(settings.folder / DESIRED_FILE, anchor=anchor)
        self.sink: Final = MergeSink(lanes, limits=settings.merge.limits(), clock=clock)
        self._intake: Final = IntakeServicer(self.sink, parent=settings.name, credit_bytes=settings.credit)
        self._uplink: Final = Uplink(
            parents=settings.parents,
            child=settings.name,
            lanes=lanes,
            clock=clock,
            rng=rng,
            settings=settings.link,
            dial=dial,
        )
        self._group: Final = Group(
            settings.name,
            desired=self._kept.desired,
            own=self._report,
            changed=self._tell_parent,
            assignments_file=settings.folder / ASSIGNMENTS_FILE,
            clock=clock,
            sign=sign,
        )
        relay = Relay()
        self._control: Final = ControlClient(
            parents=settings.parents,
            report=self._group.report,
            accept=self._accept,
            clock=clock,
            rng=rng,
            settings=settings.link,
            dial=dial,
            sessions=relay,
            post=relay.post,
            sums=True,
        )
        self.images: Final = self._image_cache(dial)
        self._attach: Final = ControlServicer(self._group, relay)
        self.gate: Final = None if holder is None else _gate(holder, settings, clock=clock, rng=rng)
        self._shown: Final = Shown(holder, None if self.gate is None else self.gate.renewing)
        self.server: Final = Server(
            listen=settings.listen,
            insecure=settings.insecure,
            door=OpenDoor() if self.gate is None else self.gate.door,
        )

    @property
    def generation(self) -> int:
        """Of the desired state that the group is told now."""
        return self._kept.desired.generation

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve and push until told to stop; then send what is merged, and leave."""
        self.server.add(
            "fogline.v1.UplinkService",
            lambda server: uplink_pb2_grpc.add_UplinkServiceServicer_to_server(self._intake, server),
            end=self._intake.end_streams,
        )
        self.server.add(
            "fogline.v1.ControlService",
            lambda server: control_pb2_grpc.add_ControlServiceServicer_to_server(self._attach, server),
            end=self._attach.end_streams,
        )
        if self.images is not None:
            add_images(self.server, self.images)
        async with AsyncExitStack() as stack:
            if self.gate is not None:
                self.gate.ends(self._intake, self._attach)
                await self.gate.serve(self.server)
                await stack.enter_async_context(self.gate.enrol)
            await stack.enter_async_context(self.server)
            await stack.enter_async_context(self._metrics())
            group = await stack.enter_async_context(asyncio.TaskGroup())
            pushing = group.create_task(self._uplink.run(), name="push to the parent")
            control = group.create_task(self._control.run(), name="attach to the parent")
            assigning = group.create_task(self._group.assigner.run(), name="assign")
            works = [control, assigning]
            if self.images is not None:
                works.append(group.create_task(self.images.run(), name="fetch images"))
            if self.gate is not None:
                works += [group.create_task(work, name=name) for name, work in self.gate.works()]
            say(READY, f"listens on {self.server.address}")
            await stopping.wait()
            await self.server.retire()
            self.sink.flush()
            self._uplink.stop()
            await pushing
            for work in works:
                work.cancel()

    def _image_cache(self, dial: Dial) -> ImageCache | None:
        settings = self._settings.images
        if not settings.disk:
            return None
        parent = FromParent(ParentCache(lambda: self._control.parent, dial=dial))
        return ImageCache(
            self._settings.folder / IMAGES_FOLDER,
            settings,
            desired=self._kept.desired,
            upstreams=(parent, FromRegistry(settings)),
        )

    async def _accept(self, told: control_pb2.AttachResponse) -> None:
        if told.HasField("look"):
            self._group.look(told.look)
        await self._kept.accept(told)

    def _report(self) -> control_pb2.AggregatorReport:
        images = () if self.images is None else self.images.faults
        report = control_pb2.AggregatorReport(
            aggregator=self._settings.name,
            parent=self._uplink.parent,
            at_us=self._clock.now_us(),
            generation=self._kept.desired.generation,
            children=self._intake.children,
            parts_in=self._intake.counters.parts,
            parts_out=self._uplink.counters.parts,
            held_bytes=self.sink.held_bytes,
            refusals=self.sink.counters.refusals,
            version=fogline.__version__,
            faults=[*self._kept.faults, *filter(None, [self._group.assigner.fault]), *images],
            known_keys=self._kept.known_keys,
            contested=self._kept.contested,
        )
        self._shown.fill(report)
        return report

    def _metrics(self) -> AbstractAsyncContextManager[MetricsPort | None]:
        metrics = AggregatorMetrics(
            intake=self._intake,
            sink=self.sink,
            uplink=self._uplink,
            control=self._control,
            kept=self._kept,
            images=self.images,
            calls=self.server.calls,
        )
        settings = self._settings
        return open_metrics(
            settings.metrics,
            insecure=settings.insecure,
            identity=("aggregator", settings.name, fogline.__version__),
            sources={**metrics.sources, **certificate_source(self._holder, self._clock)},
        )

    def _tell_parent(self) -> None:
        self._control.changed()


def _vouching(holder: Holder | None) -> tuple[Anchor | None, Sign]:
    """Whether the CA stands behind a signing key, and how this aggregator vouches for what it assigns."""
    if holder is None:
        return None, unsigned
    # Imported here, as below.
    from fogline.identity.vouching import anchor_of, signed_by  # noqa: PLC0415

    return anchor_of(holder), partial(signed_by, holder)


def _gate(holder: Holder, settings: AggregatorSettings, *, clock: Clock, rng: Random) -> "Gate":
    # Imported here: only those who know their children need all that.
    from aggregator.identity.gate import Gate  # noqa: PLC0415

    return Gate(holder, settings, clock=clock, rng=rng)


def main(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run an aggregator until it is told to stop, and return the exit code."""
    try:
        settings = settings_from(
            AggregatorSettings, tier="aggregator", arguments=arguments, environment=environment
        )
        make_folder(settings.folder)
        holder = (
            None if settings.plaintext else open_holder(settings.folder, role=AGGREGATOR, name=settings.name)
        )
    except FogError as error:
        return refused(error)
    set_up_logs(
        level=settings.log_level, log_format=settings.log_format, tier="aggregator", name=settings.name
    )

    async def run(stopping: asyncio.Event) -> None:
        rng = Random()  # noqa: S311 - jitter
        await Aggregator(settings, clock=SystemClock(), rng=rng, holder=holder).run(stopping)

    return run_until_signalled(run, limit_s=settings.stop_within / SECOND)
