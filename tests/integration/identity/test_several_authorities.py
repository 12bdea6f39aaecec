"""Machines trust two CAs at once: each other's certificates hold whichever of them has signed."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from cloud.store.opening import STORE_FILE
from fogline.control.servicer import ControlServicer
from fogline.identity.authority import Authority, make_root
from fogline.identity.authority_folder import TRUSTED_FILE, open_authority
from fogline.identity.certificates import to_pem
from fogline.identity.doors import ChildrenDoor
from fogline.identity.holder import Holder
from fogline.identity.issuing import make_identity
from fogline.identity.joining import renew
from fogline.identity.keys import sign
from fogline.identity.names import Subject
from fogline.identity.trusting import roots_of
from fogline.identity.vouching import anchor_of
from fogline.model.clock import SystemClock
from fogline.service.server import Server
from fogline.testing.control import MemoryHub, desired_state
from fogline.v1 import control_pb2_grpc
from tests.integration.control.told import aggregating
from tests.integration.identity.calls import attached, pushed
from tests.integration.identity.test_signing import serving


def parent_of(authority: Authority) -> Server:
    """A cloud whose certificate is of this CA."""
    clock = SystemClock()
    subject = Subject(tenant="main", role="cloud", name="next")
    holder = Holder(make_identity(authority, subject, now_us=clock.now_us()))
    server = Server(
        listen="127.0.0.1:0",
        door=ChildrenDoor(holder, revoked=lambda _: False, clock=clock),
        grace_s=0.2,
    )
    servicer = ControlServicer(MemoryHub(desired_state(1)))
    server.add(
        "fogline.v1.ControlService",
        lambda grpc_server: control_pb2_grpc.add_ControlServiceServicer_to_server(servicer, grpc_server),
        end=servicer.end_streams,
    )
    return server


async def test_a_ca_that_is_announced_is_trusted_after_the_next_renewal(
    empty_store: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cloud"
    await asyncio.to_thread(folder.mkdir)
    shutil.copy(empty_store, folder / STORE_FILE)
    async with serving(folder) as installation:
        before = (await installation.joined("n1")).identity
        hall = (await installation.joined("hall", role="aggregator")).identity
    old, new = open_authority(folder / "ca"), make_root("next")
    assert roots_of(before.authority_pem) == (old.root,)
    (folder / "ca" / TRUSTED_FILE).write_bytes(to_pem((new.root,)))
    now_us = SystemClock().now_us()
    async with (
        serving(folder) as installation,
        aggregating(tmp_path / "hall", installation.children, name="hall", holder=Holder(hall)) as below,
        parent_of(replace(new, beside=(old.root,))) as following,
    ):
        # Through an aggregator that has not heard of it itself.
        parents = (f"127.0.0.1:{below.server.port}",)
        after = await renew(before, parents=parents, dial=Holder(before).dial, now_us=now_us)
        joined = (await installation.joined("n2")).identity
        for identity in (after, joined):
            assert roots_of(identity.authority_pem) == (old.root, new.root)
            assert await pushed(installation.children, identity) == "cloud"
            assert await attached(following.address, identity) == ""
            assert anchor_of(Holder(identity))(b"said", sign(new.key, b"said"))
        assert await attached(following.address, before) != "", "it knows nothing of that CA"
        by_new = make_identity(replace(new, beside=(old.root,)), after.subject, now_us=now_us)
        assert await pushed(installation.children, replace(by_new, enrol=())) == "cloud"
