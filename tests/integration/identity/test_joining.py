"""From a token to an identity, against a real cloud over TLS."""

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

import grpc
import pytest

from cloud.identity.admittance import open_admittance
from cloud.identity.authority import AuthorityDiffers
from cloud.settings import CloudSettings
from fogline.identity.authority import make_root
from fogline.identity.authority_folder import open_authority
from fogline.identity.doors import REQUEST_BYTES, JoiningDoor
from fogline.identity.folder import read_identity, write_identity
from fogline.identity.holder import Holder
from fogline.identity.issuing import make_identity
from fogline.identity.joining import Keys, renew
from fogline.identity.keys import new_key
from fogline.identity.names import Subject, parent_name
from fogline.identity.renewal import Renewing, asking
from fogline.identity.token import hash_of, new_token, parse_token
from fogline.model.clock import DAY, HOUR, MINUTE
from fogline.model.errors import FogError, InvalidInput, NotAllowed, Unavailable
from fogline.service.server import Server
from fogline.testing.until import until
from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc, control_pb2, control_pb2_grpc, enrol_pb2, enrol_pb2_grpc
from tests.contract.installation import spec
from tests.integration.control.told import HearingNode, hearing
from tests.integration.identity.calls import attached, pushed, with_authority_of
from tests.integration.identity.conftest import Installation, SetClock


async def test_whoever_has_a_token_joins_and_may_push_and_attach(installation: Installation) -> None:
    joined = await installation.joined("greenhouse-1")
    identity = joined.identity
    assert str(identity.subject) == "node greenhouse-1"
    assert joined.parents == (installation.children,)
    assert abs(joined.ahead_us) < HOUR
    assert await pushed(installation.children, identity) == "cloud"
    assert await attached(installation.children, identity) == ""


async def test_a_token_is_good_for_one_machine(installation: Installation) -> None:
    token, keys = await installation.token(), Keys(own=new_key())
    await installation.use(token, keys=keys)
    with pytest.raises(FogError, match="by another machine") as refused:
        await installation.use(token)
    assert refused.value.code == "token_refused"
    assert "fogline node revoke n1" in refused.value.hint
    # Its answer may have been lost on the way.
    assert (await installation.use(token, keys=keys)).identity.subject.name == "n1"


async def test_a_key_that_was_taken_back_does_not_come_in_by_its_token(installation: Installation) -> None:
    token, keys = await installation.token(), Keys(own=new_key())
    await installation.use(token, keys=keys)
    await installation.revoke("n1")
    with pytest.raises(FogError, match="the identity that this token brought was revoked"):
        await installation.use(token, keys=keys)


async def test_tokens_that_open_nothing_say_why(installation: Installation, clock: SetClock) -> None:
    authority = parse_token(await installation.token()).authority
    with pytest.raises(FogError, match="nobody here knows this token"):
        await installation.use(str(new_token("main", authority)))
    with pytest.raises(FogError, match="is for node n1, and other wants to join"):
        await installation.use(await installation.token(), name="other")
    with pytest.raises(FogError, match="is for a node, and an aggregator wants to join"):
        await installation.use(await installation.token(), role="aggregator")
    with pytest.raises(FogError, match="not a whole join token"):
        await installation.use((await installation.token())[:-1])
    token = await installation.token(expires_us=2 * MINUTE)
    clock.ahead_us = 3 * MINUTE
    with pytest.raises(FogError, match="expired at"):
        await installation.use(token)


async def test_a_revoked_token_opens_nothing(installation: Installation) -> None:
    token = await installation.token()
    digest = hash_of(parse_token(token).secret).hex()[:8]
    request = enrol_pb2.RevokeTokenRequest(id=digest)
    async with channel_to(installation.cloud.server.address) as channel:
        stub = enrol_pb2_grpc.AdmissionServiceStub(channel)
        assert (await stub.RevokeToken(request, timeout=30)).about.revoked_us
        listed = (await stub.ListTokens(enrol_pb2.ListTokensRequest(), timeout=30)).tokens
        assert [(each.id, each.name, bool(each.revoked_us)) for each in listed] == [(digest, "n1", True)]
        with pytest.raises(grpc.aio.AioRpcError, match="there is no token beef"):
            await stub.RevokeToken(enrol_pb2.RevokeTokenRequest(id="beef"), timeout=30)
    with pytest.raises(FogError, match="was revoked"):
        await installation.use(token)


