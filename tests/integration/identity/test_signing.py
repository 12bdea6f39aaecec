"""Desired state and assignments in an installation with a CA: over TLS, from a real cloud through a real aggregator."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from cloud.identity.admittance import open_admittance
from cloud.main import Cloud
from cloud.settings import CloudSettings
from cloud.store.opening import STORE_FILE, open_sqlite
from fog_node.reconcile.desired import Assigned
from fogline.control.assignments import CONTEXT
from fogline.control.keys import Disbelieved
from fogline.identity.folder import write_identity
from fogline.identity.holder import Holder
from fogline.identity.keys import key_from_pem, sign
from fogline.identity.vouching import anchor_of, signed_by, vouch_of
from fogline.testing.control import KeyChain, desired_state
from fogline.testing.until import until as soon
from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc, control_pb2, signing_pb2, signing_pb2_grpc
from tests.contract.installation import spec
from tests.integration.control.told import HearingNode, aggregating, hearing
from tests.integration.identity.conftest import Installation, SetClock

until = partial(soon, within=60.0)

IMAGE = "acme/clean@sha256:" + "0" * 64


def with_operator(fraction: str = "0.5") -> str:
    text = spec().replace("FROM air", "FROM clean")
    return text.replace("steps:\n", f"steps:\n  clean: {{image: {IMAGE}, from: air, cpu: {fraction}}}\n")


async def deploy(installation: Installation, text: str) -> api_pb2.DeployResponse:
    async with channel_to(installation.cloud.server.address) as channel:
        request = api_pb2.DeployRequest(spec=text)
        return await api_pb2_grpc.PipelineServiceStub(channel).Deploy(request, timeout=60)


async def rotate(installation: Installation) -> int:
    async with channel_to(installation.cloud.server.address) as channel:
        stub = signing_pb2_grpc.SigningServiceStub(channel)
        made = await stub.RotateSigningKey(signing_pb2.RotateSigningKeyRequest(), timeout=60)
        listed = (await stub.ListSigningKeys(signing_pb2.ListSigningKeysRequest(), timeout=60)).keys
        assert listed[-1] == made.key
        assert [key.vouched_by for key in listed] == ["ca", *["key before"] * (len(listed) - 1)]
        return int(made.key.version)


async def holder_of(installation: Installation, name: str, role: str, folder: Path) -> Holder:
    joined = await installation.joined(name, role=role)
    write_identity(folder, joined.identity)
    return Holder(joined.identity)


async def test_a_pipeline_reaches_a_node_with_everything_signed(
    installation: Installation, tmp_path: Path
) -> None:
    folders = [tmp_path / "a1", tmp_path / "n1"]
    above = await holder_of(installation, "a1", "aggregator", folders[0])
    holder = await holder_of(installation, "n1", "node", folders[1])
    async with aggregating(folders[0], installation.children, holder=above) as aggregator:
        address = f"127.0.0.1:{aggregator.server.port}"
        node = HearingNode(folders[1], address, holder=holder)
        async with hearing(node):
            deployed = await deploy(installation, with_operator())
            share = {(deployed.plan, "clean"): Assigned(replicas=1)}
            await until(lambda: node.assigned == share)
            assert await rotate(installation) == 2
            await until(lambda: node.told.desired.generation == deployed.generation + 1)
            assert node.report.faults == []
        # It was away for two rotations, and starts again.
        assert await rotate(installation) == 3
        assert await rotate(installation) == 4
        node = HearingNode(folders[1], address, holder=holder)
        assert node.told.desired.generation == deployed.generation + 1
        async with hearing(node):
            await until(lambda: node.told.desired.generation == deployed.generation + 3)
            assert node.report.faults == []


async def test_with_a_ca_nobody_else_is_believed_not_even_at_first_contact(
    installation: Installation, tmp_path: Path
) -> None:
    holder = await holder_of(installation, "n1", "node", tmp_path / "n1")
    node = HearingNode(tmp_path / "n1", "127.0.0.1:1", holder=holder)
    await node.told.hear(KeyChain().word(desired_state(3, "mine")).told())
    assert node.told.desired.state is None
    assert node.told.refused == {"unknown_key": 1}
    assert "the CA does not vouch for signing key 1" in node.report.faults[0]


async def test_only_an_aggregator_that_the_cloud_has_let_in_assigns(
    installation: Installation, tmp_path: Path
) -> None:
    above = await holder_of(installation, "a1", "aggregator", tmp_path / "a1")
    beside = await holder_of(installation, "n2", "node", tmp_path / "n2")
    node = await holder_of(installation, "n1", "node", tmp_path / "n1")
    vouch = vouch_of(node)
    right = signed_by(above, b"content")
    vouch(right, "a1")
    assert not anchor_of(node)(CONTEXT + b"content", right.signature), "that is the CA's alone"
    changed = control_pb2.SignedAssignments(
        content=b"changed", signature=right.signature, certificates=right.certificates
    )
    issuing = above.identity.issuing
    assert issuing is not None
    by_issuer = control_pb2.SignedAssignments(
        content=b"content",
        signature=sign(key_from_pem(issuing.key_pem, where="here"), CONTEXT + b"content"),
        certificates=right.certificates,
    )
    bare = control_pb2.SignedAssignments(content=b"content")
    for signed, name in (
        (right, "a2"),
        (signed_by(beside, b"content"), "n2"),
        (signed_by(beside, b"content"), "a1"),
        (changed, "a1"),
        (by_issuer, "a1"),
        (bare, "a1"),
    ):
        with pytest.raises(Disbelieved):
            vouch(signed, name)


def assigned_by(
    holder: Holder, state: control_pb2.DesiredState, *, term: int, sequence: int
) -> control_pb2.AttachResponse:
    content = control_pb2.Assignments(
        aggregator=holder.identity.subject.name,
        generation=state.generation,
        term=term,
        sequence=sequence,
        assignments=[control_pb2.Assignment(node="n1", plan=state.grants[0].plan, step="clean", replicas=1)],
    )
    return control_pb2.AttachResponse(assignments=signed_by(holder, content.SerializeToString()))


async def test_an_aggregator_that_was_taken_back_cannot_change_assignments(
    installation: Installation, tmp_path: Path
) -> None:
    gone = await holder_of(installation, "a1", "aggregator", tmp_path / "a1")
    other = await holder_of(installation, "a2", "aggregator", tmp_path / "a2")
    node = HearingNode(
        tmp_path / "n1",
        installation.children,
        holder=await holder_of(installation, "n1", "node", tmp_path / "i"),
    )
    async with hearing(node):
        deployed = await deploy(installation, with_operator())
        await until(lambda: node.told.desired.generation == deployed.generation)
        before = node.told.desired.state
        assert before is not None
        await node.told.hear(assigned_by(gone, before, term=1, sequence=9))
        assert node.report.sequence == 9
        await installation.revoke("a1", role="aggregator")
        await until(lambda: node.told.desired.generation > deployed.generation)
        now = node.told.desired.state
        assert now is not None
        assert (now.grants[0].term, list(now.deposed)) == (2, [gone.identity.key])
        # It may have heard of the new term from whom it likes, or come back from the past.
        for state, term in ((now, 2), (before, 1), (now, 1)):
            await node.told.hear(assigned_by(gone, state, term=term, sequence=99))
            assert node.report.sequence == 9
            assert "was taken back" in node.report.faults[0]
        assert node.told.refused == {"revoked_aggregator": 3}
        await node.told.hear(assigned_by(other, before, term=1, sequence=99))
        assert node.report.sequence == 9, "what was assigned in a former term came too late"
        await node.told.hear(assigned_by(other, now, term=2, sequence=1))
        assert (node.report.term, node.report.sequence, list(node.report.faults)) == (2, 1, [])


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Installation]:
    """A cloud on what is in this folder."""
    free = "127.0.0.1:0"
    settings = CloudSettings(listen=free, children=free, enrol=free, folder=folder, anonymous=True)
    stopping, clock = asyncio.Event(), SetClock()
    async with open_sqlite(folder / STORE_FILE, clock.now_us()) as store:
        admittance = await open_admittance(settings, store.admissions, clock)
        cloud = Cloud(settings, store, clock=clock, admittance=admittance)
        async with asyncio.TaskGroup() as group:
            group.create_task(cloud.run(stopping))
            await cloud.serving.wait()
            yield Installation(cloud, admittance, store, clock)
            stopping.set()


async def test_nodes_follow_a_cloud_whose_store_was_restored_from_before_a_rotation(
    empty_store: Path, tmp_path: Path
) -> None:
    """The restored store knows neither the newest generation nor the newest keys, and then has other plans."""
    folder, backup = tmp_path / "cloud", tmp_path / "backup.sqlite"
    await asyncio.to_thread(folder.mkdir)
    shutil.copy(empty_store, folder / STORE_FILE)
    async with serving(folder) as installation:
        holder = await holder_of(installation, "n1", "node", tmp_path / "n1")
    shutil.copy(folder / STORE_FILE, backup)
    async with (
        serving(folder) as installation,
        hearing(node := HearingNode(tmp_path / "n1", installation.children, holder=holder)),
    ):
        first = await deploy(installation, with_operator())
        for version in (2, 3):
            assert await rotate(installation) == version
        await until(lambda: node.told.desired.generation == first.generation + 2)
    shutil.copy(backup, folder / STORE_FILE)
    async with serving(folder) as installation:
        other = await deploy(installation, with_operator("0.25"))
        async with hearing(node := HearingNode(tmp_path / "n1", installation.children, holder=holder)):
            await until(lambda: node.told.desired.generation > first.generation + 2)
            await until(lambda: not node.report.faults)
            state = node.told.desired.state
            assert state is not None
            assert [plan.id for plan in state.plans] == [other.plan]
            assert [grant.operators[0].resources.cpu_millis for grant in state.grants] == [250]
            versions = [row.version for row in await installation.store.signing_keys()]
            assert versions == [1, 4]
