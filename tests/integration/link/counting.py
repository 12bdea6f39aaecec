"""What a store of counted messages must hold."""

from fogline.model.part import Origin
from fogline.testing.lane import key_of
from fogline.testing.store import MemoryStore


def assert_each_counts_once(store: MemoryStore, origins: list[Origin], messages: int) -> None:
    expected = {("each", key_of(origin), n): 1 for origin in origins for n in range(messages)}
    assert store.readings == expected
