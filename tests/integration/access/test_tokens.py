"""What becomes of tokens: at doors, in streams, in other processes, after restarts."""

import asyncio
import stat
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

import fogline
from cloud import admin
from cloud.access import desk as desks
from cloud.access.desk import Desk
from fogline.access.first import FILE
from fogline.access.token import new_api_token, parse_api_token
from fogline.client.aio import connection
from fogline.client.asks import Ask
from fogline.client.errors import Unreachable
from fogline.client.find import Place
from fogline.client.trust import Trust, trust
from fogline.model.caller import PEOPLES, Right
from fogline.model.clock import HOUR, SystemClock
from fogline.model.errors import (
    FogError,
    NotAllowed,
    NotFound,
    TokenExpired,
    TokenMissing,
    TokenRevoked,
    TokenUnknown,
    TooManyAttempts,
)
from fogline.service.throttle import FAILURES, Throttle
from fogline.v1 import access_pb2
from tests.contract.installation import spec
from tests.integration.access.conftest import Guarded

Opened = Callable[..., AbstractAsyncContextManager[Guarded]]
HANG_S = 60.0


async def test_each_token_that_opens_nothing_says_what_is_wrong_with_it(guarded: Guarded) -> None:
    now_us = SystemClock().now_us()
    expired = await guarded.token(Right.READ, expires_us=now_us - 1)
    revoked = await guarded.token(Right.READ)
    await guarded.cloud._store.api_tokens.revoke(revoked.id, "main", now_us)
    await guarded.desk.refresh()
    unknown = new_api_token(guarded.authority)
    for token, error in ((expired, TokenExpired), (revoked, TokenRevoked), (unknown, TokenUnknown)):
        with pytest.raises(error, match=token.id) as told:
            await guarded.client(str(token)).status()
        assert "fogline api-token create" in told.value.hint
    forged = parse_api_token(guarded.admin)
    other = new_api_token(guarded.authority)
    with pytest.raises(TokenUnknown):
        await guarded.client(
            str(type(other)(id=forged.id, fingerprint=other.fingerprint, secret=other.secret))
        ).status()
    assert {code: count for (_, code), count in guarded.desk.refused.items()} == {
        "token_expired": 1,
        "token_revoked": 1,
        "token_unknown": 2,
    }


async def test_a_client_without_a_token_is_told_so_and_without_tls_nothing(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = guarded.folder / "ca" / "ca.pem"
    async with fogline.AsyncClient(guarded.address, ca=ca, timeout=HANG_S) as client:
        with pytest.raises(TokenMissing, match="no API token"):
            await client.status()
    async with fogline.AsyncClient(guarded.address, attempts=1) as plain:
        with pytest.raises(Unreachable, match="no answer"):
            await plain.status()
    monkeypatch.setenv("FOGLINE_TOKEN", guarded.admin)
    async with fogline.AsyncClient(guarded.address) as client:
        assert (await client.whoami()).name == "administrator"

    def blocking() -> str:
        with fogline.Client(guarded.address, ca=ca) as client:
            return client.whoami().name

    assert await asyncio.to_thread(blocking) == "administrator"


async def test_a_token_is_not_shown_to_the_server_of_another_ca(guarded: Guarded) -> None:
    foreign = new_api_token(b"another one's certificate, hashed")
    with pytest.raises(TokenUnknown, match="has another CA than the token"):
        await guarded.client(str(foreign)).status()
    assert not guarded.desk.refused


async def test_a_stream_may_be_the_first_that_asks_how_the_cloud_is_believed(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def noted(place: Place) -> Trust:
        threads.append(threading.get_ident())
        return trust(place)

    monkeypatch.setattr(connection, "trust", noted)
    foreign = str(new_api_token(b"another one's certificate, hashed"))
    for told in (guarded.client(foreign).logs("viewer"), guarded.client(foreign).usage()):
        with pytest.raises(TokenUnknown, match="has another CA than the token"):
            await anext(told)
    async with guarded.client(foreign).follow("greenhouse") as following:
        with pytest.raises(TokenUnknown, match="has another CA than the token"):
            await anext(following)
    await guarded.client(guarded.admin).deploy(spec())
    async with guarded.client(guarded.admin).usage() as usage:
        assert await anext(usage) == ()
    with pytest.raises(NotFound, match="n1"):
        await anext(guarded.client(guarded.admin).exec("n1", "viewer", ["true"]))
    never = guarded.client(guarded.admin).logs("viewer")
    await never.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(never)
    assert threads
    assert threading.get_ident() not in threads, "the loop was blocked for a handshake"


async def test_an_open_stream_ends_with_its_token(guarded: Guarded) -> None:
    admin = guarded.client(guarded.admin)
    await admin.deploy(spec())
    token = await guarded.token(Right.READ)
    following = guarded.client(str(token)).follow("greenhouse")
    url = f"{guarded.rest}/v1/pipelines/greenhouse/results/follow"
    shown = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=HANG_S) as http,
        http.stream("GET", url, headers=shown) as lines,
    ):
        read = lines.aiter_lines()
        await anext(read)
        waiting = asyncio.ensure_future(anext(following))
        while guarded.cloud.services.results.followers.now < 2:  # noqa: ASYNC110 - who follows sends no event
            await asyncio.sleep(0.01)
        await guarded.cloud._store.api_tokens.revoke(token.id, "main", SystemClock().now_us())
        guarded.desk.changed()
        with pytest.raises(TokenRevoked):
            await waiting
        last = [line async for line in read][-1]
        assert '"code":"token_revoked"' in last
    assert guarded.cloud.server.edge.failed == 0


