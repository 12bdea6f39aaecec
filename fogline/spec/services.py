"""The ``services:`` of a spec: long-running containers beside the steps."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fogline.model.faults import Place, shown
from fogline.model.release import ServiceRelease
from fogline.spec.containers import RESOURCES, read_environment, read_image, read_resources
from fogline.spec.document import ListNode, TextNode
from fogline.spec.section import Section
from fogline.wire.release_rules import (
    LABEL,
    MAX_SERVICES,
    MAX_WORD,
    MAX_WORDS,
    NETWORK,
    SERVICE,
    VOLUME,
    ports_of,
    volume_fault,
)

KEYS: Final = ("image", "command", "env", *RESOURCES, "networks", "ports", "volumes", "on")
_COMMANDED: Final = "write the whole command as `command: [...]`"
_NAMED: Final = "containers see each other by their services' names in a common network: `networks: [name]`"
_SEPARATE: Final = "remove it: a container has no more rights than the node gives to all"
INSTEAD: Final = {
    **dict.fromkeys(("build", "dockerfile"), "build and push the image, and name it in `image`"),
    **dict.fromkeys(("entrypoint", "working_dir"), _COMMANDED),
    **dict.fromkeys(("network_mode", "links", "extra_hosts", "dns", "hostname"), _NAMED),
    **dict.fromkeys(("privileged", "cap_add", "devices", "security_opt", "pid", "ipc", "user"), _SEPARATE),
    "environment": "it is called `env` here",
    "restart": "remove it: a service is started again whenever it ends",
    "depends_on": "remove it: services start in any order and are started again until they stay",
    "deploy": "write `cpu`, `memory` and `pids` beside `image`",
    "healthcheck": "remove it: a service is well as long as it runs",
}
FORM: Final = "write {image: registry.example/acme/viewer:2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDraft:
    """A service as far as it could be read."""

    release: ServiceRelease
    image_path: str
    image_place: Place


def read_services(spec: Section) -> dict[str, ServiceDraft]:
    """Every service of the table; mistakes become faults."""
    section = spec.section("services", f"write {{name: {FORM[6:]}}}")
    if section is None:
        return {}
    if len(section.table.entries) > MAX_SERVICES:
        section.faults.add(
            section.place, section.path, f"more than {MAX_SERVICES} services", "split the pipeline"
        )
    found = {}
    for name, place in section.table.key_places.items():
        if not check_service_name(section, name, place):
            continue
        service = section.section(name, FORM)
        if service is not None:
            found[name] = _read(service, name)
    return found


def check_service_name(section: Section, name: str, place: Place) -> bool:
    """Whether this may name a service; if not, that is a fault."""
    if SERVICE.fullmatch(name):
        return True
    hint = "a lower-case letter, then letters, digits and -; at most 63 characters"
    section.faults.add(place, section.below(name), f"{shown(name)} cannot name a service", hint)
    return False


def _read(section: Section, name: str) -> ServiceDraft:
    section.only(KEYS, misplaced=INSTEAD)
    section.required("image", FORM)
    image = read_image(section)
    if image is not None and image.is_bundle:
        section.fault("image", "a bundle runs a step, not a service", "name an image")
    networks = checked_texts(section, "networks", "write [name]", network_fault)
    ports = checked_texts(section, "ports", 'write ["8080:80"]', port_fault)
    if ports and "networks" not in section:
        hint = "give it one: networks: [name]"
        section.fault("ports", "a container without a network has no ports", hint)
    release = ServiceRelease(
        name=name,
        image=str(image) if image else "",
        resources=read_resources(section),
        command=read_command(section),
        environment=read_environment(section),
        networks=networks,
        ports=ports,
        volumes=checked_texts(section, "volumes", 'write ["data:/var/lib/data"]', volume_text_fault),
        on=_on(section),
    )
    return ServiceDraft(
        release=release, image_path=section.below("image"), image_place=section.place_of("image")
    )


def read_command(section: Section) -> tuple[str, ...]:
    """The words of a ``command:`` that is a list; one may be empty."""
    node, hint = section.node("command"), 'write its words as a list: ["viewer", "--port", "80"]'
    if node is None:
        return ()
    if not isinstance(node, ListNode) or not node.items:
        section.fault("command", "`command` must be a list of words", hint)
        return ()
    words = []
    for item in node.items:
        if isinstance(item, TextNode) and len(item.text) <= MAX_WORD and "\0" not in item.text:
            words.append(item.text)
        else:
            section.faults.add(item.place, section.below("command"), "not a word of a command", hint)
    if len(words) > MAX_WORDS:
        section.fault("command", f"more than {MAX_WORDS} words", "put them into a script of the image")
    return tuple(words)


def checked_texts(
    section: Section, key: str, form: str, fault: Callable[[str], tuple[str, str] | None]
) -> tuple[str, ...]:
    """A list of texts that have no ``fault`` (message and hint), each once."""
    found: list[str] = []
    texts = section.texts(key, form)
    if len(texts) > MAX_WORDS:
        section.fault(key, f"more than {MAX_WORDS} of them", "keep what is needed")
    for text, place in texts:
        wrong = ("stands there twice", "keep one") if text in found else fault(text)
        if wrong is None:
            found.append(text)
        else:
            section.faults.add(place, section.below(key), f"{shown(text)} {wrong[0]}", wrong[1])
    return tuple(found)


def network_fault(text: str) -> tuple[str, str] | None:
    """Why a text cannot name a network, and what to do."""
    if text in ("host", "none", "bridge"):
        return "is no network of a tenant", "name one: services that name the same network see each other"
    if NETWORK.fullmatch(text):
        return None
    return "cannot name a network", "a lower-case letter, then letters, digits and -; at most 31 characters"


def port_fault(text: str) -> tuple[str, str] | None:
    """Why a text names no ports, and what to do."""
    if ports_of(text) is not None:
        return None
    if re.fullmatch(r"[0-9]{1,5}", text, re.ASCII):
        return "names one port", f"write the node's port and the container's: \"{text}:{text}\""
    if text.count(":") == 2:
        return "names an address", "write two ports; the node decides on which of its addresses"
    return "does not name ports", "write the node's port and the container's, for example \"8080:80\""


def volume_text_fault(text: str) -> tuple[str, str] | None:
    """Why a text names no volume, and what to do."""
    if text.startswith(("/", ".", "~")):
        return "names a folder of the node", "give the volume a name, for example data:/var/lib/data"
    found = VOLUME.fullmatch(text)
    if found is None:
        return "names no volume", "write a name and where it is mounted, for example data:/var/lib/data"
    why = volume_fault(found[2])
    return (f"is mounted where nothing can be: {why}", "take another folder") if why else None


def _on(section: Section) -> tuple[str, ...]:
    inner = section.section("on", "write the labels that a node must have: {place: attic}")
    if inner is None:
        return ()
    found = []
    for name, place in inner.table.key_places.items():
        text = inner.text(name, "a text")
        if text is None:
            continue
        if LABEL.fullmatch(f"{name}={text}"):
            found.append(f"{name}={text}")
        else:
            hint = "labels are the node's: `fogline status` shows them"
            section.faults.add(place, inner.below(name), f"{shown(f'{name}={text}')} is no label", hint)
    return tuple(sorted(found))
