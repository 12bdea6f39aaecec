"""From wire messages to the SDK's values."""

from dataclasses import replace

from fogline.client.accounts import BrokerLedger, Ledger, StepLedger, StreamLedger
from fogline.client.installation import (
    Aggregator,
    Broker,
    Commits,
    DeadLetter,
    Figure,
    Journal,
    Lane,
    Node,
    Status,
)
from fogline.client.values import (
    Deployment,
    Latest,
    PastRelease,
    Pipeline,
    Result,
    RunningImage,
    Stream,
    Who,
    Window,
    WindowStatus,
)
from fogline.model.clock import to_datetime
from fogline.model.plan import Scalar
from fogline.v1 import access_pb2, api_pb2, control_pb2

_STATUSES = {
    api_pb2.WINDOW_STATUS_OPEN: WindowStatus.OPEN,
    api_pb2.WINDOW_STATUS_COMPLETE: WindowStatus.COMPLETE,
    api_pb2.WINDOW_STATUS_PARTIAL: WindowStatus.PARTIAL,
    api_pb2.WINDOW_STATUS_REVISED: WindowStatus.REVISED,
}


def deployment(message: api_pb2.DeployResponse) -> Deployment:
    """Read what became of a deployed spec."""
    return Deployment(
        pipeline=message.pipeline,
        plan=message.plan,
        generation=message.generation,
        changed=message.changed,
        release=message.release,
    )


def pipeline(message: api_pb2.PipelineInfo) -> Pipeline:
    """Read a deployed pipeline."""
    return Pipeline(
        name=message.name,
        plan=message.plan,
        deployed=to_datetime(message.deployed_us),
        running=tuple(message.running),
        steps=tuple(message.steps),
        release=message.release.number,
        images=_images(message.release),
    )


def past_release(message: api_pb2.PastRelease) -> PastRelease:
    """Read what a pipeline has run."""
    return PastRelease(
        plan=message.plan,
        release=message.release.number,
        deployed=to_datetime(message.release.deployed_us),
        stage=message.stage,
        newest=message.newest,
        images=_images(message.release),
    )


def _images(message: api_pb2.ReleaseInfo) -> tuple[RunningImage, ...]:
    return (
        *(_running("operator", one.step, one) for one in message.operators),
        *(_running("service", one.name, one) for one in message.services),
    )


def _running(
    kind: str, name: str, one: control_pb2.OperatorRelease | control_pb2.ServiceRelease
) -> RunningImage:
    least, most = (
        (one.min_replicas, one.max_replicas) if isinstance(one, control_pb2.OperatorRelease) else (1, 1)
    )
    return RunningImage(
        kind=kind,
        name=name,
        image=one.image,
        cpu_millis=one.resources.cpu_millis,
        memory_bytes=one.resources.memory_bytes,
        min_replicas=least,
        max_replicas=most,
    )


def one_pipeline(message: api_pb2.GetPipelineResponse) -> Pipeline:
    """Read a pipeline with its spec."""
    return replace(pipeline(message.pipeline), spec=message.spec)


def stream(message: api_pb2.StreamInfo) -> Stream:
    """Read a stream."""
    return Stream(
        pipeline=message.pipeline,
        name=message.name,
        topic=message.topic,
        format=message.format,
        time=message.time,
        labels=tuple(message.labels),
        fields=tuple(message.fields),
        journaled=message.journaled,
        pending=message.pending,
        nodes=tuple(message.nodes),
    )


def latest(message: api_pb2.GetLatestResponse) -> Latest:
    """Read a step's newest windows."""
    return Latest(
        windows=tuple(_window(w) for w in message.windows), results=tuple(result(r) for r in message.results)
    )


def result(message: api_pb2.Result) -> Result:
    """Read one window of one key. An unknown status reads as open: that promises nothing."""
    return Result(
        pipeline=message.pipeline,
        step=message.step,
        window_start=to_datetime(message.window_start_us),
        window_end=to_datetime(message.window_end_us),
        key={k.name: k.value if k.HasField("value") else None for k in message.key},
        values={v.name: _scalar(v) for v in message.values},
        status=_STATUSES.get(message.status, WindowStatus.OPEN),
        have=message.have,
        expected=message.expected,
        missing=tuple(message.missing),
        revision=message.revision,
        change=message.change,
        readings=message.readings,
    )


def status(message: api_pb2.GetStatusResponse) -> Status:
    """Read the state of the installation."""
    return Status(
        version=message.version,
        at=to_datetime(message.at_us),
        generation=message.generation,
        readings=message.readings,
        incarnation=message.incarnation,
        store=message.store,
        commits=_commits(message.commits),
        nodes=tuple(node(n) for n in message.nodes),
        aggregators=tuple(_aggregator(a) for a in message.aggregators),
        pipelines=tuple(pipeline(p) for p in message.pipelines),
        figures=tuple(_figure(f) for f in message.figures),
    )


def _figure(message: control_pb2.Figure) -> Figure:
    return Figure(
        of=message.of,
        plan=message.plan,
        name=message.name,
        reason=message.reason,
        total=message.total,
        most=message.most,
        nodes=message.nodes,
    )


