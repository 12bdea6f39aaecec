from pathlib import Path

import pytest

from cloud.settings import CloudSettings
from fogline.service.settings import InvalidSettings, load


def test_a_cloud_has_both_roles_unless_told(tmp_path: Path) -> None:
    assert CloudSettings(folder=tmp_path).roles == ("commit", "api")


def test_a_role_may_be_named(tmp_path: Path) -> None:
    flags = {"--folder": str(tmp_path), "--roles": "commit"}
    assert load(CloudSettings, tier="cloud", flags=flags).roles == ("commit",)


@pytest.mark.parametrize(("roles", "word"), [("commit,cook", "cook"), ("", "empty")])
def test_a_role_that_nobody_knows_is_refused_with_those_that_are(
    tmp_path: Path, roles: str, word: str
) -> None:
    with pytest.raises(InvalidSettings, match=word) as refused:
        load(CloudSettings, tier="cloud", flags={"--folder": str(tmp_path), "--roles": roles})
    assert "known are commit, api" in str(refused.value)


def test_the_stores_password_is_not_shown_with_the_settings(tmp_path: Path) -> None:
    settings = CloudSettings(folder=tmp_path, store="postgresql://fog:hush@db/fog")
    assert "hush" not in repr(settings)
