from pathlib import Path

import pytest

from fog_node.permit import Permit, Permits, covers, read_permits
from fogline.model.errors import InvalidInput


@pytest.mark.parametrize(
    ("prefixes", "topic", "covered"),
    [
        (("#",), "a/{b}/c", True),
        (("a",), "a/{b}/c", True),
        (("a/",), "a/{b}/c", True),
        (("a/#",), "a/{b}/c", True),
        (("a/b",), "a/{b}/c", False),
        (("a/b",), "a/bc", False),
        (("x", "a/b"), "a/b/{c}", True),
        (("a/b/c",), "a/b", False),
        ((), "a", False),
    ],
)
def test_a_prefix_covers_whole_levels(prefixes: tuple[str, ...], topic: str, *, covered: bool) -> None:
    assert covers(prefixes, topic) is covered


def test_without_a_file_main_runs_containers_and_no_processes() -> None:
    permits = read_permits("")
    assert permits.runtimes("main") == ("docker",)
    assert permits.runtimes("other") == ()
    assert read_permits("", allow_process=True).runtimes("main") == ("docker", "process")


def test_processes_are_for_a_node_of_one_tenant() -> None:
    one, two = Permit(name="one", allow_process=True), Permit(name="two")
    assert Permits(by_tenant={"one": one}).runtimes("one") == ("docker", "process")
    assert Permits(by_tenant={"one": one, "two": two}).runtimes("one") == ("docker",)


def test_a_file_says_what_each_tenant_may(tmp_path: Path) -> None:
    file = tmp_path / "permit.toml"
    file.write_text(
        '[[tenants]]\nname = "north"\nread = ["north"]\ncpu = 1.5\nmemory = "256MiB"\nports = [8080]\n'
    )
    assert read_permits(str(file)).of("north") == Permit(
        name="north", read=("north",), cpu=1.5, memory=256 * 1024**2, ports=(8080,)
    )


def test_all_faults_of_a_file_are_told(tmp_path: Path) -> None:
    file = tmp_path / "permit.toml"
    file.write_text('[[tenants]]\nname = "a"\ncores = 1\n[[tenants]]\nread = ["x"]\ncpu = "much"\n')
    with pytest.raises(InvalidInput, match="cores"):
        read_permits(str(file))
    file.write_text('[[tenants]]\nname = "a"\n[[tenants]]\nname = "a"\n')
    with pytest.raises(InvalidInput, match="more than one permit for a"):
        read_permits(str(file))
