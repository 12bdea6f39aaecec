"""What every store promises about who belongs to the installation."""

import asyncio

import pytest

from cloud.store.admissions import Admissions, Heard, JoinedKey
from cloud.store.store import Store
from fogline.identity.names import Subject
from fogline.identity.token import TokenRefused, hash_of, id_of
from fogline.model.clock import HOUR, SECOND
from fogline.model.errors import NotFound
from tests.contract.conftest import OpenStore
from tests.contract.installation import T0

N1 = Subject(tenant="main", role="node", name="n1")
TOKEN = hash_of(b"secret")


@pytest.fixture
async def admissions(store: Store) -> Admissions:
    assert await store.admissions.adopt(b"ca") == b"ca"
    await store.admissions.create_token(N1, TOKEN, now_us=T0, expires_us=T0 + HOUR)
    return store.admissions


async def redeem(admissions: Admissions, key: str, *, digest: bytes = TOKEN, now_us: int = T0) -> Subject:
    return await admissions.redeem(
        digest, role="node", name="", key=key, issuing_key="", at="cloud", now_us=now_us
    )


def heard(key: str, *, at_us: int = T0, token: bytes = TOKEN) -> Heard:
    joined = JoinedKey(key=key, subject=N1, serial=f"of {key}", until_us=T0 + HOUR)
    return Heard(joined=joined, token=token, by="hall", at_us=at_us)


async def revoked(admissions: Admissions) -> frozenset[str]:
    return (await admissions.standing(T0)).revoked


async def test_the_first_ca_stays(store: Store) -> None:
    said = await asyncio.gather(*(store.admissions.adopt(name) for name in (b"one", b"two", b"three")))
    assert len(set(said)) == 1


async def test_of_many_who_have_a_token_one_gets_in(admissions: Admissions) -> None:
    keys = [f"key {number}" for number in range(8)]
    said = await asyncio.gather(*(redeem(admissions, key) for key in keys), return_exceptions=True)
    assert [answer for answer in said if not isinstance(answer, TokenRefused)] == [N1]
    [row] = await admissions.tokens("main")
    assert row.known.used_key == keys[said.index(N1)]
    assert row.used_at == "cloud"


async def test_every_change_has_a_higher_version_and_what_is_over_is_not_open(admissions: Admissions) -> None:
    before = await admissions.version()
    assert [token.hash for token in (await admissions.standing(T0)).open] == [TOKEN]
    assert (await admissions.standing(T0 + HOUR)).open == ()
    await redeem(admissions, "a")
    assert await admissions.version() > before
    assert (await admissions.standing(T0)).open == ()


async def test_a_version_is_never_lower_than_before_a_restore(open_store: OpenStore) -> None:
    """A list of an older store must not look newer than one of what came after its backup, and the next one must."""
    async with open_store() as store, open_store("restored") as restored:
        for each in (store, restored):
            await each.admissions.adopt(b"ca")
        for number in range(5):
            await store.admissions.create_token(N1, bytes([number]), now_us=T0, expires_us=T0 + HOUR)
        later = T0 + SECOND
        await restored.admissions.create_token(N1, TOKEN, now_us=later, expires_us=T0 + HOUR)
        assert await restored.admissions.version() > await store.admissions.version()


async def test_a_name_goes_over_to_the_machine_that_joins_anew(admissions: Admissions) -> None:
    await redeem(admissions, "a")
    other = hash_of(b"other")
    await admissions.create_token(N1, other, now_us=T0, expires_us=T0 + HOUR)
    await redeem(admissions, "b", digest=other)
    assert await revoked(admissions) == {"a"}
    with pytest.raises(TokenRefused, match="was revoked"):
        await redeem(admissions, "a")


async def test_a_name_that_is_revoked_has_no_key_and_no_open_token(admissions: Admissions) -> None:
    await admissions.note([heard("a").joined], T0)
    assert await admissions.revoke(N1, T0) == ("a",)
    assert await revoked(admissions) == {"a"}
    with pytest.raises(TokenRefused, match="was revoked"):
        await redeem(admissions, "b")
    with pytest.raises(NotFound):
        await admissions.revoke(N1, T0)
    # A late word of its certificate changes nothing.
    await admissions.note([heard("a").joined], T0)
    assert await revoked(admissions) == {"a"}


async def test_what_an_aggregator_issued_counts_unless_somebody_came_first(admissions: Admissions) -> None:
    assert await admissions.hear([heard("a"), heard("a", token=b"")], T0) == ()
    assert await admissions.hear([heard("a")], T0) == ()
    assert await admissions.hear([heard("b")], T0) == ("b",)
    assert await admissions.hear([heard("c", token=b"unknown")], T0) == ("c",)
    assert await revoked(admissions) == {"b", "c"}
    [row] = await admissions.tokens("main")
    assert (row.used_at, row.known.used_key) == ("hall", "a")


async def test_a_token_that_was_closed_counts_only_for_who_came_before(admissions: Admissions) -> None:
    await admissions.revoke_token("main", id_of(TOKEN), T0 + 10)
    assert await admissions.hear([heard("late", at_us=T0 + 10)], T0 + 20) == ("late",)
    assert await admissions.hear([heard("early", at_us=T0 + 9)], T0 + 20) == ()
    with pytest.raises(NotFound):
        await admissions.revoke_token("other", id_of(TOKEN), T0)


async def test_taking_back_an_aggregator_deposes_it(store: Store, admissions: Admissions) -> None:
    hall = Subject(tenant="main", role="aggregator", name="hall")
    before = await store.shelf()
    for number in (1, 2):
        digest = hash_of(f"hall {number}".encode())
        await admissions.create_token(hall, digest, now_us=T0, expires_us=T0 + HOUR)
        await admissions.redeem(
            digest,
            role="aggregator",
            name="",
            key=f"h{number}",
            issuing_key=f"s{number}",
            at="cloud",
            now_us=T0,
        )
    replaced = await store.shelf()
    assert (replaced.term, replaced.deposed) == (before.term + 1, ("h1",)), "another machine has its name"
    assert replaced.generation > before.generation
    await admissions.revoke(hall, T0)
    revoked = await store.shelf()
    assert (revoked.term, revoked.deposed) == (before.term + 2, ("h1", "h2"))
    assert revoked.edition > replaced.edition
    await redeem(admissions, "a")
    await admissions.revoke(N1, T0)
    assert (await store.shelf()).generation == revoked.generation, "nodes assign nothing"


async def test_a_term_ends_once_however_many_say_so(store: Store) -> None:
    before = await store.shelf()
    said = await asyncio.gather(*(store.raise_term(before.term) for _ in range(4)))
    assert set(said) == {before.term + 1}
    after = await store.shelf()
    assert (after.term, after.generation) == (before.term + 1, before.generation + 1)
