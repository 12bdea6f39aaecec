"""The keys that sign desired state, on every store: added one by one, followed by machines, mended after a restore."""

from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.catalog import Catalog
from cloud.signing.keyring import Keyring
from cloud.signing.seal import Seal, is_open
from cloud.signing.signer import Signer, Vouching
from cloud.store.book import Overtaken
from cloud.store.signing import SigningRow
from fogline.control.keys import SigningKey, key_to_wire, keys_from_wire
from fogline.control.word import Believed, judge
from fogline.model.errors import DataLoss
from fogline.testing.clock import ManualClock
from fogline.v1 import control_pb2
from tests.contract.installation import Installation


class Authority:
    """A CA, as far as signing keys need one."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()

        def signed(content: bytes, signature: bytes) -> bool:
            try:
                public.verify(signature, content, ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                return False
            return True

        self.vouching = Vouching(
            sign=lambda content: key.sign(content, ec.ECDSA(hashes.SHA256())), signed=signed
        )

    def signer(self) -> Signer:
        return Signer(Seal(b"the CA's private key"), self.vouching)


class Process:
    """The part of a cloud process that signs."""

    def __init__(self, installation: Installation, signer: Signer | None = None) -> None:
        self.store = installation.store
        signer = signer or Signer()
        self.catalog = Catalog(signer)
        self.keyring = Keyring(self.store, self.catalog, signer, ManualClock(7))

    async def open(self) -> "Process":
        await self.keyring.open()
        await self.catalog.refresh(self.store)
        return self


class Machine:
    """Somebody who is told."""

    def __init__(self, authority: Authority | None = None) -> None:
        self.anchor = authority.vouching.signed if authority else None
        self.believed: Believed | None = None

    def hear(self, process: Process) -> int:
        word = process.catalog.desired.word
        assert word is not None
        before = self.believed
        found = judge(
            word.told(),
            known=before.key if before else None,
            held=before.word if before else None,
            anchor=self.anchor,
        )
        self.believed = found or before
        assert self.believed is not None
        return self.believed.word.generation


async def test_the_first_process_makes_a_key_and_the_others_use_it(installation: Installation) -> None:
    one, other = await Process(installation).open(), await Process(installation).open()
    machine = Machine()
    generation = machine.hear(one)
    await installation.deploy()
    await other.catalog.refresh(other.store)
    assert machine.hear(other) >= generation
    assert [row.version for row in await one.keyring.all()] == [1]


async def test_a_rotation_by_one_process_is_followed_by_all(installation: Installation) -> None:
    one, other = await Process(installation).open(), await Process(installation).open()
    machine, away = Machine(), Machine()
    machine.hear(one)
    away.hear(one)
    before = one.catalog.desired.generation
    for version in (2, 3, 4):
        assert (await one.keyring.rotate()).version == version
    assert one.catalog.desired.generation == before + 3
    machine.hear(one)
    await other.catalog.refresh(other.store)
    assert away.hear(other) == before + 3
    assert away.believed is not None
    assert away.believed.key.version == 4
    machine.hear(other)


async def test_of_two_rotations_at_once_one_is_refused(installation: Installation) -> None:
    process = await Process(installation).open()
    (first,) = await process.keyring.all()
    row = Signer().next([first], 7)
    await installation.store.add_signing_key(row, over=1)
    with pytest.raises(Overtaken):
        await installation.store.add_signing_key(row, over=1)


async def test_with_a_ca_the_store_alone_signs_nothing(installation: Installation) -> None:
    authority = Authority()
    process = await Process(installation, authority.signer()).open()
    await process.keyring.rotate()
    Machine(authority).hear(process)
    for row in await process.keyring.all():
        assert not is_open(row.private)
        for seal in (Seal(), Seal(b"another secret")):
            with pytest.raises(DataLoss):
                seal.open(row.private, row.version)
    with pytest.raises(DataLoss):
        await Process(installation, Signer(Seal(b"another secret"), authority.vouching)).open()


async def test_a_sealed_key_stands_in_its_own_row_only(installation: Installation) -> None:
    process = await Process(installation, Authority().signer()).open()
    (row,) = await process.keyring.all()
    with pytest.raises(DataLoss):
        Seal(b"the CA's private key").open(row.private, 2)


async def test_when_a_ca_comes_a_key_comes_that_it_vouches_for(installation: Installation) -> None:
    without = await Process(installation).open()
    pinned = Machine()
    pinned.hear(without)
    authority = Authority()
    process = await Process(installation, authority.signer()).open()
    Machine(authority).hear(process)
    pinned.anchor = authority.vouching.signed
    pinned.hear(process)
    assert not is_open((await process.keyring.all())[-1].private)


async def test_machines_follow_again_after_a_backup_was_restored(installation: Installation) -> None:
    """The machine knows keys 1 to 3, and the restored store key 1."""
    authority = Authority()
    process = await Process(installation, authority.signer()).open()
    lost: list[SigningRow] = list(await process.keyring.all())
    for _ in range(2):
        lost.append(authority.signer().next(lost, 7))
    word = authority.signer().word(state_of(process, generation=90), lost)
    machine = Machine(authority)
    machine.believed = judge(word.told(), known=None, held=None, anchor=machine.anchor)
    assert machine.believed is not None
    await process.keyring.astray(machine.believed.word.keys)
    assert [row.version for row in await process.keyring.all()] == [1, 4]
    await installation.store.raise_generation(90)
    await process.catalog.refresh(process.store)
    assert machine.hear(process) > 90
    await process.keyring.astray(machine.believed.word.keys)
    assert len(await process.keyring.all()) == 2, "whoever follows is not astray"


async def test_keys_that_the_ca_does_not_vouch_for_change_nothing(installation: Installation) -> None:
    authority = Authority()
    process = await Process(installation, authority.signer()).open()
    (first,) = await process.keyring.all()
    made_up = SigningKey(version=4_000_000_000, public=bytes(32), signature=bytes(64))
    stranger = Authority().signer().first(7)
    for known in (
        [made_up],
        [SigningKey(version=9, public=stranger.public, signature=stranger.signature)],
        [SigningKey(version=1, public=first.public, signature=first.signature), replace(made_up, version=2)],
        [SigningKey(version=1, public=first.public, signature=first.signature)],
    ):
        await process.keyring.astray([key_to_wire(key) for key in known])
        assert len(await process.keyring.all()) == 1
    without = Keyring(process.store, process.catalog, Signer(), ManualClock(7))
    await without.astray([key_to_wire(made_up)])
    assert len(keys_from_wire([key_to_wire(made_up)])) == 1


def state_of(process: Process, *, generation: int) -> control_pb2.DesiredState:
    state = process.catalog.desired.state
    assert state is not None
    state.generation = generation
    return state
