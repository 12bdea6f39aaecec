"""The ``compose:`` of a spec: the containers of a Compose file, as far as they can be services.

What is read is named here; everything else is refused at its place, so that nothing runs otherwise than it is written.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Final

from fogline.model.faults import shown
from fogline.model.release import Resources, ServiceRelease
from fogline.spec.containers import RESOURCES, read_cores, read_environment, read_image
from fogline.spec.document import ListNode, TableNode, TextNode
from fogline.spec.quantities import count
from fogline.spec.section import Section
from fogline.spec.services import (
    INSTEAD,
    ServiceDraft,
    check_service_name,
    checked_texts,
    network_fault,
    port_fault,
    read_command,
    volume_text_fault,
)
from fogline.wire.release_rules import (
    LEAST_MEMORY,
    MAX_SERVICES,
    MAX_VALUE,
    MAX_WORD,
    MAX_WORDS,
    MOST_BYTES,
    MOST_PIDS,
    RESERVED_VARIABLES,
    VARIABLE,
)

TOP: Final = ("services", "volumes", "networks", "name", "version")
KEYS: Final = (
    "image",
    "command",
    "environment",
    "networks",
    "ports",
    "volumes",
    "restart",
    "cpus",
    "mem_limit",
    "pids_limit",
    "deploy",
)
RESTARTS: Final = ("always", "unless-stopped", "on-failure")
DEFAULT_NETWORK: Final = "default"
"""Of services that name none, as in Compose."""

MEMORY: Final = re.compile(r"([0-9]{1,12})([bkmg]?)b?", re.ASCII | re.IGNORECASE)
_FACTORS: Final = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_INSTEAD: Final = {
    **{key: hint for key, hint in INSTEAD.items() if key not in KEYS},
    **dict.fromkeys((*RESOURCES, "env", "on"), "move the container to `services:`, which has it"),
    "container_name": "remove it: the node names its containers",
    "env_file": "write the variables under `environment`: files stay where they are",
    **dict.fromkeys(("secrets", "configs"), "put it into the image, or into `environment`"),
    "network_mode": "move the container to `services:`, where it has no network unless it names one",
}
_VARIABLE_FORM: Final = "write {NAME: value}, or [NAME=value]"


def read_compose(spec: Section, services: Mapping[str, ServiceDraft]) -> dict[str, ServiceDraft]:
    """Every service of a Compose file; mistakes become faults."""
    form = "write the content of the Compose file here, indented; or `fogline deploy FILE --compose FILE`"
    section = spec.section("compose", form)
    if section is None:
        return {}
    section.only(TOP)
    for key in ("volumes", "networks"):
        _only_names(section, key)
    section.required("services", form)
    inner = section.section("services", "write {name: {image: registry.example/acme/viewer:2}}")
    if inner is None:
        return {}
    if len(inner.table.entries) + len(services) > MAX_SERVICES:
        inner.faults.add(inner.place, inner.path, f"more than {MAX_SERVICES} services", "split the pipeline")
    found = {}
    for name, place in inner.table.key_places.items():
        if name in services:
            message = f"{shown(name)} is already a service"
            inner.faults.add(place, inner.below(name), message, "take another name")
        elif check_service_name(inner, name, place):
            service = inner.section(name, "write {image: registry.example/acme/viewer:2}")
            if service is not None:
                found[name] = _read(service, name)
    return found


def _only_names(section: Section, key: str) -> None:
    """Volumes and networks are made where they are needed: a Compose file may list them, and say no more."""
    node = section.table.entries.get(key)
    if not isinstance(node, TableNode):
        return
    for name, value in node.entries.items():
        empty = isinstance(value, TextNode) and value.is_empty
        if not empty and not (isinstance(value, TableNode) and not value.entries):
            path = f"{section.below(key)}.{name[:64]}"
            section.faults.add(
                value.place, path, f"nothing can be said about {shown(name)}", "leave it empty"
            )


def _read(section: Section, name: str) -> ServiceDraft:
    section.only(KEYS, misplaced=_INSTEAD)
    section.required("image", "build and push it, then name it: `image: registry.example/acme/viewer:2`")
    image = read_image(section)
    section.choice("restart", RESTARTS, "always")
    release = ServiceRelease(
        name=name,
        image=str(image) if image else "",
        resources=_resources(section),
        command=_command(section),
        environment=_environment(section),
        networks=_networks(section) or (DEFAULT_NETWORK,),
        ports=checked_texts(section, "ports", 'write ["8080:80"]', port_fault),
        volumes=checked_texts(section, "volumes", 'write ["data:/var/lib/data"]', volume_text_fault),
    )
    if image is not None and image.is_bundle:
        section.fault("image", "a bundle runs a step, not a service", "name an image")
    return ServiceDraft(
        release=release, image_path=section.below("image"), image_place=section.place_of("image")
    )


def _resources(section: Section) -> Resources:
    """From `cpus`, `mem_limit` and `pids_limit`, or from `deploy.resources.limits`, which Compose calls otherwise."""
    limits = _limits(section)
    if limits is not None:
        return Resources(
            cpu_millis=read_cores(limits, "cpus"),
            memory_bytes=_memory(limits, "memory"),
            pids=count(limits, "pids", 0, least=1, most=MOST_PIDS),
        )
    return Resources(
        cpu_millis=read_cores(section, "cpus"),
        memory_bytes=_memory(section, "mem_limit"),
        pids=count(section, "pids_limit", 0, least=1, most=MOST_PIDS),
    )


def _limits(section: Section) -> Section | None:
    inner, form = section, "write {resources: {limits: {cpus: 0.5, memory: 128m}}}"
    for key, known in (
        ("deploy", ("resources",)),
        ("resources", ("limits",)),
        ("limits", ("cpus", "memory", "pids")),
    ):
        found = inner.section(key, form)
        if found is None:
            return None
        found.only(known)
        inner = found
    for key in ("cpus", "mem_limit", "pids_limit"):
        if key in section:
            section.fault(key, "`deploy.resources.limits` says it, too", "keep one of them")
    return inner


def _memory(section: Section, key: str) -> int:
    """In Compose's own units, which are powers of 1024."""
    form = "a number with k, m or g, for example 128m"
    text = section.text(key, form)
    if text is None:
        return 0
    found = MEMORY.fullmatch(text)
    value = int(found[1]) * _FACTORS[found[2].lower()] if found else 0
    if not LEAST_MEMORY <= value <= MOST_BYTES:
        section.fault(key, f"{shown(text)} is no amount of memory", f"write {form}, at least 6m")
        return 0
    return value


