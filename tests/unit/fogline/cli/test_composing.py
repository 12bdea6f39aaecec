"""A spec and a Compose file are one text on the wire, and two for whoever made a mistake."""

from pathlib import Path

import pytest

from fogline.cli.composing import blamed, joined
from fogline.client.errors import SpecFault, SpecRejected
from fogline.model.faults import SpecErrors
from fogline.spec import read_spec

SPEC = """\
name: site
streams: {air: {mqtt: "air/{zone}", fields: {temp: float}}}
steps: {all: {sql: "SELECT count(*) AS n FROM air GROUP BY TUMBLE(arrival, INTERVAL '1 minute')"}}"""
COMPOSE = "---\nservices:\n  viewer:\n    image: acme/viewer:2\n    command: |\n      serve\n"


def faults_of(spec: str, compose: str) -> SpecRejected:
    """As a server would tell them."""
    with pytest.raises(SpecErrors) as raised:
        read_spec(joined(spec, compose), "site.yaml")
    faults = tuple(
        SpecFault(line=f.line, column=f.column, path=f.path, message=f.message, hint=f.hint)
        for f in raised.value.faults
    )
    with pytest.raises(SpecRejected) as told, blamed(spec, Path("compose.yaml")):
        raise SpecRejected(faults, file="site.yaml")
    return told.value


def test_the_containers_of_the_file_are_services() -> None:
    (service,) = read_spec(joined(SPEC, COMPOSE)).release.services
    assert (service.name, service.command) == ("viewer", ("serve",))


def test_a_mistake_in_the_compose_file_is_told_there() -> None:
    error = faults_of(SPEC, COMPOSE.replace("acme/viewer:2", "Acme"))
    (line,) = error.lines()
    assert line.startswith("compose.yaml:4:12: compose.services.viewer.image")


def test_a_mistake_in_the_spec_is_told_first() -> None:
    error = faults_of(SPEC.replace("name: site", "name: Site"), COMPOSE.replace("acme/viewer:2", "Acme"))
    assert error.lines()[0].startswith("site.yaml:1:7: name")
