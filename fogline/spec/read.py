"""From YAML text to a spec: all of it checked, every mistake reported at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fogline.model.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from fogline.model.faults import Faults, Place, SpecErrors, shown
from fogline.model.plan import StepSpec, StreamSpec
from fogline.model.release import Release
from fogline.spec.compose import read_compose
from fogline.spec.document import TableNode, read_document
from fogline.spec.names import PIPELINE
from fogline.spec.operators import OperatorDraft
from fogline.spec.quantities import count, duration
from fogline.spec.section import Section
from fogline.spec.services import ServiceDraft, read_services
from fogline.spec.steps import read_steps
from fogline.spec.streams import read_streams

KEYS: Final = ("name", "streams", "steps", "services", "compose", "late", "emit", "max_keys")
LATER: Final = {
    "place": "remove it: every node runs the steps beside its sensors",
}
DEFAULT_MAX_KEYS: Final = 10_000
MOST_KEYS: Final = 1_000_000
LEAST_EMIT_US: Final = 100 * MILLISECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """How long data is waited for, in microseconds."""

    disorder_us: int = 5 * SECOND
    wait_us: int = 2 * MINUTE
    keep_us: int = DAY
    """:data:`fogline.model.plan.FOR_EVER` for no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A pipeline that this release can run, whole and checked."""

    name: str
    streams: tuple[StreamSpec, ...]
    """In alphabetical order."""
    steps: tuple[StepSpec, ...]
    """Each behind its source."""
    late: Late
    emit_every_us: int
    max_keys: int
    release: Release
    """What runs the operators, and the services; images as they are written."""
    image_places: Mapping[str, tuple[str, Place]]
    """By image: where it is first named, as path and place."""


def read_spec(text: str, file: str = "the spec") -> Spec:
    """Read and check a spec; ``file`` is its name in messages.

    Raises :class:`fogline.model.faults.SpecErrors` with every mistake and its place.
    """
    faults = Faults()
    root = read_document(text, file, faults)
    if not isinstance(root, TableNode):
        faults.add(root.place, "", "a spec is a table", "start with `name:`, `streams:` and `steps:`")
        raise SpecErrors(file, faults.found)
    section = Section(root, Place(1, 1), "", faults)
    section.only(KEYS, LATER)
    drafts = {}
    section.required(
        "streams", 'write streams: {air: {mqtt: "greenhouse/{zone}/air", fields: {temp: float}}}'
    )
    streams = section.section("streams", "write {name: {mqtt: ..., fields: ...}}")
    if streams is not None:
        drafts = read_streams(streams)
    steps = read_steps(section, text, drafts)
    services = read_services(section)
    services |= read_compose(section, services)
    spec = Spec(
        name=_name(section),
        streams=tuple(drafts[name].stream for name in sorted(drafts)),
        steps=steps.planned,
        late=_late(section),
        emit_every_us=_emit(section),
        max_keys=count(section, "max_keys", DEFAULT_MAX_KEYS, least=1, most=MOST_KEYS),
        release=_release(steps.operators, services),
        image_places=_image_places(steps.operators, services),
    )
    if faults.found:
        raise SpecErrors(file, faults.found)
    return spec


def _name(section: Section) -> str:
    hint = "a lower-case letter, then letters, digits, - and _; at most 63 characters"
    section.required("name", hint)
    name = section.text("name", hint) or ""
    if name and not PIPELINE.fullmatch(name):
        section.fault("name", f"{shown(name)} cannot name a pipeline", hint)
    return name


def _release(operators: Iterable[OperatorDraft], services: Mapping[str, ServiceDraft]) -> Release:
    """In alphabetical order: specs that differ only in their order have equal releases."""
    return Release(
        operators=tuple(sorted((one.release for one in operators), key=lambda one: one.step)),
        services=tuple(services[name].release for name in sorted(services)),
    )


def _image_places(
    operators: Iterable[OperatorDraft], services: Mapping[str, ServiceDraft]
) -> dict[str, tuple[str, Place]]:
    found: dict[str, tuple[str, Place]] = {}
    for one in operators:
        found.setdefault(one.release.image, (f"steps.{one.release.step}.image", one.image_place))
    for service in services.values():
        found.setdefault(service.release.image, (service.image_path, service.image_place))
    return found


def _late(section: Section) -> Late:
    inner = section.section("late", "write {disorder: 5s, wait: 2m, keep: 1d}")
    if inner is None:
        return Late()
    inner.only(("disorder", "wait", "keep"))
    return Late(
        disorder_us=duration(inner, "disorder", Late().disorder_us),
        wait_us=duration(inner, "wait", Late().wait_us),
        keep_us=duration(inner, "keep", Late().keep_us, least_us=SECOND, for_ever=True),
    )


def _emit(section: Section) -> int:
    inner = section.section("emit", "write {every: 1s, on: change}")
    if inner is None:
        return SECOND
    inner.only(("every", "on"))
    inner.choice("on", ("change",), "change")
    return duration(inner, "every", SECOND, least_us=LEAST_EMIT_US, most_us=HOUR)
