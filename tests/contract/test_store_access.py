"""What every store promises about API tokens."""

import asyncio
from dataclasses import replace

import pytest

from cloud.store.access import KEPT_US, ApiTokenRow, ApiTokens
from cloud.store.store import Store
from fogline.model.caller import PEOPLES, Right
from fogline.model.clock import HOUR
from fogline.model.errors import NotFound
from tests.contract.conftest import OpenStore
from tests.contract.installation import T0

READER = ApiTokenRow(
    id="aaaaaaaa", tenant="main", name="ann", rights=frozenset({Right.READ}), hash=b"h" * 32, created_us=T0
)
FIRST = replace(READER, id="ffffffff", name="first", rights=PEOPLES)


@pytest.fixture
def tokens(store: Store) -> ApiTokens:
    return store.api_tokens


async def test_a_token_is_kept_as_it_was_made(tokens: ApiTokens) -> None:
    row = replace(READER, created_by="ffffffff", expires_us=T0 + HOUR, rights=PEOPLES)
    await tokens.create(row, T0)
    assert await tokens.of("main") == [row]
    assert await tokens.of("other") == []
    _, rows = await tokens.all()
    assert rows == [row]


async def test_every_change_has_another_version_and_a_use_has_none(tokens: ApiTokens) -> None:
    versions = [await tokens.version()]
    await tokens.create(READER, T0)
    versions.append(await tokens.version())
    await tokens.create(replace(READER, id="bbbbbbbb"), T0)
    versions.append(await tokens.version())
    await tokens.note_used({"aaaaaaaa": T0 + 5, "nothing": T0})
    assert await tokens.version() == versions[-1]
    await tokens.revoke("aaaaaaaa", "main", T0)
    versions.append(await tokens.version())
    assert len(set(versions)) == 4
    # What is over goes one day; a process that has seen it must not take what follows for what it knows.
    await tokens.create(replace(READER, id="cccccccc"), T0 + KEPT_US + 1)
    assert await tokens.version() not in versions
    assert {row.id for row in await tokens.of("main")} == {"bbbbbbbb", "cccccccc"}


async def test_the_newest_use_is_kept(tokens: ApiTokens) -> None:
    await tokens.create(READER, T0)
    for at in (T0 + 9, T0 + 5):
        await tokens.note_used({READER.id: at})
    assert [row.used_us for row in await tokens.of("main")] == [T0 + 9]


async def test_a_token_is_closed_within_its_tenant_and_once(tokens: ApiTokens) -> None:
    await tokens.create(READER, T0)
    for name, tenant in ((READER.id, "other"), ("nothing", "main"), ("nothing", None)):
        with pytest.raises(NotFound):
            await tokens.revoke(name, tenant, T0 + 1)
    assert (await tokens.revoke(READER.id, None, T0 + 2)).revoked_us == T0 + 2
    assert (await tokens.revoke(READER.id, "main", T0 + 3)).revoked_us == T0 + 2


async def test_of_many_first_tokens_one_is_kept(open_store: OpenStore) -> None:
    async with open_store() as store:
        rows = [replace(FIRST, id=f"ffffff{number:02}") for number in range(6)]
        said = await asyncio.gather(*(store.api_tokens.create_first(row, T0) for row in rows))
        assert said.count(True) == 1
        assert [row.id for row in await store.api_tokens.of("main")] == [rows[said.index(True)].id]


async def test_a_first_token_is_kept_where_none_with_its_rights_holds(tokens: ApiTokens) -> None:
    await tokens.create(READER, T0)
    assert await tokens.create_first(FIRST, T0)
    assert await tokens.create_first(FIRST, T0)
    assert not await tokens.create_first(replace(FIRST, id="eeeeeeee"), T0)
    await tokens.revoke(FIRST.id, "main", T0)
    assert not await tokens.create_first(FIRST, T0)
    assert await tokens.create_first(replace(FIRST, id="eeeeeeee"), T0)