async def test_a_stream_ends_when_its_tokens_time_is_over(guarded: Guarded) -> None:
    await guarded.client(guarded.admin).deploy(spec())
    token = await guarded.token(Right.READ, expires_us=SystemClock().now_us() + 2_000_000)
    with pytest.raises(TokenExpired):
        async with asyncio.timeout(HANG_S):
            await anext(guarded.client(str(token)).follow("greenhouse"))


async def test_a_tenant_sees_and_changes_only_its_own(guarded: Guarded) -> None:
    await guarded.client(guarded.admin).deploy(spec())
    other = guarded.client(str(await guarded.token(*(PEOPLES - {Right.OPERATE}), tenant="other")))
    assert [p async for p in other.pipelines()] == []
    assert [s async for s in other.streams()] == []
    assert [n async for n in other.nodes()] == []
    assert not list(await other.ledger())
    status = await other.status()
    assert (status.nodes, status.aggregators, status.pipelines, status.readings) == ((), (), (), 0)
    for asking in (
        other.pipeline("greenhouse"),
        other.latest("greenhouse", "by_zone"),
        anext(other.follow("greenhouse")),
    ):
        with pytest.raises(NotFound):
            await asking
    # The same name is another pipeline there.
    assert (await other.deploy(spec())).changed
    assert [p.name async for p in other.pipelines()] == ["greenhouse"]


async def test_who_fails_too_often_is_told_to_wait_and_who_has_a_token_is_not(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded.desk, "_throttle", Throttle(again_us=HOUR))
    stranger = guarded.client(str(new_api_token(guarded.authority)))
    for _ in range(FAILURES):
        with pytest.raises(TokenUnknown):
            await stranger.whoami()
    async with httpx.AsyncClient(base_url=guarded.rest, trust_env=False, timeout=HANG_S) as http:
        refused = await http.get("/v1/status")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert int(refused.headers["Retry-After"]) > 0
    token = str(new_api_token(guarded.authority))
    async with fogline.AsyncClient(guarded.address, token=token, attempts=1) as once:
        with pytest.raises(TooManyAttempts):
            await once.whoami()
    assert (await guarded.client(guarded.admin).whoami()).rights


