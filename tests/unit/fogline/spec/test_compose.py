"""The containers of a Compose file become services; what cannot is refused at its place."""

import pytest

from fogline.model.release import Resources, ServiceRelease
from fogline.spec import read_spec
from tests.unit.fogline.spec.test_mistakes import told_of

GOOD = """\
name: site
streams: {air: {mqtt: "air/{zone}", fields: {temp: float}}}
steps: {all: {sql: "SELECT count(*) AS n FROM air GROUP BY TUMBLE(arrival, INTERVAL '1 minute')"}}
compose:
  services:
    viewer:
      image: acme/viewer:2
      command: serve --name 'a b'
      environment: [MODE=kiosk, EMPTY=]
      networks: [site]
      ports: ["8080:80"]
      volumes: ["data:/var/lib/viewer"]
      restart: unless-stopped
      cpus: 0.5
      mem_limit: 128m
      pids_limit: 64
  volumes: {data: }
  networks: {site: {}}
"""


def services(document: str) -> tuple[ServiceRelease, ...]:
    return read_spec(document).release.services


def test_a_container_is_a_service() -> None:
    assert services(GOOD) == (
        ServiceRelease(
            name="viewer",
            image="acme/viewer:2",
            command=("serve", "--name", "a b"),
            environment={"EMPTY": "", "MODE": "kiosk"},
            networks=("site",),
            ports=("8080:80",),
            volumes=("data:/var/lib/viewer",),
            resources=Resources(cpu_millis=500, memory_bytes=128 * 1024**2, pids=64),
        ),
    )
    assert read_spec(GOOD).image_places["acme/viewer:2"][0] == "compose.services.viewer.image"


def test_without_networks_a_container_is_in_the_default_one_as_in_compose() -> None:
    (service,) = services(GOOD.replace("      networks: [site]\n", ""))
    assert service.networks == ("default",)


def test_limits_may_stand_under_deploy() -> None:
    limits = "deploy: {resources: {limits: {cpus: '0.25', memory: 64M, pids: 9}}}"
    plain = GOOD.replace(
        "      cpus: 0.5\n      mem_limit: 128m\n      pids_limit: 64\n", f"      {limits}\n"
    )
    (service,) = services(plain)
    assert service.resources == Resources(cpu_millis=250, memory_bytes=64 * 1024**2, pids=9)


def test_a_table_of_variables_and_of_networks_and_a_list_of_words_are_read() -> None:
    document = GOOD.replace("[MODE=kiosk, EMPTY=]", "{MODE: kiosk, N: 1}").replace("[site]", "{site: }")
    (service,) = services(document.replace("serve --name 'a b'", "[serve, '']"))
    assert service.environment == {"MODE": "kiosk", "N": "1"}
    assert service.networks == ("site",)
    assert service.command == ("serve", "")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    viewer:\n", "    Viewer:\n", "6:5 compose.services.Viewer | `Viewer` cannot name a service"),
        ("compose:\n", "services: {viewer: {image: a}}\ncompose:\n", "`viewer` is already a service"),
        ("  services:\n", "  servces:\n", "`services` is missing"),
        ("      image: acme/viewer:2\n", "      build: .\n", "`build` does not belong here | build and push"),
        (
            "      image: acme/viewer:2\n",
            "      image: Acme\n",
            "7:14 compose.services.viewer.image | `Acme` is not",
        ),
        ("cpus: 0.5", "privileged: true", "`privileged` does not belong here"),
        ("cpus: 0.5", "healthcheck: {}", "`healthcheck` does not belong here"),
        ("cpus: 0.5", "env: {}", "`env` does not belong here | move the container to `services:`"),
        ("cpus: 0.5", "cpus: half", "14:13 compose.services.viewer.cpus | `half` is no number of cores"),
        ("cpus: 0.5", "deploy: {replicas: 2}", "unknown key `replicas`"),
        ("cpus: 0.5", "deploy: {resources: {limits: {cpus: 1}}}", "`deploy.resources.limits` says it, too"),
        ("128m", "lots", "`lots` is no amount of memory"),
        ("128m", "1k", "`1k` is no amount of memory"),
        ("unless-stopped", "no", "`no` is none of always, unless-stopped, on-failure"),
        ("serve --name 'a b'", "serve 'a", "not a command"),
        ("serve --name 'a b'", "x " * 70, "more than 64 words"),
        ("MODE=kiosk", "MODE", "`MODE` sets no variable"),
        ("MODE=kiosk", "FOGLINE_X=1", "`FOGLINE_X` cannot name a variable"),
        ("8080:80", "80", "`80` names one port"),
        ("data:/var", "./data:/var", "names a folder of the node"),
        ("[site]", "[host]", "`host` is no network of a tenant"),
        ("[site]", "{host: }", "`host` is no network of a tenant"),
        ("[site]", "{site: {aliases: [a]}}", "nothing can be said about `site`"),
        (
            "{data: }",
            "{data: {driver: nfs}}",
            "17:19 compose.volumes.data | nothing can be said about `data`",
        ),
        ("  volumes: {", "  secrets: {", "unknown key `secrets`"),
    ],
)
def test_what_cannot_be_is_told_at_its_place(old: str, new: str, told: str) -> None:
    assert old in GOOD
    assert told in told_of(GOOD.replace(old, new, 1))
