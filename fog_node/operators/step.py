"""One operator step of one plan: batches in, rows out, whatever becomes of the replicas in between."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from fog_node.messages import Range
from fog_node.operators.dispatch import Accept, Action, Break, Dispatch, GiveUp, Rules, Send
from fog_node.operators.link import BadAnswer, Link
from fog_node.operators.quarantine import Kept
from fog_node.operators.values import Counters, StepAround, StepKey, nothing, rows_at_once
from fog_node.steps.graph import BlockGivenUp
from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch, concat
from fogline.engine.expression import ValueType
from fogline.engine.rows import select
from fogline.model.clock import SECOND
from fogline.model.plan import OperatorQuery, StepSpec
from fogline.model.words import plain
from fogline.v1 import control_pb2, operator_pb2
from fogline.wire.batch import PROTOCOL, MalformedBatch, batch_to_wire, rows_from_wire
from fogline.wire.columns import output_columns_to_wire

_WIRE_TYPES: Final[Mapping[ValueType, str]] = {"truth": "bool"}

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class _Failed(Exception):
    """The batch was given up."""

    def __init__(self, reason: str, failures: int) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.failures: Final = failures


@dataclass(slots=True)
class _Job:
    batch: Batch
    outcome: asyncio.Future[RowAnswer]
    answer: RowAnswer | None = None


class OperatorStep:
    """Answers the batches of one step (:class:`fog_node.steps.graph.RowStep`) through its replicas."""

    def __init__(
        self, key: StepKey, step: StepSpec, pipeline: str, source: Mapping[str, ValueType], around: StepAround
    ) -> None:
        """``source``: columns of what the step reads."""
        assert isinstance(step.query, OperatorQuery)
        settings = around.settings
        self.key: Final = key
        self._step: Final = step
        self._output: Final = step.query.columns
        self._around: Final = around
        self._greeting: Final = operator_pb2.NodeGreeting(
            protocol=PROTOCOL,
            pipeline=pipeline,
            step=step.name,
            input=[operator_pb2.ColumnType(name=n, type=_WIRE_TYPES.get(t, t)) for n, t in source.items()],
            output=output_columns_to_wire(step.query.columns),
            in_flight=settings.in_flight,
            answer_rows=settings.answer_rows,
            message_bytes=settings.message_bytes,
        )
        self._most_rows: Final = rows_at_once(settings.message_bytes, max(len(source), len(self._output)))
        rules = Rules(
            in_flight=max(1, settings.in_flight), attempts=settings.attempts, patience_s=settings.patience
        )
        self.dispatch: Final = Dispatch(rules, timeout_s=settings.timeout)
        self.counters: Final = Counters()
        self.trouble = ""
        """What went wrong last, until a batch is answered."""
        self._links: Final[dict[int, Link]] = {}
        self._jobs: Final[dict[int, _Job]] = {}
        self._numbered = 0

    @property
    def dialled(self) -> tuple[int, ...]:
        """Replicas that are dialled or connected."""
        return tuple(self._links)

    # --- the lane's side

    async def answer(self, batch: Batch, messages: Range) -> RowAnswer:
        """Wait for the rows of one block's batch.

        Raises :class:`BlockGivenUp` when the operator failed on it again and again, in this process or before.
        """
        kept, rows = select(self._step.where, batch)
        if not kept.rows:
            return RowAnswer(batch=nothing(self._output), input_rows=rows, filtered=batch.rows)
        before = self._around.quarantine.holds(
            self.key.plan, messages.origin.stream, messages.origin.epoch, messages.first
        )
        if before is not None:
            raise BlockGivenUp(f"operator {before.step} failed on it before: {before.reason}")
        most = self._most_rows
        pieces = [np.arange(first, min(first + most, kept.rows)) for first in range(0, kept.rows, most)]
        batches = [kept] if len(pieces) == 1 else [kept.take(piece) for piece in pieces]
        answers = await self._answers(batches, messages)
        input_rows = np.concatenate(
            [piece[one.input_rows] for piece, one in zip(pieces, answers, strict=True)]
        )
        return RowAnswer(
            batch=concat([one.batch for one in answers]),
            input_rows=rows[input_rows],
            filtered=batch.rows - kept.rows + sum(one.filtered for one in answers),
        )

    async def _answers(self, batches: Sequence[Batch], messages: Range) -> list[RowAnswer]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._one(batch, messages), name="wait for an operator")
                    for batch in batches
                ]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        return [task.result() for task in tasks]

    async def _one(self, batch: Batch, messages: Range) -> RowAnswer:
        number, self._numbered = self._numbered, self._numbered + 1
        job = self._jobs[number] = _Job(batch, asyncio.get_running_loop().create_future())
        self._act(self.dispatch.offered(number, self._now()))
        try:
            return await job.outcome
        except _Failed as failed:
            await self._give_up(batch, messages, failed)
            raise BlockGivenUp(
                f"operator {self.key.step} failed {failed.failures} times: {failed.reason}"
            ) from failed
        finally:
            del self._jobs[number]
            self._act(self.dispatch.cancelled(number, self._now()))

    async def _give_up(self, batch: Batch, messages: Range, failed: _Failed) -> None:
        kept = Kept(
            plan=self.key.plan,
            step=self.key.step,
            stream=messages.origin.stream,
            epoch=messages.origin.epoch.hex(),
            first=messages.first,
            end=messages.end,
            rows=batch.rows,
            failures=failed.failures,
            reason=failed.reason,
            at_us=self._around.clock.now_us(),
        )
        _log.error("a batch was given up", plan=kept.plan, step=kept.step, first=kept.first, why=kept.reason)
        await self._around.quarantine.keep(kept, batch_to_wire(batch, 0).SerializeToString())
        self.counters.quarantined_messages += messages.end - messages.first

    # --- the replicas' side

    def replica_up(self, replica: int, socket: Path) -> None:
        """Begin with a replica; an older link of the same name is ended."""
        self.replica_gone(replica, died="it was started anew")
        link = Link(
            replica,
            socket,
            self,
            greeting=self._greeting,
            greeting_within=self._around.settings.greeting_within,
        )
        self._links[replica] = link
        self._around.started(link)

    def replica_gone(self, replica: int, died: str = "") -> None:
        """End with a replica: stopped, or ``died`` of this."""
        link = self._links.pop(replica, None)
        if link is None:
            return
        link.close()
        now = self._now()
        self._act(self.dispatch.died(replica, now, died) if died else self.dispatch.stopped(replica, now))

    def close(self) -> None:
        """End with all replicas; who still waits is cancelled by his own."""
        for replica in tuple(self._links):
            self.replica_gone(replica)

    def link_up(self, link: Link, greeting: operator_pb2.OperatorGreeting) -> None:
        """A replica takes batches; its link calls it."""
        self._check_current(link)
        _log.info(
            "operator is up", step=self.key.step, replica=link.replica, software=plain(greeting.software, 80)
        )
        self._act(self.dispatch.up(link.replica, self._now()))

    def link_said(self, link: Link, message: operator_pb2.ProcessResponse) -> None:
        """Judge an answer; the replica's link calls it. Raises :class:`BadAnswer`."""
        self._check_current(link)
        failed = message.WhichOneof("kind") == "error"
        number = message.error.id if failed else message.rows.id
        if not self.dispatch.holds(link.replica, number):
            raise BadAnswer(f"an answer for batch {number}, which was not asked or is answered")
        job = self._jobs.get(number)
        if failed:
            self._fails(link, number, plain(message.error.reason) or "the operator gives no reason")
        elif job is None:
            self._act(self.dispatch.answered(link.replica, number, self._now()))
        else:
            self._takes(link, number, job, message.rows)

    def link_ended(self, link: Link, event: str, reason: str) -> None:
        """A stream is over; its link calls it."""
        if self._links.get(link.replica) is not link:
            return
        del self._links[link.replica]
        self.trouble = f"{event}: {reason}"
        self._act(self.dispatch.died(link.replica, self._now(), self.trouble))
        self._tell_broken(link.replica, event, reason)

    def tick(self, now: float) -> None:
        """Time passed."""
        self._act(self.dispatch.tick(now))

    @property
    def fault(self) -> str:
        """What holds the plan up, in words; empty: nothing."""
        if not self.dispatch.queued:
            return ""
        if not self.dispatch.replicas:
            why = f": {self.trouble}" if self.trouble else ""
            return f"operator {self.key.step} of plan {self.key.plan} is away{why}"
        if self.trouble and not self.dispatch.is_trusted:
            return f"operator {self.key.step} of plan {self.key.plan} answers no batch: {self.trouble}"
        return ""

    def report(self) -> control_pb2.StepReport:
        """How the step goes."""
        counters = self.counters
        return control_pb2.StepReport(
            plan=self.key.plan,
            step=self.key.step,
            batches=counters.batches,
            rows_in=counters.rows_in,
            rows_out=counters.rows_out,
            busy_us=int(self.dispatch.busy_s(self._now()) * SECOND),
            queued=self.dispatch.queued,
            replays=self.dispatch.replays,
            quarantined_messages=counters.quarantined_messages,
        )

    def _takes(self, link: Link, number: int, job: _Job, rows: operator_pb2.BatchRows) -> None:
        most = self._around.settings.answer_rows
        try:
            answer = rows_from_wire(rows, job.batch, self._output, most_rows=most)
        except MalformedBatch as error:
            self._fails(link, number, f"bad_answer: {error.message[:200]}")
            return
        self.trouble = ""
        self.counters.batches += 1
        self.counters.rows_in += job.batch.rows
        self.counters.rows_out += answer.batch.rows
        job.answer = answer
        self._act(self.dispatch.answered(link.replica, number, self._now()))

    def _fails(self, link: Link, number: int, reason: str) -> None:
        self.trouble = reason
        self._act(self.dispatch.failed(link.replica, number, self._now(), reason))

    def _act(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Send(replica=replica, batch=number):
                    link = self._links[replica]
                    link.send(batch_to_wire(self._jobs[number].batch, number, link.columns))
                case GiveUp(batch=number, reason=reason, failures=failures):
                    outcome = self._jobs[number].outcome
                    if not outcome.done():
                        outcome.set_exception(_Failed(reason, failures))
                case Break(replica=replica, event=event, reason=reason):
                    self.trouble = f"{event}: {reason}"
                    self._links.pop(replica).close()
                    self._tell_broken(replica, event, reason)
                case Accept(batch=number):
                    job = self._jobs[number]
                    if job.answer is not None and not job.outcome.done():
                        job.outcome.set_result(job.answer)
        self._around.changed()

    def _check_current(self, link: Link) -> None:
        """A link that was closed may have one more word in its hands."""
        if self._links.get(link.replica) is not link:
            raise BadAnswer("the replica is gone")

    def _tell_broken(self, replica: int, event: str, reason: str) -> None:
        _log.warning("operator is broken", step=self.key.step, replica=replica, event_=event, reason=reason)
        self._around.broken(self.key.plan, self.key.step, replica, event, reason)

    def _now(self) -> float:
        return self._around.clock.monotonic()
