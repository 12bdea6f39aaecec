"""An identity on disk is the old one or the new one, whole, and nobody else reads its key."""

import json
import os
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from fogline.identity.authority_folder import (
    CERTIFICATE_FILE,
    KEY_FILE,
    forget_issued,
    issued,
    note_issued,
    open_authority,
)
from fogline.identity.folder import FOLDER, NotEnrolled, read_identity, write_identity
from fogline.identity.identity import Issuing
from fogline.identity.opening import open_holder
from fogline.model.errors import DataLoss
from tests.unit.fogline.identity.test_renewal import IDENTITY

OTHER = replace(IDENTITY, serial="2", chain_pem=b"other", issuing=Issuing(key_pem=b"i", chain_pem=b"c"))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    for identity in (IDENTITY, OTHER, IDENTITY):
        write_identity(tmp_path, identity)
        assert read_identity(tmp_path, role="node") == identity
    assert len(list(tmp_path.iterdir())) == 2


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    write_identity(tmp_path, OTHER)
    for name in ("key.pem", "issuing-key.pem"):
        assert stat.S_IMODE((tmp_path / FOLDER / name).stat().st_mode) == 0o600
    open_authority(tmp_path / "ca")
    assert stat.S_IMODE((tmp_path / "ca" / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("step", range(1, 20))
def test_a_power_cut_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    write_identity(tmp_path, IDENTITY)
    steps = 0

    class PowerCut(Exception):
        pass

    def cut(real: object) -> object:
        def call(*given: object, **named: object) -> object:
            nonlocal steps
            steps += 1
            if steps == step:
                raise PowerCut
            return real(*given, **named)  # type: ignore[operator] # any function of os

        return call

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", cut(os.fsync))
        patched.setattr("os.open", cut(os.open))
        patched.setattr("shutil.rmtree", lambda *_, **__: None)
        with suppress(PowerCut):
            write_identity(tmp_path, OTHER)
    assert read_identity(tmp_path, role="node") in (IDENTITY, OTHER)
    write_identity(tmp_path, OTHER)
    assert read_identity(tmp_path, role="node") == OTHER


def test_an_identity_that_is_missing_or_another_ones_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled, match="there is no identity") as missing:
        read_identity(tmp_path, role="node")
    assert "fogline node join" in missing.value.hint
    write_identity(tmp_path, IDENTITY)
    with pytest.raises(NotEnrolled, match="identity of the node n1, not of a aggregator"):
        read_identity(tmp_path, role="aggregator")
    with pytest.raises(NotEnrolled, match="settings say name = n2"):
        open_holder(tmp_path, role="node", name="n2")
    assert open_holder(tmp_path, role="node", name="n1").identity == IDENTITY


@pytest.mark.parametrize("spoiled", ["", "[]", "{}", '{"version": 9}', "\x00"])
def test_an_identity_that_cannot_be_read_says_so(tmp_path: Path, spoiled: str) -> None:
    write_identity(tmp_path, IDENTITY)
    (tmp_path / FOLDER / "identity.json").write_text(spoiled)
    with pytest.raises(DataLoss, match="cannot be read"):
        read_identity(tmp_path, role="node")


def test_a_ca_is_made_once_and_one_that_is_damaged_is_not_replaced(tmp_path: Path) -> None:
    first = open_authority(tmp_path)
    assert open_authority(tmp_path).certificate == first.certificate
    other = open_authority(tmp_path / "other")
    note_issued(tmp_path, (other.certificate,))
    assert issued(tmp_path) == [[other.certificate]]
    forget_issued(tmp_path)
    assert issued(tmp_path) == []
    (tmp_path / CERTIFICATE_FILE).write_bytes((tmp_path / "other" / CERTIFICATE_FILE).read_bytes())
    with pytest.raises(DataLoss, match="is not the key of"):
        open_authority(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(DataLoss, match="cannot be read"):
        open_authority(tmp_path)


def test_the_file_about_an_identity_has_no_secret(tmp_path: Path) -> None:
    write_identity(tmp_path, OTHER)
    about = json.loads((tmp_path / FOLDER / "identity.json").read_text())
    assert set(about) == {
        "version",
        "tenant",
        "role",
        "name",
        "serial",
        "key",
        "issued_us",
        "until_us",
        "enrol",
    }
