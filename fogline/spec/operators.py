"""Steps that run an image: what they read, what their rows have, and what they may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fogline.model.faults import Place, shown
from fogline.model.image import ImageReference
from fogline.model.plan import OutputColumn, OutputType
from fogline.model.release import DEFAULT_TIMEOUT_US, RUNTIMES, OperatorRelease, Runtime
from fogline.spec.containers import RESOURCES, read_environment, read_image, read_resources
from fogline.spec.document import TextNode
from fogline.spec.names import check_name
from fogline.spec.payload import MAX_COLUMNS, read_resolution
from fogline.spec.quantities import count, duration
from fogline.spec.section import Section
from fogline.sql.operators import OperatorStep
from fogline.wire.release_rules import LEAST_TIMEOUT_US, MAX_REPLICAS, MOST_TIMEOUT_US

KEYS: Final = ("image", "from", "fields", "labels", *RESOURCES, "timeout", "env", "scale", "runtime")
TYPES: Final[tuple[OutputType, ...]] = ("float", "int", "bool")
TEXT_TYPES: Final = ("text", "string", "str")
BUILD: Final = "build it with `fogline operator build NAME --process`"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDraft:
    """An operator step as far as it could be read."""

    step: OperatorStep
    release: OperatorRelease
    image_place: Place


def read_operator(section: Section, name: str, name_place: Place) -> OperatorDraft | None:
    """A step with ``image:``; ``None`` if it cannot even be planned."""
    reference = read_image(section)
    release = OperatorRelease(
        step=name,
        image=str(reference) if reference else "",
        resources=read_resources(section),
        timeout_us=duration(
            section, "timeout", DEFAULT_TIMEOUT_US, least_us=LEAST_TIMEOUT_US, most_us=MOST_TIMEOUT_US
        ),
        environment=read_environment(section),
        runtime=_runtime(section, reference),
        **_scale(section),
    )
    places: dict[str, Place] = {}
    labels, fields = _labels(section, places), _fields(section, places)
    section.required("from", "write from: the stream or step whose rows it gets")
    source = section.text("from", "the name of a stream or step")
    if source is None:
        return None
    step = OperatorStep(
        name=name,
        path=section.path,
        name_place=name_place,
        source=source,
        source_place=section.place_of("from"),
        labels=labels,
        fields=fields,
        places=places,
    )
    return OperatorDraft(step=step, release=release, image_place=section.place_of("image"))


def _runtime(section: Section, image: ImageReference | None) -> Runtime:
    """What is said, or what the image says: a bundle runs as a process."""
    bundle = image is not None and image.is_bundle
    otherwise: Runtime = "process" if bundle else ""
    runtime = section.choice("runtime", RUNTIMES, otherwise)
    if image is None:
        return runtime
    if runtime == "docker" and bundle:
        section.fault("runtime", "Docker does not run a bundle", "name an image, or remove `runtime`")
    if runtime == "process" and not bundle:
        message = "the process runtime runs a bundle, not an image"
        section.fault("runtime", message, f"{BUILD}, and write what it prints as `image`")
    return runtime


def _scale(section: Section) -> dict[str, int]:
    inner = section.section("scale", "write {min: 1, max: 8}")
    if inner is None:
        return {}
    inner.only(("min", "max"))
    least = count(inner, "min", 1, least=1, most=MAX_REPLICAS)
    most = count(inner, "max", max(least, 1), least=1, most=MAX_REPLICAS)
    if most < least:
        inner.fault(
            "max", f"`max` is less than `min`, {least}", "write a range, for example {min: 1, max: 8}"
        )
    return {"min_replicas": least, "max_replicas": max(least, most)}


def _labels(section: Section, places: dict[str, Place]) -> tuple[OutputColumn, ...] | None:
    if "labels" not in section:
        return None
    names = _taken(section, section.texts("labels", "write [zone, device]"), "label", "labels", places)
    return tuple(OutputColumn(name=name, type="text") for name in names)


def _fields(section: Section, places: dict[str, Place]) -> tuple[OutputColumn, ...] | None:
    if "fields" not in section:
        return None
    form = "write {score: float} or {score: {type: float, resolution: 0.01}}"
    inner = section.section("fields", form)
    if inner is None:
        return ()
    if len(inner.table.entries) > MAX_COLUMNS:
        section.fault("fields", f"more than {MAX_COLUMNS} fields", "split the step")
    names = _taken(section, list(inner.table.key_places.items()), "field", "fields", places)
    return tuple(_field(inner, name, form) for name in names)


def _taken(
    section: Section, names: Sequence[tuple[str, Place]], what: str, key: str, places: dict[str, Place]
) -> list[str]:
    """Those that may be names of columns, each once."""
    found = []
    for name, place in names:
        path = f"{section.below(key)}.{name[:64]}" if what == "field" else section.below(key)
        if name in places:
            section.faults.add(place, path, f"{shown(name)} stands there twice", "keep one")
        elif check_name(name, what, place, path, section.faults):
            places[name] = place
            found.append(name)
    return found


def _field(fields: Section, name: str, form: str) -> OutputColumn:
    node = fields.node(name)
    if node is None or isinstance(node, TextNode):
        return OutputColumn(name=name, type=_type(fields, name))
    inner = fields.section(name, form)
    if inner is None:
        return OutputColumn(name=name, type="float")
    inner.only(("type", "resolution"))
    kind, grid = _type(inner, "type"), read_resolution(inner)
    if grid is not None and kind != "float":
        inner.fault("resolution", f"values of type {kind} have no grid", "remove `resolution`")
        grid = None
    return OutputColumn(name=name, type=kind, resolution=grid)


def _type(section: Section, key: str) -> OutputType:
    text = section.text(key, "float, int or bool")
    if text in TEXT_TYPES:
        message = f"{shown(text)} is none of {', '.join(TYPES)}"
        section.fault(key, message, "name texts in labels: [name]")
        return "float"
    return section.choice(key, TYPES, "float")
