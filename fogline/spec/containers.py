"""What operators and services have in common: an image, its environment, and what it may use."""

import re
from decimal import Decimal
from typing import Final

from fogline.model.faults import shown
from fogline.model.image import ImageReference, MalformedImage, parse_image
from fogline.model.release import Resources
from fogline.spec.document import TextNode
from fogline.spec.quantities import count, size
from fogline.spec.section import Section
from fogline.wire.release_rules import (
    LEAST_CPU_MILLIS,
    LEAST_MEMORY,
    LEAST_TMP,
    MAX_VALUE,
    MAX_VARIABLES,
    MOST_BYTES,
    MOST_CPU_MILLIS,
    MOST_PIDS,
    RESERVED_VARIABLES,
    VARIABLE,
)

RESOURCES: Final = ("cpu", "memory", "pids", "tmp")
CORES: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?", re.ASCII)
MILLIS: Final = re.compile(r"([0-9]{1,7})m", re.ASCII)


def read_image(section: Section) -> ImageReference | None:
    """The ``image:`` of a step or service."""
    form = "an image, for example registry.example/acme/denoise:1.4, or what `fogline operator build` prints"
    text = section.text("image", form)
    if text is None:
        return None
    try:
        return parse_image(text)
    except MalformedImage as error:
        section.fault("image", error.message, error.hint)
        return None


def read_resources(section: Section) -> Resources:
    """``cpu``, ``memory``, ``pids`` and ``tmp``; what is not said is the node's default."""
    return Resources(
        cpu_millis=read_cores(section, "cpu"),
        memory_bytes=size(section, "memory", least=LEAST_MEMORY, most=MOST_BYTES),
        pids=count(section, "pids", 0, least=1, most=MOST_PIDS),
        tmp_bytes=size(section, "tmp", least=LEAST_TMP, most=MOST_BYTES),
    )


def read_environment(section: Section, key: str = "env") -> dict[str, str]:
    """The variables of a step or service, by name."""
    inner = section.section(key, "write {NAME: value}")
    if inner is None:
        return {}
    if len(inner.table.entries) > MAX_VARIABLES:
        section.fault(key, f"more than {MAX_VARIABLES} variables", "put them into the image, or into one")
    found = {}
    for name, place in inner.table.key_places.items():
        path = inner.below(name)
        if not VARIABLE.fullmatch(name):
            hint = "letters, digits and _, not a digit first"
            inner.faults.add(place, path, f"{shown(name)} cannot name a variable", hint)
        elif name.startswith(RESERVED_VARIABLES):
            hint = f"names that begin with {RESERVED_VARIABLES} are Fogline's own"
            inner.faults.add(place, path, f"{shown(name)} cannot name a variable", hint)
        else:
            found[name] = read_value(inner, name)
    return dict(sorted(found.items()))


def read_value(section: Section, name: str) -> str:
    """The value of a variable. It may be empty, which elsewhere is a key without a value."""
    node = section.table.entries[name]
    if isinstance(node, TextNode) and node.is_empty:
        return ""
    text = section.text(name, "a text; put it into quotes if YAML reads it as something else") or ""
    if len(text) > MAX_VALUE or "\0" in text:
        section.fault(name, "the value does not fit", f"at most {MAX_VALUE} characters, none of them zero")
    return text


def read_cores(section: Section, key: str) -> int:
    """A key's value in thousandths of a core; 0 if it is not there or wrong."""
    least, most = LEAST_CPU_MILLIS / 1000, MOST_CPU_MILLIS // 1000
    forms = f"cores, for example 0.25 or 2, at least {least:g}, at most {most}"
    text = section.text(key, forms)
    if text is None:
        return 0
    if found := MILLIS.fullmatch(text):
        hint = f"did you mean `{Decimal(found[1]) / 1000:f}`? Write {forms}"
        section.fault(key, f"{shown(text)} is no number of cores", hint)
        return 0
    if not CORES.fullmatch(text) or not LEAST_CPU_MILLIS <= Decimal(text) * 1000 <= MOST_CPU_MILLIS:
        section.fault(key, f"{shown(text)} is no number of cores", f"write {forms}")
        return 0
    return int(Decimal(text) * 1000)
