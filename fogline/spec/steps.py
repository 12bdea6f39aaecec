"""The ``steps:`` of a spec: SQL and operators by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fogline.model.faults import Place, shown
from fogline.model.plan import StepSpec
from fogline.spec.document import TableNode, TextNode, join
from fogline.spec.embedded import Embedded
from fogline.spec.names import MAX_NAMED, check_name
from fogline.spec.operators import KEYS as OPERATOR_KEYS
from fogline.spec.operators import OperatorDraft, read_operator
from fogline.spec.section import Section
from fogline.spec.streams import StreamDraft
from fogline.sql.columns import ColumnType, Source
from fogline.sql.operators import OperatorStep
from fogline.sql.steps import SqlStep, plan_steps

KEYS: Final = ("sql", "from")
MAX_SQL: Final = 20_000
FORM: Final = 'write {sql: "SELECT ..."}, or {image: ..., from: ...}'

LATER: Final = {
    "python": "make it an operator: `fogline operator new NAME`, then name its image in `image:`",
    "place": "remove it: every node runs the steps beside its sensors",
    "sink": "remove it and read the results with `fogline results` or the SDK",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsRead:
    """Every step that could be planned, and what runs the operators among them."""

    planned: tuple[StepSpec, ...] = ()
    """Each behind its source."""
    operators: tuple[OperatorDraft, ...] = ()


def read_steps(spec: Section, document: str, drafts: Mapping[str, StreamDraft]) -> StepsRead:
    """Plan every step, in an order in which each stands behind its source; mistakes become faults."""
    spec.required("steps", 'write steps: {by_zone: {sql: "SELECT ... FROM ... GROUP BY ..."}}')
    section = spec.section("steps", 'write {name: {sql: "SELECT ..."}}')
    if section is None:
        return StepsRead()
    if not section.table.entries:
        spec.fault("steps", "there is no step", 'write {name: {sql: "SELECT ..."}}')
    if len(section.table.entries) > MAX_NAMED:
        section.faults.add(section.place, section.path, f"more than {MAX_NAMED} steps", "split the pipeline")
    steps: list[SqlStep | OperatorStep] = []
    operators: list[OperatorDraft] = []
    unread = []
    for name, place in section.table.key_places.items():
        if not check_name(name, "step", place, section.below(name), section.faults):
            continue
        if name in drafts:
            message = f"{shown(name)} is already the name of a stream"
            section.faults.add(place, section.below(name), message, "take another name")
            continue
        step = _step(section, name, document)
        if step is None:
            unread.append(name)
        elif isinstance(step, OperatorDraft):
            steps.append(step.step)
            operators.append(step)
        else:
            steps.append(step)
    sources = {name: source_of(draft) for name, draft in drafts.items()}
    # What could not be read may be the source of what can: its readers are not blamed for that.
    broken = {*unread, *_unread_streams(spec, drafts)}
    planned = plan_steps(steps, sources, broken, section.faults)
    if not section.faults.found:
        _blame_unread(spec, drafts, planned)
    return StepsRead(planned=planned, operators=tuple(operators))


def _blame_unread(spec: Section, drafts: Mapping[str, StreamDraft], steps: Sequence[StepSpec]) -> None:
    read = {step.stream for step in steps}
    streams = spec.table.entries["streams"]
    for name in drafts:
        if name not in read and isinstance(streams, TableNode):
            path = join("streams", name)
            message = f"no step reads the stream {shown(name)}"
            spec.faults.add(streams.key_places[name], path, message, f"add a step FROM {name}, or remove it")


def _unread_streams(spec: Section, drafts: Mapping[str, StreamDraft]) -> set[str]:
    node = spec.table.entries.get("streams")
    return {name for name in getattr(node, "entries", {}) if name not in drafts}


def _step(section: Section, name: str, document: str) -> SqlStep | OperatorDraft | None:
    step = section.section(name, FORM)
    if step is None:
        return None
    if "image" in step and "sql" not in step:
        step.only(OPERATOR_KEYS, LATER)
        return read_operator(step, name, section.table.key_places[name])
    if "image" in step:
        step.fault("image", "a step is either SQL or an image", "make two steps, one FROM the other")
        step.only((*KEYS, *OPERATOR_KEYS), LATER)
    else:
        step.only(KEYS, LATER, dict.fromkeys(OPERATOR_KEYS, "it is for a step with `image:`"))
    if not any(key in LATER for key in step.table.entries):
        step.required("sql", FORM)
    return _sql_step(step, name, section.table.key_places[name], document)


def _sql_step(step: Section, name: str, name_place: Place, document: str) -> SqlStep | None:
    text = step.text("sql", "a SELECT")
    node = step.table.entries.get("sql")
    if text is None or not isinstance(node, TextNode):
        return None
    if len(text) > MAX_SQL:
        step.fault("sql", f"more than {MAX_SQL} characters of SQL", "split the step")
        return None
    embedded = Embedded(node, document)
    source = step.text("from", "the name of a stream or step")
    return SqlStep(
        name=name,
        path=step.below("sql"),
        name_place=name_place,
        text=text,
        place=embedded.place,
        declared_source=source,
        declared_place=step.place_of("from"),
    )


def source_of(draft: StreamDraft) -> Source:
    """What SQL sees of a stream."""
    stream = draft.stream
    columns: dict[str, ColumnType] = {label.name: ColumnType(type="text") for label in stream.labels}
    for field in stream.fields:
        columns[field.name] = ColumnType(type=field.type, resolution=field.resolution)
    for name in draft.disputed:
        columns.pop(name, None)
    return Source(
        name=stream.name,
        stream=stream.name,
        columns=columns,
        time_name=draft.time_name,
        sound=draft.sound,
    )
