"""What must hold of a release before anybody runs it, wherever it came from.

The spec's reader uses the same rules, so that what can be written and what can be run never differ.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from fogline.model.clock import MILLISECOND, MINUTE
from fogline.model.errors import InvalidInput
from fogline.model.image import MalformedImage, parse_image
from fogline.model.plan import OperatorQuery, Plan
from fogline.model.release import RUNTIMES, OperatorRelease, Release, Resources, Runtime, ServiceRelease

SERVICE: Final = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
"""Names of services: their name in a network, too."""
NETWORK: Final = re.compile(r"[a-z][a-z0-9-]{0,30}", re.ASCII)
PORT: Final = re.compile(r"([0-9]{1,5}):([0-9]{1,5})(?:/(?:tcp|udp))?", re.ASCII)
VOLUME: Final = re.compile(r"([a-z][a-z0-9_-]{0,62}):(/[^:\x00-\x1f\x7f]{1,254})", re.ASCII)
LABEL: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]{0,62})=([^\x00-\x1f\x7f]{1,128})", re.ASCII)
VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
RESERVED_VARIABLES: Final = "FOGLINE_"
RESERVED_PATHS: Final = ("/proc", "/sys", "/dev", "/run/fogline")

MAX_VARIABLES: Final = 64
MAX_VALUE: Final = 4096
MAX_SERVICES: Final = 32
MAX_WORDS: Final = 64
"""Words of a command, and networks, ports, volumes and labels of a service."""
MAX_WORD: Final = 4096
MAX_REPLICAS: Final = 64
LEAST_CPU_MILLIS: Final = 10
MOST_CPU_MILLIS: Final = 1_024_000
LEAST_MEMORY: Final = 6 * 1024**2
"""What the Docker Engine takes at least."""
MOST_BYTES: Final = 2**50
LEAST_TMP: Final = 4096
MOST_PIDS: Final = 65_536
LEAST_TIMEOUT_US: Final = 10 * MILLISECOND
MOST_TIMEOUT_US: Final = 10 * MINUTE


class MalformedRelease(InvalidInput):
    """A release that contradicts itself or its plan, or that this version cannot run."""

    code = "malformed_release"


def runtime_of(word: str) -> Runtime:
    """The runtime of this name; raises :class:`MalformedRelease`."""
    for known in ("", *RUNTIMES):
        if word == known:
            return known
    raise MalformedRelease(
        f"runtime {word!r} is unknown; known: {', '.join(RUNTIMES)}", hint="upgrade this tier"
    )


def check_release(release: Release, plan: Plan | None = None) -> None:
    """Raise :class:`MalformedRelease` unless everything of it can be run, by digest only."""
    _distinct((one.step for one in release.operators), "operators")
    _distinct((one.name for one in release.services), "services")
    _need(len(release.services) <= MAX_SERVICES, f"at most {MAX_SERVICES} services")
    for operator in release.operators:
        _check_operator(operator)
    for service in release.services:
        _check_service(service)
    if plan is not None:
        steps = {step.name for step in plan.steps if isinstance(step.query, OperatorQuery)}
        given = {operator.step for operator in release.operators}
        _need(steps == given, f"operators for {sorted(given)}, the plan has {sorted(steps)}")


def volume_fault(path: str) -> str:
    """Why nothing can be mounted at this path; empty: it can."""
    if path == "/" or ".." in path.split("/") or "//" in path:
        return "not a folder inside the container"
    if any(path == taken or path.startswith(f"{taken}/") for taken in RESERVED_PATHS):
        return "the container's own"
    return ""


def ports_of(text: str) -> tuple[int, int] | None:
    """The node's and the container's port; ``None`` if it says none."""
    found = PORT.fullmatch(text)
    if found is None or not all(1 <= int(port) <= 65_535 for port in found.group(1, 2)):
        return None
    return int(found[1]), int(found[2])


def _check_operator(one: OperatorRelease) -> None:
    where = f"operator {one.step!r}"
    bundle = _check_image(one.image, where)
    _need(one.runtime != "docker" or not bundle, f"{where}: docker runs no bundle")
    _need(one.runtime != "process" or bundle, f"{where}: the process runtime runs only bundles")
    _check_resources(one.resources, where)
    _check_environment(one.environment, where)
    _need(
        1 <= one.min_replicas <= one.max_replicas <= MAX_REPLICAS,
        f"{where}: from {one.min_replicas} to {one.max_replicas} replicas",
    )
    _need(LEAST_TIMEOUT_US <= one.timeout_us <= MOST_TIMEOUT_US, f"{where}: a timeout of {one.timeout_us} µs")


def _check_service(one: ServiceRelease) -> None:
    where = f"service {one.name[:64]!r}"
    _need(bool(SERVICE.fullmatch(one.name)), f"{where} has no name for a service")
    _need(not _check_image(one.image, where), f"{where}: a bundle is no container")
    _check_resources(one.resources, where)
    _check_environment(one.environment, where)
    for what, texts in (
        ("words", one.command),
        ("networks", one.networks),
        ("ports", one.ports),
        ("volumes", one.volumes),
        ("labels", one.on),
    ):
        _need(len(texts) <= MAX_WORDS, f"{where}: more than {MAX_WORDS} {what}")
        _need(all(len(text) <= MAX_WORD and "\0" not in text for text in texts), f"{where}: {what} too long")
    for network in one.networks:
        _need(bool(NETWORK.fullmatch(network)), f"{where}: no network is called {network[:80]!r}")
    for port in one.ports:
        _need(ports_of(port) is not None, f"{where}: {port[:80]!r} are no ports")
    _need(bool(one.networks) or not one.ports, f"{where}: ports without a network")
    for volume in one.volumes:
        found = VOLUME.fullmatch(volume)
        _need(found is not None and not volume_fault(found[2]), f"{where}: {volume[:80]!r} is no volume")
    for label in one.on:
        _need(bool(LABEL.fullmatch(label)), f"{where}: {label[:80]!r} is no label")


def _check_image(image: str, where: str) -> bool:
    """Whether it is a bundle."""
    try:
        found = parse_image(image)
    except MalformedImage as error:
        raise MalformedRelease(f"{where}: {error.message}", hint=error.hint) from None
    _need(bool(found.digest), f"{where}: image {image!r} has no digest, and only digests are run")
    return found.is_bundle


def _check_resources(one: Resources, where: str) -> None:
    for what, value, least, most in (
        ("CPU", one.cpu_millis, LEAST_CPU_MILLIS, MOST_CPU_MILLIS),
        ("memory", one.memory_bytes, LEAST_MEMORY, MOST_BYTES),
        ("processes", one.pids, 1, MOST_PIDS),
        ("room at /tmp", one.tmp_bytes, LEAST_TMP, MOST_BYTES),
    ):
        _need(not value or least <= value <= most, f"{where}: {value} is no amount of {what}")


def _check_environment(environment: Mapping[str, str], where: str) -> None:
    _need(len(environment) <= MAX_VARIABLES, f"{where}: more than {MAX_VARIABLES} variables")
    for name, value in environment.items():
        fit = bool(VARIABLE.fullmatch(name)) and not name.startswith(RESERVED_VARIABLES)
        _need(fit, f"{where}: no variable can be called {name[:80]!r}")
        _need(len(value) <= MAX_VALUE and "\0" not in value, f"{where}: {name} has no value that fits")


def _distinct(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        _need(bool(name), f"{what} have names")
        _need(name not in seen, f"two of the {what} are called {name!r}")
        seen.add(name)


def _need(holds: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise MalformedRelease(message)
