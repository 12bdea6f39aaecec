"""The ``steps:`` of a spec: SQL by name."""

from collections.abc import Mapping, Sequence
from typing import Final

from fogline.model.faults import shown
from fogline.model.plan import StepSpec
from fogline.spec.document import TableNode, TextNode, join
from fogline.spec.embedded import Embedded
from fogline.spec.names import MAX_NAMED, check_name
from fogline.spec.section import Section
from fogline.spec.streams import StreamDraft
from fogline.sql.columns import ColumnType, Source
from fogline.sql.steps import SqlStep, plan_steps

KEYS: Final = ("sql", "from")
MAX_SQL: Final = 20_000

_OPERATOR: Final = "write the step as `sql:`; steps that run an image come with a later release"
LATER: Final = {
    **dict.fromkeys(("image", "cpu", "memory", "scale", "env", "timeout", "runtime"), _OPERATOR),
    "python": _OPERATOR,
    "place": "remove it: every node runs the steps beside its sensors",
    "sink": "remove it and read the results with `fogline results` or the SDK",
}


def read_steps(spec: Section, document: str, drafts: Mapping[str, StreamDraft]) -> tuple[StepSpec, ...]:
    """Plan every step, in an order in which each stands behind its source; mistakes become faults."""
    spec.required("steps", 'write steps: {by_zone: {sql: "SELECT ... FROM ... GROUP BY ..."}}')
    section = spec.section("steps", 'write {name: {sql: "SELECT ..."}}')
    if section is None:
        return ()
    if not section.table.entries:
        spec.fault("steps", "there is no step", 'write {name: {sql: "SELECT ..."}}')
    if len(section.table.entries) > MAX_NAMED:
        section.faults.add(section.place, section.path, f"more than {MAX_NAMED} steps", "split the pipeline")
    steps = []
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
        else:
            steps.append(step)
    sources = {name: source_of(draft) for name, draft in drafts.items()}
    # What could not be read may be the source of what can: its readers are not blamed for that.
    broken = {*unread, *_unread_streams(spec, drafts)}
    planned = plan_steps(steps, sources, broken, section.faults)
    if not section.faults.found:
        _blame_unread(spec, drafts, planned)
    return planned


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


def _step(section: Section, name: str, document: str) -> SqlStep | None:
    step = section.section(name, 'write {sql: "SELECT ..."}')
    if step is None:
        return None
    step.only(KEYS, LATER)
    if not any(key in LATER for key in step.table.entries):
        step.required("sql", 'write sql: "SELECT ... FROM ... GROUP BY ..."')
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
        name_place=section.table.key_places[name],
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