def who(message: access_pb2.GetCallerResponse) -> Who:
    """As whom the cloud knows the caller."""
    about = message.about
    return Who(id=about.id, name=about.name, tenant=about.tenant, rights=tuple(about.rights))


def ledger(message: api_pb2.GetLedgerResponse) -> Ledger:
    """Read where every message and reading went."""
    return Ledger(
        streams=tuple(_stream_ledger(s) for s in message.streams),
        brokers=tuple(
            BrokerLedger(node=b.node, url=b.url, dropped=b.dropped if b.known else None)
            for b in message.brokers
        ),
    )


def _stream_ledger(message: api_pb2.StreamLedger) -> StreamLedger:
    return StreamLedger(
        pipeline=message.pipeline,
        plan=message.plan,
        stream=message.stream,
        received=message.received,
        journaled=message.journaled,
        refused=dict(message.refused),
        before_start=message.before_start,
        committed=message.committed,
        pending=message.pending,
        gap=dict(message.gap),
        redelivered=message.redelivered,
        retained=message.retained,
        steps=tuple(_step(s) for s in message.steps),
        adds_up=message.adds_up,
        differences=tuple(message.differences),
    )


def _window(message: api_pb2.WindowInfo) -> Window:
    return Window(
        start=to_datetime(message.start_us),
        end=to_datetime(message.end_us),
        status=_STATUSES.get(message.status, WindowStatus.OPEN),
        have=message.have,
        expected=message.expected,
        missing=tuple(message.missing),
        revision=message.revision,
        keys=message.keys,
        readings=message.readings,
    )


def _commits(message: api_pb2.CommitCounts) -> Commits:
    return Commits(
        transactions=message.transactions,
        parts=message.parts,
        contributions=message.contributions,
        refusals=message.refusals,
        failures=message.failures,
    )


def _scalar(message: api_pb2.NamedValue) -> Scalar:
    kind = message.WhichOneof("value")
    if kind is None:
        return None
    value: Scalar = getattr(message, kind)
    return value


def _step(message: api_pb2.StepLedger) -> StepLedger:
    return StepLedger(
        step=message.step,
        decoded=message.decoded,
        counted=message.counted,
        filtered=message.filtered,
        dead=dict(message.dead),
        too_late=dict(message.too_late),
        made=message.made,
    )


def node(message: api_pb2.NodeStatus) -> Node:
    """Read a node's newest report."""
    report = message.report
    return Node(
        name=report.node,
        parent=report.parent,
        alive=message.alive,
        seen=to_datetime(message.seen_us),
        generation=report.generation,
        faults=tuple(report.faults),
        listener=report.listener,
        clients=report.clients,
        journaled=sum(j.journaled for j in report.journals),
        pending=sum(lane.pending for lane in report.lanes),
        unrouted=report.unrouted,
        journal_bytes=report.journal_bytes,
        journal_limit_bytes=report.journal_limit_bytes,
        version=report.version,
        dead_letters=tuple(_dead_letter(d) for d in report.dead_letters),
        brokers=tuple(_broker(b) for b in report.brokers),
        journals=tuple(_journal(j) for j in report.journals),
        lanes=tuple(_lane(each) for each in report.lanes),
    )


def _journal(message: control_pb2.JournalReport) -> Journal:
    return Journal(
        stream=message.origin.stream,
        epoch=message.origin.epoch,
        received=message.received,
        journaled=message.journaled,
        refused=dict(message.refused),
        redelivered=message.redelivered,
        retained=message.retained,
        base=message.base,
        closed=message.closed,
    )


def _lane(message: control_pb2.LaneReport) -> Lane:
    return Lane(
        plan=message.plan,
        stream=message.origin.stream,
        epoch=message.origin.epoch,
        start=message.start,
        committed=message.committed,
        pending=message.pending,
        gaps=dict(message.gaps),
        watermark=to_datetime(message.watermark_us) if message.watermark_us > 0 else None,
    )


def _broker(message: control_pb2.BrokerReport) -> Broker:
    return Broker(
        url=message.url,
        client_id=message.client_id,
        share=message.share,
        connected=message.connected,
        fault=message.fault,
        messages=message.messages,
        reconnects=message.reconnects,
        sessions_lost=message.sessions_lost,
        dropped=message.dropped if message.dropped_known else None,
        warnings=tuple(message.warnings),
    )


def _dead_letter(message: control_pb2.DeadLetter) -> DeadLetter:
    return DeadLetter(
        stream=message.stream,
        reason=message.reason,
        topic=message.topic,
        payload=message.payload,
        detail=message.detail,
        arrival=to_datetime(message.arrival_us),
    )


def _aggregator(message: api_pb2.AggregatorStatus) -> Aggregator:
    report = message.report
    return Aggregator(
        name=report.aggregator,
        parent=report.parent,
        alive=message.alive,
        seen=to_datetime(message.seen_us),
        generation=report.generation,
        children=tuple(report.children),
        parts_in=report.parts_in,
        parts_out=report.parts_out,
        held_bytes=report.held_bytes,
        refusals=report.refusals,
        version=report.version,
        faults=tuple(report.faults),
    )
