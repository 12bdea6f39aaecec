"""The reconciler with the real Docker Engine: bad images, bad operators, bad luck."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from fog_node.reconcile.desired import Wanted
from fog_node.runtimes.docker.creation import NODE, RECORD
from fog_node.runtimes.docker.networks import network_name
from fog_node.runtimes.record import Record
from fog_node.runtimes.runtime import ContainerSpec, Ended, Slot
from fogline.testing.until import until
from tests.contract.lodging import dial, guest_image
from tests.engine import DockerEngine
from tests.images import ImageFile, layer, make_image
from tests.integration.containers.yard import (
    HANG_S,
    LIMITS,
    SETTINGS,
    one_container,
    replica,
    until_gone,
    yard,
)
from tests.registry import Registry

pytestmark = pytest.mark.usefixtures("loop_is_never_blocked")


@pytest.fixture
def node(docker_engine: DockerEngine, registry: Registry) -> Iterator[str]:
    """A node's name, never used before; its containers and what it pulled are gone at the end."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    docker_engine.remove_all(f"{NODE}={name}")
    docker_engine.remove_network(network_name("main", name))
    docker_engine.remove_images(f"127.0.0.1:{registry.port}/")


@pytest.fixture
def image(docker_engine: DockerEngine) -> str:
    return docker_engine.load(guest_image())


def small_image(text: str, *, architecture: str = "") -> ImageFile:
    """An image that nobody else has; it cannot run anything."""
    return make_image((layer({"/x": text.encode()}),), entrypoint=("/x",), architecture=architecture)


async def test_an_operator_runs_until_it_is_not_wanted(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "serve"), replica(image, "serve", number=1))
        await one.becomes("guest", "running")
        seen = await one.becomes("guest", "running", replica=1)
        assert (seen.runtime, seen.image, seen.restarts) == ("docker", image, 0)
        assert await dial(one.gateway.up["guest", 1], "hello") == "hello"
        one.want(replica(image, "serve"))
        await until_gone(one, "guest", 1)
        one.want()
        await one.nothing_left()
        assert one.gateway.up == {}
        assert set(one.gateway.died) == {""}


async def test_a_new_agent_finds_the_same_containers(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    wanted = replica(image, "serve")
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(wanted)
        before = await one.becomes("guest", "running")
    async with yard(tmp_path, docker=docker_engine.url, node=node) as two:
        two.want(wanted)
        after = await two.becomes("guest", "running")
        assert (after.id, after.since_us) == (before.id, before.since_us)
        assert await dial(two.gateway.up["guest", 0], "still") == "still"
        assert "started" not in two.events("guest")


async def test_limits_change_without_a_restart_and_an_image_with_one(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "serve"))
        first = await one.becomes("guest", "running")
        wanted = replica(image, "serve")
        limits = replace(wanted.spec.limits, cpu_millis=250)
        one.want(replace(wanted, spec=replace(wanted.spec, limits=limits)))
        await one_container(one, lambda seen: seen.spec.limits == limits)
        assert (await one.becomes("guest", "running")).id == first.id
        assert docker_engine.inspect(first.id)["HostConfig"]["CpuQuota"] == 25_000
        one.want(replica(image, "serve", environment=(("GREETING", "new"),)))
        await one_container(one, lambda seen: seen.id != first.id)
        await one.becomes("guest", "running")
        assert await dial(one.gateway.up["guest", 0], "I am") == "I am new"


async def test_an_operator_starts_with_a_core_and_goes_on_with_its_own(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    few = replace(replica(image, "serve").spec.limits, cpu_millis=250)
    wanted = replace(replica(image, "serve", limits=few), start_millis=1000)
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(wanted)
        await one_container(one, lambda seen: seen.spec == wanted.spec)
        seen = await one.becomes("guest", "running")
        assert docker_engine.inspect(seen.id)["HostConfig"]["CpuQuota"] == 25_000
        assert await dial(one.gateway.up["guest", 0], "hello") == "hello"


async def test_an_image_comes_from_a_registry_by_its_digest(
    docker_engine: DockerEngine, registry: Registry, node: str, tmp_path: Path
) -> None:
    fetched = make_image(
        (*guest_image().layers, layer({"/fetched": node.encode()})), entrypoint=("python3", "/app/guest.py")
    )
    reference = registry.put("acme/guest", fetched)
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(reference, "serve"))
        assert (await one.becomes("guest", "running")).image == reference
        one.want()
        await one.nothing_left()