def _command(section: Section) -> tuple[str, ...]:
    """A list, or one text that is split as a shell does; nothing else that shells do."""
    node = section.table.entries.get("command")
    if not isinstance(node, TextNode) or node.is_empty:
        return read_command(section)
    try:
        words = tuple(shlex.split(node.text))
    except ValueError as error:
        section.fault("command", f"not a command: {error}", "write its words as a list")
        return ()
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD or "\0" in word for word in words):
        section.fault("command", f"more than {MAX_WORDS} words", "put them into a script of the image")
    return words


def _environment(section: Section) -> dict[str, str]:
    if not isinstance(section.table.entries.get("environment"), ListNode):
        return read_environment(section, "environment")
    found = {}
    for text, place in section.texts("environment", _VARIABLE_FORM):
        name, equals, value = text.partition("=")
        if not equals or not VARIABLE.fullmatch(name) or len(value) > MAX_VALUE or "\0" in value:
            section.faults.add(
                place, section.below("environment"), f"{shown(text)} sets no variable", _VARIABLE_FORM
            )
        elif name.startswith(RESERVED_VARIABLES):
            hint = f"names that begin with {RESERVED_VARIABLES} are Fogline's own"
            section.faults.add(
                place, section.below("environment"), f"{shown(name)} cannot name a variable", hint
            )
        else:
            found[name] = value
    return dict(sorted(found.items()))


def _networks(section: Section) -> tuple[str, ...]:
    node = section.table.entries.get("networks")
    if not isinstance(node, TableNode):
        return checked_texts(section, "networks", "write [name]", network_fault)
    _only_names(section, "networks")
    found = []
    for name, place in node.key_places.items():
        wrong = network_fault(name)
        if wrong is None:
            found.append(name)
        else:
            path = section.below("networks")
            section.faults.add(place, path, f"{shown(name)} {wrong[0]}", wrong[1])
    return tuple(found)
