"""The ``streams:`` of a spec."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from fogline.model.errors import Fault
from fogline.model.plan import FullPolicy, PayloadFormat, StreamSpec, TimeField
from fogline.spec.identity import read_identity
from fogline.spec.names import ARRIVAL, MAX_NAMED, SENML_TIME, Taken, check_name
from fogline.spec.payload import PayloadReader
from fogline.spec.quantities import size
from fogline.spec.section import Section

FORMATS: Final[tuple[PayloadFormat, ...]] = ("json", "number", "senml")
POLICIES: Final[tuple[FullPolicy, ...]] = ("expire", "refuse", "wait")
KEYS: Final = ("mqtt", "format", "time", "labels", "fields", "identity", "full", "quota")
LEAST_QUOTA: Final = 1024**2
FORM: Final = 'write {mqtt: "topic/{label}", format: json, fields: {temp: float}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDraft:
    """A stream as far as it could be read."""

    stream: StreamSpec
    time_name: str | None
    """Name of the event time in SQL; ``None`` if mistakes hide it."""
    sound: bool
    """Whether all its columns could be read; if not, SQL is not blamed for what is missing."""
    disputed: frozenset[str]
    """Names that two columns want."""


def read_streams(section: Section) -> dict[str, StreamDraft]:
    """Every stream of the table; mistakes become faults."""
    drafts = {}
    for name in section.table.entries:
        place = section.table.key_places[name]
        if not check_name(name, "stream", place, section.below(name), section.faults):
            continue
        stream = section.section(name, FORM)
        if stream is not None:
            drafts[name] = _read_stream(stream, name)
    if not section.table.entries:
        section.faults.add(
            section.table.place, section.path, "there is no stream", f"write {{name: {FORM[6:]}}}"
        )
    if len(section.table.entries) > MAX_NAMED:
        section.faults.add(
            section.place, section.path, f"more than {MAX_NAMED} streams", "split the pipeline"
        )
    return drafts


def _read_stream(section: Section, name: str) -> StreamDraft:
    before = len(section.faults.found)
    section.only(KEYS)
    payload_format = section.choice("format", FORMATS, "json")
    taken = Taken(section.faults)
    reader = PayloadReader(section, payload_format, taken)
    time = reader.time()
    time_name = _time_name(time, payload_format)
    taken.take(time_name, "the event time", section.place_of("time"), section.below("time"))
    labels, fields = reader.labels(), reader.fields()
    reader.check_paths()
    known = _Known(section, section.faults.found[before:])
    columns = [*(label.name for label in labels), *(field.name for field in fields)]
    sound = known.all_of("mqtt", "labels", "fields")
    stream = StreamSpec(
        name=name,
        topic=section.text("mqtt", "a topic") or "" if known.all_of("mqtt") else "",
        format=payload_format,
        time=time,
        labels=labels,
        fields=fields,
        identity=read_identity(section, columns, time_name, sound=sound),
        full=section.choice("full", POLICIES, "expire"),
        quota_bytes=size(section, "quota", least=LEAST_QUOTA),
    )
    named = time_name if known.all_of("time") else None
    return StreamDraft(stream=stream, time_name=named, sound=sound, disputed=frozenset(taken.disputed))


def _time_name(time: TimeField | None, payload_format: PayloadFormat) -> str:
    """What SQL calls the event time. A SenML pack has times of its own: ``time`` only names them."""
    if time is not None:
        return time.path[-1]
    return SENML_TIME if payload_format == "senml" else ARRIVAL


class _Known:
    """Which keys of a stream could be read as they were meant."""

    def __init__(self, section: Section, faults: Iterable[Fault]) -> None:
        self._section = section
        self._faulty = {fault.path for fault in faults}
        self._unknown = [key for key in section.table.entries if key not in KEYS]

    def all_of(self, *keys: str) -> bool:
        """Whether these keys have no mistake, and no misspelt key may have been meant for one of them."""
        missing = [key for key in keys if key not in self._section]
        if any(get_close_matches(key, missing) for key in self._unknown):
            return False
        places = tuple(self._section.below(key) for key in keys)
        return not any(path == self._section.path or path.startswith(places) for path in self._faulty)