async def test_what_is_wrong_with_an_image_is_said(
    docker_engine: DockerEngine, registry: Registry, node: str, tmp_path: Path
) -> None:
    absent = f"127.0.0.1:{registry.port}/acme/absent@sha256:{'0' * 64}"
    forged = registry.put("acme/forged", small_image(f"{node} forged"))
    name = f"acme/forged/{forged.rpartition('@')[2]}"
    registry.manifests[name] = (registry.manifests[name][0], small_image("other").manifest)
    foreign = registry.put("acme/foreign", small_image(f"{node} foreign", architecture="s390x"))
    nowhere = f"127.0.0.1:1/acme/nowhere@sha256:{'1' * 64}"
    cannot = registry.put("acme/cannot", small_image(f"{node} cannot"))
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(
            replica(absent, "serve", name="absent"),
            replica(forged, "serve", name="forged"),
            replica(foreign, "serve", name="foreign"),
            replica(nowhere, "serve", name="nowhere"),
            replica(cannot, "serve", name="cannot"),
        )
        await one.event("absent", "image_missing")
        await one.becomes("absent", "backing_off")
        await one.event("forged", "bad_digest")
        await one.becomes("forged", "failed")
        await one.event("foreign", "wrong_architecture")
        await one.becomes("foreign", "failed", words="s390x")
        await one.event("nowhere", "registry_away")
        await one.becomes("nowhere", "backing_off")
        assert "code 127" in (await one.event("cannot", "exited")).detail
        one.want()
        await one.nothing_left()


async def test_a_stuck_pull_blocks_only_itself(
    docker_engine: DockerEngine, registry: Registry, image: str, node: str, tmp_path: Path
) -> None:
    stuck = registry.put("acme/stuck", small_image(f"{node} stuck"))
    registry.holding.set()
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(stuck, "serve", name="stuck"))
        await one.becomes("stuck", "pulling")
        one.want(replica(stuck, "serve", name="stuck"), replica(image, "serve"))
        await one.becomes("guest", "running")
        assert (await one.becomes("stuck", "pulling")).id == ""
        registry.release()
        await one.event("stuck", "exited")


async def test_pulling_leaves_disk_free_and_lets_go_of_what_nobody_wants(
    docker_engine: DockerEngine, registry: Registry, node: str, tmp_path: Path
) -> None:
    first, second = (registry.put(f"acme/{name}", small_image(f"{node} {name}")) for name in ("one", "two"))
    none_to_spare = replace(SETTINGS, reserve=1 << 60)
    async with yard(tmp_path, docker=docker_engine.url, node=node, settings=none_to_spare) as one:
        one.want(replica(first, "serve"))
        assert "disk are free" in (await one.event("guest", "disk_full")).detail
    async with yard(
        tmp_path, docker=docker_engine.url, node=node, settings=replace(SETTINGS, images=1)
    ) as two:
        two.want(replica(first, "serve"))
        await two.event("guest", "exited")
        assert _here(docker_engine, registry) == {first}
        two.want(replica(second, "serve", name="other"))
        await two.event("other", "exited")
        two.want(replica(second, "serve", name="other"), replica(first, "serve"))
        await two.event("guest", "exited")
        assert second in _here(docker_engine, registry)


def _here(engine: DockerEngine, registry: Registry) -> set[str]:
    names = {name for seen in engine.client.images() for name in seen.get("RepoDigests") or ()}
    return {name for name in names if name.startswith(f"127.0.0.1:{registry.port}/")}


