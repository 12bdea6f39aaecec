"""The link to what runs."""

import os
from pathlib import Path

import pytest

from fogline.cli.update.environments import Environments


def test_a_release_is_on_the_disk_before_the_link_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments, at_sync = Environments(tmp_path), []
    (tmp_path / "current").symlink_to("a")
    monkeypatch.setattr(os, "sync", lambda: at_sync.append(environments.current))
    environments.switch("b", trial=True)
    assert (at_sync, environments.current) == (["a"], "b")
    environments.switch("a", trial=False)
    assert environments.current == "a"
