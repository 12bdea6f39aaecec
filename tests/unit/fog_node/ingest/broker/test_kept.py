from pathlib import Path

from fog_node.ingest.broker.drops import Drops
from fog_node.ingest.broker.kept import Kept, KeptBroker


async def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    kept = KeptBroker(tmp_path / "brokers", "host:1", "c")
    await kept.load()
    assert kept.state == Kept()
    kept.state = Kept(session=True, subscriptions=("a/+",), drops=Drops(total=3, last=9))
    await kept.save()
    again = KeptBroker(tmp_path / "brokers", "host:1", "c")
    await again.load()
    assert again.state == kept.state
    other = KeptBroker(tmp_path / "brokers", "host:1", "d")
    await other.load()
    assert other.state == Kept()


async def test_a_file_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    kept = KeptBroker(tmp_path, "host:1", "c")
    for content in (b"", b"{", b'{"version": 1, "drops": 3}', b'{"version": 2, "session": true}', b"\xff"):
        kept._path.write_bytes(content)
        await kept.load()
        assert kept.state == Kept()


async def test_only_what_has_changed_is_written(tmp_path: Path) -> None:
    kept = KeptBroker(tmp_path, "host:1", "c")
    await kept.load()
    await kept.save()
    assert not kept._path.exists()
