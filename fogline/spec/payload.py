"""What a stream reads from payload and topic: event time, labels, fields."""

import re
from collections.abc import Iterable
from typing import Final

from fogline.model.faults import Place, shown
from fogline.model.plan import FieldSpec, FieldType, LabelSpec, PayloadFormat, TimeField, TimeUnit
from fogline.spec.document import ListNode, TableNode, TextNode
from fogline.spec.names import Taken, check_name
from fogline.spec.section import Section
from fogline.spec.topics import topic_labels

TYPES: Final[tuple[FieldType, ...]] = ("float", "int")
TIME_UNITS: Final[tuple[TimeUnit, ...]] = ("auto", "s", "ms", "us", "ns", "iso")
TEXT_TYPES: Final = ("text", "string", "str", "bool", "boolean")
MAX_COLUMNS: Final = 256
MAX_PATH: Final = 16
PATH: Final = "names from the payload's root, for example meta.sent or [meta, sent.at]"
NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
UNREADABLE: Final = re.compile(r'["\\\x00-\x1f]')
"""What no member's name that a node reads may have in it (msgspec)."""

Path = tuple[str, ...]


class PayloadReader:
    """Reads the columns of one stream; a name that two of them want is a fault."""

    def __init__(self, stream: Section, payload_format: PayloadFormat, taken: Taken) -> None:
        self._stream = stream
        self._format = payload_format
        self._taken = taken
        self._places: dict[Path, tuple[Place, str]] = {}

    def time(self) -> TimeField | None:
        """The event time; ``None``: the time of arrival, or that of a SenML pack."""
        stream = self._stream
        node = stream.node("time")
        if node is None:
            return None
        if self._format == "number":
            hint = "remove `time`: the time of arrival is taken"
            stream.fault("time", "a bare number has no time in it", hint)
            return None
        if not isinstance(node, TableNode):
            path = self._path(stream, "time")
            return TimeField(path=path) if path else None
        inner = Section(node, stream.table.key_places["time"], stream.below("time"), stream.faults)
        inner.only(("path", "unit"))
        inner.required("path", "write where the time stands in the payload")
        unit = inner.choice("unit", TIME_UNITS, "auto")
        if self._format == "senml" and "unit" in inner:
            inner.fault("unit", "SenML times are in seconds", "remove `unit`")
        path = self._path(inner, "path")
        return TimeField(path=path, unit=unit) if path else None

    def labels(self) -> tuple[LabelSpec, ...]:
        """The labels: the topic's first, then those of the payload."""
        return (*self._topic_labels(), *self._payload_labels())

    def fields(self) -> tuple[FieldSpec, ...]:
        """The fields, in the order of the document."""
        stream = self._stream
        stream.required("fields", "write what to read, for example fields: {temp: float}")
        inner = stream.section(
            "fields", "write {name: float} or {name: {type: float, path: a.b, resolution: 0.01}}"
        )
        if inner is None:
            return ()
        count = len(inner.table.entries)
        if not count:
            stream.fault("fields", "no field is read", "write what to read, for example {temp: float}")
        elif self._format == "number" and count > 1:
            stream.fault("fields", "a bare number is one field", "keep one field, or take format: json")
        elif count > MAX_COLUMNS:
            stream.fault("fields", f"more than {MAX_COLUMNS} fields", "split the stream")
        fields = []
        for name, place in self._names(inner, "field"):
            hint = f"give the field another name: {{{name}_value: {{type: float, path: {name}}}}}"
            field = self._field(inner, name)
            if self._taken.take(name, "a field", place, inner.below(name), hint):
                fields.append(field)
        return tuple(fields)

    def check_paths(self) -> None:
        """A path that leads through a value which is read itself can never hold: one of the two is wrong."""
        if self._format != "json":
            return
        for path, (place, where) in self._places.items():
            through = next((p for p in self._places if len(p) < len(path) and p == path[: len(p)]), None)
            if through is not None:
                message = f"{_dotted(path)} leads through {_dotted(through)}, which is read itself"
                self._stream.faults.add(place, where, message, "one of the two paths is wrong")

    def _topic_labels(self) -> Iterable[LabelSpec]:
        stream = self._stream
        stream.required("mqtt", 'write the topic, for example mqtt: "greenhouse/{zone}/air"')
        node = stream.node("mqtt")
        if node is None:
            return
        if not isinstance(node, TextNode):
            stream.fault("mqtt", "`mqtt` must be a text", 'a topic, for example "greenhouse/{zone}/air"')
            return
        for name, place in topic_labels(stream, "mqtt", node).items():
            if self._taken.take(name, "a label of the topic", place, stream.below("mqtt")):
                yield LabelSpec(name=name)

    def _payload_labels(self) -> Iterable[LabelSpec]:
        stream = self._stream
        inner = stream.section(
            "labels", "write {name: path.in.payload}; the topic's {...} are labels already"
        )
        if inner is None:
            return
        if self._format == "number":
            hint = "take labels from the topic: `{label}`"
            stream.fault("labels", "a bare number has no labels in it", hint)
            return
        for name, place in self._names(inner, "label"):
            path = self._path(inner, name)
            if path and self._taken.take(name, "a label", place, inner.below(name)):
                yield LabelSpec(name=name, path=path)

    def _names(self, section: Section, what: str) -> list[tuple[str, Place]]:
        """The keys of a table that may be names."""
        return [
            (name, place)
            for name, place in section.table.key_places.items()
            if check_name(name, what, place, section.below(name), section.faults)
        ]

    def _field(self, fields: Section, name: str) -> FieldSpec:
        node = fields.node(name)
        path: Path = () if self._format == "number" else (name,)
        if isinstance(node, TextNode):
            self._places.setdefault(path, (fields.table.key_places[name], fields.below(name)))
            return FieldSpec(name=name, path=path, type=_type(fields, name))
        inner = fields.section(name, "write float, int or {type: float, path: a.b, resolution: 0.01}")
        if inner is None:
            return FieldSpec(name=name, path=path)
        inner.only(("type", "path", "resolution"))
        if "path" in inner and self._format == "number":
            inner.fault("path", "a bare number has no path", "remove `path`")
        elif "path" in inner:
            path = self._path(inner, "path")
        else:
            self._places.setdefault(path, (fields.table.key_places[name], fields.below(name)))
        return FieldSpec(name=name, path=path, type=_type(inner, "type"), resolution=read_resolution(inner))

    def _path(self, section: Section, key: str) -> Path:
        """Names from the payload's root: dotted, or a list where a name has a dot in it."""
        node = section.node(key)
        if isinstance(node, ListNode):
            path = tuple(name for name, _ in section.texts(key, PATH))
        else:
            text = section.text(key, PATH)
            if text is None:
                return ()
            # SenML names are whole: they have dots in them themselves.
            path = (text,) if self._format == "senml" else tuple(text.split("."))
        if not path or not all(path) or len(path) > MAX_PATH:
            section.fault(key, "not a path into the payload", PATH)
            return ()
        if self._format == "json" and (bad := next((name for name in path if UNREADABLE.search(name)), None)):
            hint = "the decoder cannot look for it; let the device name it otherwise"
            section.fault(key, f"{shown(bad)} has a quote, a backslash or an invisible character", hint)
            return ()
        self._places.setdefault(path, (section.place_of(key), section.below(key)))
        return path


def _type(section: Section, key: str) -> FieldType:
    text = section.text(key, "float or int")
    if text in TEXT_TYPES:
        hint = "fields are numbers; read it as a label: labels: {name: path.in.payload}"
        section.fault(key, f"{shown(text)} is none of {', '.join(TYPES)}", hint)
        return "float"
    return section.choice(key, TYPES, "float")


def _dotted(path: Path) -> str:
    return shown(".".join(path))


def read_resolution(field: Section) -> float | None:
    """The ``resolution:`` of a field; ``None`` if there is none."""
    forms = "a positive number: the grid of the sensor, for example 0.01"
    text = field.text("resolution", forms)
    if text is None:
        return None
    if NUMBER.fullmatch(text) and 1e-12 <= float(text) <= 1e12:
        return float(text)
    field.fault("resolution", f"{shown(text)} is not a resolution", forms)
    return None
