"""The ``streams:`` of a spec."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from fogline.model.clock import MILLISECOND, MINUTE
from fogline.model.faults import Place, did_you_mean, shown
from fogline.model.plan import (
    FieldSpec,
    FieldType,
    FullPolicy,
    Identity,
    LabelSpec,
    PayloadFormat,
    StreamSpec,
    TimeField,
    TimeUnit,
)
from fogline.spec.document import ListNode, TableNode, TextNode, join
from fogline.spec.names import ARRIVAL, SENML_TIME, Taken, check_name
from fogline.spec.quantities import duration, size
from fogline.spec.section import Section
from fogline.spec.topics import topic_labels

FORMATS: Final[tuple[PayloadFormat, ...]] = ("json", "number", "senml")
POLICIES: Final[tuple[FullPolicy, ...]] = ("expire", "refuse", "wait")
TYPES: Final[tuple[FieldType, ...]] = ("float", "int")
TIME_UNITS: Final[tuple[TimeUnit, ...]] = ("auto", "s", "ms", "us", "ns", "iso")
KEYS: Final = ("mqtt", "format", "time", "labels", "fields", "identity", "full", "quota")
DEFAULT_WITHIN_US: Final = 10 * MINUTE
LEAST_QUOTA: Final = 1024**2
MAX_COLUMNS: Final = 256
MAX_PATH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDraft:
    """A stream as far as it could be read."""

    stream: StreamSpec
    time_name: str | None
    """Name of the event time in SQL; ``None`` if mistakes hide it."""
    sound: bool
    """Whether all its columns could be read; if not, SQL is not blamed for what is missing."""


def read_streams(section: Section) -> dict[str, StreamDraft]:
    """Every stream of the table; mistakes become faults."""
    drafts = {}
    for name in section.table.entries:
        place = section.table.key_places[name]
        if not check_name(name, "stream", place, section.below(name), section.faults):
            continue
        stream = section.section(name, 'write {mqtt: "topic/{label}", format: json, fields: {temp: float}}')
        if stream is not None:
            drafts[name] = _StreamReader(stream, name).read()
    return drafts


class _StreamReader:
    """Reads one stream."""

    def __init__(self, section: Section, name: str) -> None:
        self._section = section
        self._name = name
        self._taken = Taken(section.path, section.faults)

    def read(self) -> StreamDraft:
        section = self._section
        before = len(section.faults.found)
        section.only(KEYS)
        section.required("mqtt", 'write the topic, for example mqtt: "greenhouse/{zone}/air"')
        topic = section.text("mqtt", 'a topic, for example "greenhouse/{zone}/air"') or ""
        self._format = section.choice("format", FORMATS, "json")
        time = self._time()
        time_name = self._time_name(time)
        self._taken.take(time_name, "the event time", section.place_of("time"), section.below("time"))
        labels = self._labels(topic)
        fields = self._fields()
        if self._format == "json":
            self._check_paths(time, labels, fields)
        stream = StreamSpec(
            name=self._name,
            topic=topic,
            format=self._format,
            time=time,
            labels=labels,
            fields=fields,
            identity=self._identity(
                [*(label.name for label in labels), *(field.name for field in fields)], time_name
            ),
            full=section.choice("full", POLICIES, "expire"),
            quota_bytes=size(section, "quota", least=LEAST_QUOTA),
        )
        unknown = [key for key in section.table.entries if key not in KEYS]
        faulty = {fault.path for fault in section.faults.found[before:]}
        return StreamDraft(
            stream=stream,
            time_name=time_name if self._known(faulty, unknown, "time") else None,
            sound=self._known(faulty, unknown, "mqtt", "labels", "fields"),
        )

    def _known(self, faulty: Iterable[str], unknown: Iterable[str], *keys: str) -> bool:
        """Whether these keys have no mistake, and no misspelt key may have been meant for one of them."""
        missing = [key for key in keys if key not in self._section]
        if any(get_close_matches(key, missing) for key in unknown):
            return False
        places = tuple(self._section.below(key) for key in keys)
        ours = (path for path in faulty if path == self._section.path or path.startswith(places))
        return not any(ours)

    def _time(self) -> TimeField | None:
        section = self._section
        node = section.node("time")
        if node is None:
            return None
        if self._format == "number":
            hint = "remove `time`: the time of arrival is taken"
            section.fault("time", "a bare number has no time in it", hint)
            return None
        if not isinstance(node, TableNode):
            path = self._path(section, "time")
            return TimeField(path=path) if path else None
        inner = Section(node, section.below("time"), section.faults)
        inner.only(("path", "unit"))
        inner.required("path", "write where the time stands in the payload")
        unit = inner.choice("unit", TIME_UNITS, "auto")
        if self._format == "senml" and "unit" in inner:
            inner.fault("unit", "SenML times are in seconds", "remove `unit`")
        path = self._path(inner, "path")
        return TimeField(path=path, unit=unit) if path else None

    def _time_name(self, time: TimeField | None) -> str:
        """What SQL calls the event time. A SenML pack has times of its own: `time` only names them."""
        if time is not None:
            return time.path[-1]
        return SENML_TIME if self._format == "senml" else ARRIVAL

    def _path(self, section: Section, key: str) -> tuple[str, ...]:
        """Names from the payload's root: dotted, or a list where a name has a dot in it."""
        node = section.node(key)
        hint = "names from the payload's root, for example meta.sent or [meta, sent.at]"
        if isinstance(node, ListNode):
            path = tuple(name for name, _ in section.texts(key, hint))
        else:
            text = section.text(key, hint)
            if text is None:
                return ()
            # SenML names are whole: they contain dots themselves.
            path = (text,) if self._format == "senml" else tuple(text.split("."))
        if not path or not all(path) or len(path) > MAX_PATH:
            section.fault(key, "not a path into the payload", hint)
            return ()
        return path

    def _labels(self, topic: str) -> tuple[LabelSpec, ...]:
        section = self._section
        labels: list[LabelSpec] = []
        if "mqtt" in section:
            place, below = section.place_of("mqtt"), section.below("mqtt")
            levels = topic_labels(section, "mqtt", topic)
            sound = [n for n in levels if self._taken.take(n, "a label of the topic", place, below)]
            labels += [LabelSpec(name=name) for name in sound]
        inner = section.section(
            "labels", "write {name: path.in.payload}; the topic's {...} are labels already"
        )
        if inner is None:
            return tuple(labels)
        if self._format == "number":
            section.fault(
                "labels", "a bare number has no labels in it", "take labels from the topic: `{label}`"
            )
            return tuple(labels)
        for name, place in _names(inner, "label"):
            path = self._path(inner, name)
            if path and self._taken.take(name, "a label", place, inner.below(name)):
                labels.append(LabelSpec(name=name, path=path))
        return tuple(labels)

    def _fields(self) -> tuple[FieldSpec, ...]:
        section = self._section
        section.required("fields", "write what to read, for example fields: {temp: float}")
        inner = section.section(
            "fields", "write {name: float} or {name: {type: float, path: a.b, resolution: 0.01}}"
        )
        if inner is None:
            return ()
        fields = []
        for name, place in _names(inner, "field"):
            field = self._field(inner, name)
            if self._taken.take(name, "a field", place, inner.below(name), self._clash_hint(name)):
                fields.append(field)
        if not inner.table.entries:
            section.fault("fields", "no field is read", "write what to read, for example {temp: float}")
        if self._format == "number" and len(inner.table.entries) > 1:
            section.fault("fields", "a bare number is one field", "keep one field, or take format: json")
        if len(inner.table.entries) > MAX_COLUMNS:
            section.fault("fields", f"more than {MAX_COLUMNS} fields", "split the stream")
        return tuple(fields)

    def _check_paths(
        self, time: TimeField | None, labels: Iterable[LabelSpec], fields: Iterable[FieldSpec]
    ) -> None:
        """A path that leads through a value which is read itself can never hold: one of the two is wrong."""
        read = {("labels", label.name): label.path for label in labels if label.path}
        read |= {("fields", field.name): field.path for field in fields if field.path}
        if time is not None:
            read[("time", "")] = time.path
        for (key, name), path in read.items():
            through = next((p for p in read.values() if len(p) < len(path) and p == path[: len(p)]), None)
            if through is None:
                continue
            message = (
                f"{shown('.'.join(path))} leads through {shown('.'.join(through))}, which is read itself"
            )
            inner = self._section.table.entries[key]
            place = inner.entries[name].place if isinstance(inner, TableNode) and name else inner.place
            below = join(self._section.below(key), name) if name else self._section.below(key)
            self._section.faults.add(place, below, message, "one of the two paths is wrong")

    def _clash_hint(self, name: str) -> str:
        return f"give the field another name: {{{name}_value: {{type: float, path: {name}}}}}"

    def _field(self, fields: Section, name: str) -> FieldSpec:
        node = fields.node(name)
        default_path = () if self._format == "number" else (name,)
        if isinstance(node, TextNode):
            return FieldSpec(name=name, path=default_path, type=fields.choice(name, TYPES, "float"))
        inner = fields.section(name, "write float, int or {type: float, path: a.b, resolution: 0.01}")
        if inner is None:
            return FieldSpec(name=name, path=default_path)
        inner.only(("type", "path", "resolution"))
        path: tuple[str, ...] = default_path
        if "path" in inner and self._format == "number":
            inner.fault("path", "a bare number has no path", "remove `path`")
        elif "path" in inner:
            path = self._path(inner, "path")
        kind = inner.choice("type", TYPES, "float")
        return FieldSpec(name=name, path=path, type=kind, resolution=_resolution(inner))

    def _identity(self, columns: Iterable[str], time_name: str) -> Identity | None:
        section = self._section
        node = section.node("identity")
        if node is None:
            return None
        hint = "write [device, seq] or {fields: [device, seq], within: 10m}"
        within_us = DEFAULT_WITHIN_US
        if isinstance(node, TableNode):
            section = Section(node, section.below("identity"), section.faults)
            section.only(("fields", "within"))
            section.required("fields", hint)
            within_us = duration(section, "within", DEFAULT_WITHIN_US, least_us=MILLISECOND)
            names = section.texts("fields", hint)
        else:
            names = section.texts("identity", hint)
        key = "fields" if isinstance(node, TableNode) else "identity"
        known = set(columns)
        for number, (name, place) in enumerate(names):
            path = section.below(key)
            if name == time_name and name not in known:
                message = f"{shown(name)} is the event time, not a field"
                section.faults.add(
                    place,
                    path,
                    message,
                    f"read it as a field too: {{{name}_number: {{type: int, path: ...}}}}",
                )
            elif name not in known:
                section.faults.add(
                    place, path, f"no label or field is called {shown(name)}", did_you_mean(name, known)
                )
            elif name in (earlier for earlier, _ in names[:number]):
                section.faults.add(place, path, f"{shown(name)} stands there twice", "keep one")
        return Identity(names=tuple(name for name, _ in names), within_us=within_us) if names else None


def _names(section: Section, what: str) -> list[tuple[str, Place]]:
    """The keys of a table that may be names."""
    return [
        (name, place)
        for name, place in section.table.key_places.items()
        if check_name(name, what, place, section.below(name), section.faults)
    ]


def _resolution(field: Section) -> float | None:
    forms = "a positive number: the grid of the sensor, for example 0.01"
    text = field.text("resolution", forms)
    if text is None:
        return None
    if (
        re.fullmatch(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", text, re.ASCII)
        and 1e-12 <= float(text) <= 1e12
    ):
        return float(text)
    field.fault("resolution", f"{shown(text)} is not a resolution", forms)
    return None
