import os
from pathlib import Path

import pytest

from fog_node.ingest.listener.auth import Users, hash_password
from fogline.model.errors import InvalidInput


def test_a_password_is_known_by_its_hash_alone(tmp_path: Path) -> None:
    line = hash_password("device", b"secret", os.urandom)
    assert "secret" not in line
    file = tmp_path / "users"
    file.write_text(f"# greenhouse\n\n{line}\n")
    users = Users.read(file)
    assert users.admits("device", b"secret")
    assert not users.admits("device", b"Secret")
    assert not users.admits("device", None)
    assert not users.admits("other", b"secret")
    assert not users.admits(None, None)


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hash_password("d", b"x", os.urandom) != hash_password("d", b"x", os.urandom)


@pytest.mark.parametrize("line", ["device", "device:zz:00", "a:b", "device:00:00:00", "device:secret"])
def test_a_line_that_cannot_be_read_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text(f"# comment\n{line}\n")
    with pytest.raises(InvalidInput, match="users:2"):
        Users.read(file)


@pytest.mark.parametrize("user", ["", "a:b", "a\nb"])
def test_what_is_no_user_name_is_refused(user: str) -> None:
    with pytest.raises(InvalidInput):
        hash_password(user, b"x", os.urandom)