async def test_a_service_has_its_network_port_and_volume_and_no_more_rights(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    slot = Slot(kind="service", plan="0123456789abcdef", name="store")
    spec = ContainerSpec(
        slot=slot,
        tenant="main",
        image=image,
        limits=LIMITS,
        command=("wait",),
        networks=(node,),
        ports=(f"{_free_port()}:8080",),
        volumes=("data:/data",),
    )
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(Wanted(spec=spec, runtime="docker"))
        seen = docker_engine.inspect((await one.becomes("store", "running")).id)
        assert list(seen["NetworkSettings"]["Networks"]) == [network_name("main", node)]
        assert seen["HostConfig"]["PortBindings"]["8080/tcp"][0]["HostPort"] == spec.ports[0].split(":")[0]
        found = one.reconciler.running(slot)
        assert found is not None
        runtime, container = found
        write = ("python3", "-c", "open('/data/x', 'w').write('kept')")
        assert [said async for said in runtime.execute(container.id, write, _nothing())] == [Ended(0)]
        one.want()
        await one.nothing_left()
    assert (tmp_path / "docker/volumes/main/data/x").read_text() == "kept"


async def _nothing() -> AsyncIterator[bytes]:
    for data in list[bytes]():
        yield data


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_an_operator_that_fails_waits_longer_each_time_and_says_its_last_words(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "fail"), replica(image, "serve", name="well"))
        told = await one.event("guest", "exited")
        assert "code 3" in told.detail
        assert "the model file is missing" in told.detail
        await one.becomes("guest", "backing_off", words="the model file is missing")
        assert (await one.becomes("well", "running")).restarts == 0
        await until(lambda: (seen := one.report("guest")) is not None and seen.restarts > 1, within=HANG_S)


async def test_an_operator_that_eats_memory_is_ended_and_that_is_said(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "eat"))
        assert "64 MiB" in (await one.event("guest", "out_of_memory")).detail


async def test_an_operator_that_forks_or_floods_its_output_is_held_and_that_is_said(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    roomy = replace(LIMITS, memory_bytes=512 * 1024**2)
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "fork", name="forks", limits=roomy), replica(image, "flood", name="floods"))
        assert "more than its 16 processes" in (await one.event("forks", "too_many_processes")).detail
        await one.becomes("forks", "starting", words="were refused since its start")
        await one.event("floods", "floods_output")
        await one.becomes("floods", "starting", words="only the newest 1 to 2 MiB are kept")


async def test_an_operator_that_never_offers_its_socket_is_started_anew(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, start_within=0.5)
    async with yard(tmp_path, docker=docker_engine.url, node=node, settings=settings) as one:
        one.want(replica(image, "wait"))
        assert "no socket within 0.5 s" in (await one.event("guest", "not_started")).detail
        await one.becomes("guest", "starting", words="no socket")


async def test_a_replica_that_the_gateway_finds_broken_is_started_anew(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "serve"))
        before = await one.becomes("guest", "running")
        one.reconciler.broken("0123456789abcdef", "guest", 0, "timed_out", "it did not answer within 5 s")
        assert (await one.event("guest", "timed_out")).detail == "it did not answer within 5 s"
        await one_container(one, lambda seen: seen.id != before.id)
        assert (await one.becomes("guest", "running")).restarts == 1


async def test_a_container_that_somebody_kills_or_removes_comes_back(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "serve"))
        first = await one.becomes("guest", "running")
        docker_engine.client.kill(first.id)
        assert "SIGKILL" in (await one.event("guest", "exited")).detail
        await one_container(one, lambda seen: seen.id != first.id)
        second = await one.becomes("guest", "running")
        docker_engine.client.remove_container(second.id, force=True)
        await one_container(one, lambda seen: seen.id not in {first.id, second.id})
        await one.becomes("guest", "running")


async def test_a_container_of_somebody_else_is_left_alone_whatever_its_label(
    docker_engine: DockerEngine, image: str, node: str, tmp_path: Path
) -> None:
    identity = (await asyncio.to_thread(Record, tmp_path / "docker/containers")).identity
    made = docker_engine.client.create_container(
        image.partition("@")[2], ["wait"], labels={NODE: node, RECORD: identity}, name=f"stray-{node}"
    )
    docker_engine.client.start(made)
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "serve"))
        await one.becomes("guest", "running")
        one.want()
        await one.nothing_left()
        assert docker_engine.inspect(made["Id"])["State"]["Running"]