async def test_secrets_of_tokens_are_nowhere_on_the_disk(installation: Installation, tmp_path: Path) -> None:
    token = await installation.token()
    await installation.use(token)
    secret = parse_token(token).secret
    texts = await asyncio.to_thread(_contents, tmp_path)
    assert texts
    assert not any(secret in text or token.split(".")[3].encode() in text for text in texts)


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_a_server_with_another_ca_is_not_told_the_secret(installation: Installation) -> None:
    token = new_token("main", b"x" * 32)
    with pytest.raises(FogError, match="has another CA than the token"):
        await installation.use(str(token))


async def test_who_is_no_enrolment_port_is_said(installation: Installation) -> None:
    token = await installation.token()
    with pytest.raises(Unavailable, match="does not answer as Fogline's enrolment port"):
        await installation.use(token, at=installation.cloud.server.address)
    with pytest.raises(Unavailable, match="nobody answers at 127"):
        await installation.use(token, at="127.0.0.1:1")
    with pytest.raises(InvalidInput, match="is not an address"):
        await installation.use(token, at="cloud")


async def test_strangers_do_not_get_through(installation: Installation, clock: SetClock) -> None:
    known = (await installation.joined()).identity
    foreign = make_identity(make_root("else"), known.subject, now_us=clock.now_us())
    # Each side refuses the other.
    assert "is of another CA than this machine's" in await pushed(installation.children, foreign)
    assert (await pushed(installation.children, with_authority_of(foreign, known))).startswith("UNAVAILABLE")
    async with channel_to(installation.children) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await enrol_pb2_grpc.EnrolServiceStub(channel).Renew(enrol_pb2.RenewRequest(), timeout=30)


async def test_a_stranger_is_not_given_memory(installation: Installation) -> None:
    authority = (await installation.joined()).identity.authority_pem
    credentials = grpc.ssl_channel_credentials(authority)
    expected = ("grpc.ssl_target_name_override", parent_name("main"))
    async with grpc.aio.secure_channel(installation.enrol, credentials, options=(expected,)) as channel:
        stub = enrol_pb2_grpc.EnrolServiceStub(channel)
        many = enrol_pb2.RenewRequest(certificates=[b""] * REQUEST_BYTES)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Renew(many, timeout=30)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpc.aio.AioRpcError, match="shows 1 to 4 certificates"):
            await stub.Renew(enrol_pb2.RenewRequest(certificates=[b""] * 1000), timeout=30)


async def test_a_clock_beyond_the_certificates_is_said(installation: Installation, clock: SetClock) -> None:
    identity = (await installation.joined()).identity
    clock.ahead_us = -200 * DAY
    installation.admittance.renew_own()
    assert "is the clock right?" in await pushed(installation.children, identity)


async def test_a_parent_of_another_tenant_or_of_none_is_no_parent(
    installation: Installation, clock: SetClock, tmp_path: Path
) -> None:
    identity = (await installation.joined()).identity
    authority = await asyncio.to_thread(open_authority, tmp_path / "cloud" / "ca")
    elsewhere = Subject(tenant="other", role="node", name="n1")
    stranger = make_identity(authority, elsewhere, now_us=clock.now_us())
    async with Server(listen="127.0.0.1:0", door=JoiningDoor(Holder(stranger))) as server:
        assert "no parent of this machine's tenant" in await pushed(server.address, identity)
    async with Server(listen="127.0.0.1:0") as server:
        assert "speaks plain text" in await pushed(server.address, identity)


async def test_a_copied_card_shows_in_the_nodes_status(installation: Installation) -> None:
    identity = (await installation.joined("n1")).identity
    for at in range(1, 4):
        for instance in ("one", "two"):
            await attached(installation.children, identity, instance=instance, at_us=at)
    async with channel_to(installation.cloud.server.address) as channel:
        stub = api_pb2_grpc.NodeServiceStub(channel)
        node = (await stub.GetNode(api_pb2.GetNodeRequest(name="n1"), timeout=30)).node
    assert sum("two machines use the identity" in fault for fault in node.report.faults) == 1


