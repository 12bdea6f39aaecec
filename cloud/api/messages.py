"""From the cloud's values to wire messages."""

from collections.abc import Iterable, Mapping
from typing import Final

from cloud.board import Board
from cloud.catalog import Catalog, KnownPlan
from cloud.finish.decision import Status
from cloud.planner.brokers import faults_by_node
from cloud.reported import AggregatorWord, NodeWord
from cloud.store.book import PipelineRow
from cloud.store.reading import JournalRow
from cloud.store.releases import PastRow
from cloud.store.results import LiveStep, Result
from fogline.model.plan import Scalar, StreamSpec
from fogline.v1 import api_pb2, control_pb2

STATUSES: Final[Mapping[Status, api_pb2.WindowStatus]] = {
    Status.OPEN: api_pb2.WINDOW_STATUS_OPEN,
    Status.COMPLETE: api_pb2.WINDOW_STATUS_COMPLETE,
    Status.PARTIAL: api_pb2.WINDOW_STATUS_PARTIAL,
    Status.REVISED: api_pb2.WINDOW_STATUS_REVISED,
}


def result_to_wire(pipeline: str, plan: KnownPlan, result: Result) -> api_pb2.Result:
    """A result with its columns' names."""
    query, standing = plan.queries[result.step], result.standing
    return api_pb2.Result(
        pipeline=pipeline,
        step=result.step,
        window_start_us=result.start_us,
        window_end_us=result.end_us,
        key=[
            api_pb2.KeyValue(name=key.name, value=value)
            for key, value in zip(query.keys, result.key, strict=True)
        ],
        values=[
            named_value(output.name, value)
            for output, value in zip(query.outputs, result.values, strict=True)
        ],
        status=STATUSES[standing.status],
        have=standing.have,
        expected=standing.expected,
        missing=standing.missing,
        revision=standing.revision,
        change=result.change,
        readings=result.readings,
    )


def named_value(name: str, value: Scalar) -> api_pb2.NamedValue:
    """A value of its type; none set for null."""
    if isinstance(value, bool):
        return api_pb2.NamedValue(name=name, bool_value=value)
    if isinstance(value, int):
        return api_pb2.NamedValue(name=name, int_value=value)
    if isinstance(value, float):
        return api_pb2.NamedValue(name=name, float_value=value)
    if isinstance(value, str):
        return api_pb2.NamedValue(name=name, text_value=value)
    return api_pb2.NamedValue(name=name)


def latest_to_wire(plan: KnownPlan, live: LiveStep) -> api_pb2.GetLatestResponse:
    """A step's newest windows, and some keys in them."""
    return api_pb2.GetLatestResponse(
        windows=[
            api_pb2.WindowInfo(
                start_us=window.start_us,
                end_us=window.end_us,
                status=STATUSES[window.standing.status],
                have=window.standing.have,
                expected=window.standing.expected,
                missing=window.standing.missing,
                revision=window.standing.revision,
                keys=window.keys,
                readings=window.readings,
            )
            for window in live.windows
        ],
        results=[result_to_wire(plan.row.pipeline, plan, result) for result in live.history],
    )


def stream_to_wire(
    plan: KnownPlan, stream: StreamSpec, ledger: api_pb2.StreamLedger, journals: Iterable[JournalRow]
) -> api_pb2.StreamInfo:
    """A stream as a plan reads it, and how it goes."""
    nodes = {j.origin.node for j in journals if j.origin.stream == stream.name and j.journaled}
    return api_pb2.StreamInfo(
        pipeline=plan.row.pipeline,
        name=stream.name,
        topic=stream.topic,
        format=stream.format,
        time=".".join(stream.time.path) if stream.time is not None else "",
        labels=[label.name for label in stream.labels],
        fields=[field.name for field in stream.fields],
        journaled=ledger.journaled,
        pending=ledger.pending,
        nodes=sorted(nodes),
    )


def pipeline_to_wire(catalog: Catalog, row: PipelineRow) -> api_pb2.PipelineInfo:
    """A pipeline with the plans that run for it."""
    public = catalog.plan(row.tenant, row.public)
    running = [p for p in catalog.running(row.tenant) if p.row.pipeline == row.name]
    return api_pb2.PipelineInfo(
        name=row.name,
        plan=row.public,
        deployed_us=public.row.deployed_us if public else 0,
        running=[plan.row.plan for plan in running],
        steps=sorted(public.layouts) if public else [],
        release=release_to_wire(public) if public else None,
    )


def release_to_wire(plan: KnownPlan) -> api_pb2.ReleaseInfo | None:
    """What a plan runs in containers; None: nothing."""
    grant, row = plan.grant(), plan.release
    if grant is None or row is None:
        return None
    return api_pb2.ReleaseInfo(
        number=row.number,
        deployed_us=row.deployed_us,
        operators=grant.operators,
        services=grant.services,
    )


def past_to_wire(past: PastRow, *, newest: bool) -> api_pb2.PastRelease:
    """What a pipeline has run once."""
    grant = control_pb2.Grant.FromString(past.wire)
    return api_pb2.PastRelease(
        plan=past.plan,
        stage=past.stage,
        newest=newest,
        release=api_pb2.ReleaseInfo(
            number=past.release,
            deployed_us=past.deployed_us,
            operators=grant.operators,
            services=grant.services,
        ),
    )


def nodes_to_wire(board: Board, tenant: str, words: Iterable[NodeWord]) -> list[api_pb2.NodeStatus]:
    """Newest reports of nodes, and whether they are alive.

    What no node can know by itself is added to its faults: that it counts what another one counts, too; that its
    clock is wrong; that it was revoked.
    """
    faults = faults_by_node(word.report for word in board.nodes(tenant))
    found = []
    for word in words:
        status = api_pb2.NodeStatus(report=word.report, seen_us=word.seen_us, alive=board.is_alive(word))
        status.report.faults.extend((*board.faults(word), *faults.get(word.report.node, ())))
        found.append(status)
    return found


def aggregator_to_wire(board: Board, word: AggregatorWord) -> api_pb2.AggregatorStatus:
    """An aggregator's newest report and whether it is alive."""
    status = api_pb2.AggregatorStatus(report=word.report, seen_us=word.seen_us, alive=board.is_alive(word))
    status.report.faults.extend(board.faults(word))
    return status