async def test_for_tokens_that_nobody_knows_the_store_is_asked_once_a_while(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than any machine may take for these calls.
    monkeypatch.setattr(desks, "LOOK_AGAIN_US", HOUR)
    desk, asked = Desk(guarded.cloud._store.api_tokens, SystemClock()), list[bool]()
    refresh = desk.refresh

    async def counted() -> None:
        asked.append(True)
        await refresh()

    monkeypatch.setattr(desk, "refresh", counted)
    for _ in range(10):
        with pytest.raises(TokenUnknown):
            await desk.caller(str(new_api_token()), door="grpc", address="a")
    assert len(asked) == 1
    # A token of another process is known at once, all the same.
    token = await guarded.token(Right.READ)
    fresh = Desk(guarded.cloud._store.api_tokens, SystemClock())
    assert (await fresh.caller(str(token), door="grpc", address="a")).key == token.id


async def test_the_first_token_is_in_a_private_file_and_in_no_log(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened() as guarded:
        file, first = guarded.folder / FILE, guarded.admin
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert set((await guarded.client(first).whoami()).rights) == {right.value for right in PEOPLES}
    async with opened() as guarded:
        assert guarded.admin == first
        # Its secret is nowhere in the store, either.
        assert parse_api_token(first).secret not in (guarded.folder / "store.sqlite").read_bytes()
        # Somebody removes the file: the token holds, and no further one is made.
        file.unlink()
    async with opened() as guarded:
        assert not file.exists()
        await guarded.cloud._store.api_tokens.revoke(parse_api_token(first).id, None, SystemClock().now_us())
    async with opened() as guarded:
        assert guarded.admin != first
        assert (await guarded.client(guarded.admin).whoami()).name == "administrator"
    said = "".join(capsys.readouterr())
    assert str(file) in said
    assert "fat1." not in said


async def test_nobody_gives_a_right_that_he_lacks(guarded: Guarded) -> None:
    async def create(token: str, *rights: str, tenant: str = "", name: str = "new") -> access_pb2.ApiToken:
        request = access_pb2.CreateApiTokenRequest(name=name, rights=rights, tenant=tenant, expires_us=HOUR)
        ask = Ask(
            method="AccessService/CreateApiToken",
            request=request,
            answer=access_pb2.CreateApiTokenResponse,
            read=lambda made: made.about,
            repeatable=False,
        )
        made: access_pb2.ApiToken = await guarded.client(token)._connection.do(ask)
        return made

    admitting = str(await guarded.token(Right.ADMIT, Right.READ))
    assert (await create(admitting, "read")).created_by == parse_api_token(admitting).id
    for rights, tenant in ((("deploy",), ""), (("read", "operate"), ""), (("read",), "other")):
        with pytest.raises(NotAllowed):
            await create(admitting, *rights, tenant=tenant)
    for rights_, name in (((), "x"), (("push",), "x"), (("read",), ""), (("read",), "\x1b[2J")):
        with pytest.raises(FogError, match=r"may do|no name"):
            await create(guarded.admin, *rights_, name=name)
    assert (await create(guarded.admin, "read", tenant="other")).tenant == "other"


async def test_an_open_door_is_said_and_never_where_others_come(opened: Opened) -> None:
    async with opened(anonymous=True) as guarded, fogline.AsyncClient(guarded.address) as client:
        assert (await client.whoami()).id == ""
    with pytest.raises(FogError, match="anonymous: not with listen"):
        async with opened(anonymous=True, listen="0.0.0.0:0"):
            pass


async def test_metrics_are_for_this_machine_or_a_token(guarded: Guarded) -> None:
    may = guarded.cloud._entrance.may_scrape
    metrics, reader = await guarded.token(Right.METRICS), await guarded.token(Right.READ)
    assert await may(f"Bearer {metrics}", "10.0.0.1")
    assert not await may(f"Bearer {reader}", "10.0.0.1")
    assert not await may("", "10.0.0.1")


async def test_uses_are_written_down(guarded: Guarded) -> None:
    await guarded.client(guarded.admin).whoami()
    await guarded.desk.note()
    (row,) = await guarded.cloud._store.api_tokens.of("main")
    assert row.used_us is not None


async def test_whoever_has_the_store_makes_a_way_in_again(guarded: Guarded) -> None:
    lost = guarded.admin
    (guarded.folder / FILE).unlink()
    said = await admin.new_token(admin.Where(url="", folder=guarded.folder))
    assert str(guarded.folder / FILE) in said
    assert guarded.admin != lost
    await guarded.desk.refresh()
    assert (await guarded.client(guarded.admin).whoami()).name == "administrator"