async def test_a_node_that_was_taken_back_or_whose_clock_is_wrong_shows_it(
    installation: Installation, clock: SetClock
) -> None:
    identity = (await installation.joined("n1")).identity
    behind_us = 3 * DAY
    await attached(installation.children, identity, at_us=clock.now_us() - behind_us)
    async with channel_to(installation.cloud.server.address) as channel:
        stub = api_pb2_grpc.NodeServiceStub(channel)
        asked = api_pb2.GetNodeRequest(name="n1")
        (fault,) = (await stub.GetNode(asked, timeout=30)).node.report.faults
        assert fault.startswith("its clock is 3 days, 0:00:0")
        assert "behind the cloud's" in fault
        await installation.revoke("n1")

        async def shows() -> bool:
            faults = (await stub.GetNode(asked, timeout=30)).node.report.faults
            return any("the identity of node n1 was revoked" in one for one in faults)

        async with asyncio.timeout(60):
            while not await shows():  # noqa: ASYNC110 - the cloud is asked
                await asyncio.sleep(0.05)
        await installation.joined("n1")
        async with asyncio.timeout(60):
            while await shows():  # noqa: ASYNC110 - the cloud is asked
                await asyncio.sleep(0.05)


async def test_a_child_has_the_name_of_its_certificate(installation: Installation) -> None:
    identity = (await installation.joined("n1")).identity
    children = installation.children
    refusal = "PERMISSION_DENIED: the certificate is that of node n1, and the caller says"
    assert (await pushed(children, identity, name="n2")).startswith(f"{refusal} n2")
    assert (await attached(children, identity, name="n2")).startswith(f"{refusal} node n2")
    assert (await attached(children, identity, role="aggregator")).startswith(f"{refusal} aggregator n1")
    assert "may not report of node n2" in await attached(children, identity, report_of="n2")


async def test_a_new_machine_of_a_name_takes_it_over(installation: Installation) -> None:
    older = (await installation.joined("n1")).identity
    newer = (await installation.joined("n1")).identity
    assert "was revoked" in await pushed(installation.children, older)
    assert await pushed(installation.children, newer) == "cloud"


async def test_an_identity_is_renewed_for_its_key_alone(installation: Installation, clock: SetClock) -> None:
    first = (await installation.joined()).identity
    children = (installation.children,)
    clock.ahead_us = 40 * DAY
    fresh = await renew(first, parents=children, dial=Holder(first).dial, now_us=clock.now_us())
    assert (fresh.key, fresh.subject, fresh.key_pem) == (first.key, first.subject, first.key_pem)
    assert fresh.serial != first.serial
    assert fresh.until_us > first.until_us
    assert await pushed(installation.children, fresh) == "cloud"


async def test_a_running_machine_renews_by_itself(
    installation: Installation, clock: SetClock, tmp_path: Path
) -> None:
    first = (await installation.joined()).identity
    holder, folder = Holder(first), tmp_path / "n1"
    await asyncio.to_thread(write_identity, folder, first)
    clock.ahead_us = 60 * DAY
    ask = asking(holder, (installation.children,), clock)
    renewing = Renewing(holder, folder, ask=ask, clock=clock, rng=Random(5))
    task = asyncio.ensure_future(renewing.run())
    try:
        await until(lambda: holder.identity.serial != first.serial, within=30)
    finally:
        task.cancel()
    assert await asyncio.to_thread(read_identity, folder, role="node") == holder.identity
    assert await pushed(installation.children, holder.identity) == "cloud"


async def test_an_identity_that_has_ended_is_renewed_where_it_joined(
    installation: Installation, clock: SetClock
) -> None:
    clock.ahead_us = -200 * DAY
    ended = (await installation.joined()).identity
    assert (await pushed(installation.children, ended)).startswith("UNAVAILABLE")
    clock.ahead_us = 0
    installation.admittance.renew_own()
    fresh = await renew(
        ended, parents=(installation.children,), dial=Holder(ended).dial, now_us=clock.now_us()
    )
    assert await pushed(installation.children, fresh) == "cloud"
    await installation.revoke("n1")
    with pytest.raises(FogError, match="was revoked") as refused:
        await renew(ended, parents=(), dial=Holder(ended).dial, now_us=clock.now_us())
    assert refused.value.code == "certificate_revoked"


async def test_a_renewal_needs_the_key(installation: Installation, clock: SetClock) -> None:
    identity = (await installation.joined()).identity
    thief = make_identity(make_root("thief"), identity.subject, now_us=clock.now_us(), enrol=identity.enrol)
    stolen = with_authority_of(thief, identity)
    for certificate, words in ((thief.chain_pem, "of another CA"), (identity.chain_pem, "does not have the")):
        shown = replace(stolen, chain_pem=certificate)
        with pytest.raises(NotAllowed, match=words):
            await renew(shown, parents=(), dial=Holder(shown).dial, now_us=clock.now_us())


async def test_a_cloud_with_another_ca_does_not_start_on_the_store(
    installation: Installation, tmp_path: Path, clock: SetClock
) -> None:
    other = CloudSettings(folder=tmp_path / "other")
    with pytest.raises(AuthorityDiffers, match="is not the one that this store's machines trust"):
        await open_admittance(other, installation.store.admissions, clock)
    same = CloudSettings(folder=tmp_path / "other", authority=str(tmp_path / "cloud" / "ca"), name="second")
    second = await open_admittance(same, installation.store.admissions, clock)
    await installation.joined()
    await installation.revoke("n1")
    await second.board.refresh()
    assert len(second.board.list.keys) == 1


async def test_who_a_token_is_for_must_be_a_name(installation: Installation) -> None:
    for name in ("", "../etc", "a b", "x" * 65):
        with pytest.raises(InvalidInput, match="is no name for a machine"):
            await installation.token(name)
    with pytest.raises(InvalidInput, match="cannot join"):
        await installation.token(role="cloud")
    with pytest.raises(InvalidInput, match="1 minute to 30 days"):
        await installation.token(expires_us=0)
    with pytest.raises(FogError, match="no node n7 has an identity"):
        await installation.revoke("n7")


async def test_a_stream_ends_with_the_certificate_it_was_opened_with(
    installation: Installation, clock: SetClock
) -> None:
    identity = (await installation.joined()).identity
    async with Holder(identity).dial(installation.children) as channel:
        call = control_pb2_grpc.ControlServiceStub(channel).Attach(timeout=60)
        report = control_pb2.NodeReport(node="n1", at_us=1)
        await call.write(control_pb2.AttachRequest(protocol=1, child="n1", role="node", nodes=[report]))
        assert await call.read() is not grpc.aio.EOF
        installation.cloud.end_expired(identity.until_us - 1)
        clock.ahead_us = 91 * DAY
        installation.cloud.end_expired(clock.now_us())
        assert "the certificate of n1 has ended" in await call.details()
        again = control_pb2_grpc.ControlServiceStub(channel).Attach(timeout=60)
        with pytest.raises(grpc.aio.AioRpcError, match="the certificate of node n1 has ended"):
            await again.read()


async def test_who_has_renewed_goes_on_when_the_certificate_before_ends(
    installation: Installation, clock: SetClock, tmp_path: Path
) -> None:
    first = (await installation.joined()).identity
    node = HearingNode(tmp_path / "n1", installation.children, holder=Holder(first))
    assert node.holder is not None
    async with hearing(node):
        await until(lambda: node.client.attached, within=60)
        clock.ahead_us = 50 * DAY
        node.holder.replace(
            await renew(first, parents=(installation.children,), dial=node.holder.dial, now_us=clock.now_us())
        )
        clock.ahead_us = 91 * DAY
        installation.cloud.end_expired(clock.now_us())
        async with channel_to(installation.cloud.server.address) as channel:
            request = api_pb2.DeployRequest(spec=spec())
            stub = api_pb2_grpc.PipelineServiceStub(channel)
            deployed = await stub.Deploy(request, timeout=60)
        await until(lambda: node.told.desired.generation == deployed.generation, within=60)
