"""What a process does beside running its tier."""

import gc

from fogline.service.run import set_aside


class Ring:
    """Garbage in a cycle."""

    def __init__(self) -> None:
        self.me = self


def test_what_lasts_is_set_aside_and_garbage_is_not() -> None:
    lasting = [Ring()]
    for _ in range(10):
        Ring()
    try:
        set_aside()
        assert gc.get_freeze_count() > 0
        seen = [one for one in gc.get_objects() if isinstance(one, Ring)]
        assert seen == []
    finally:
        gc.unfreeze()
    assert [one for one in gc.get_objects() if isinstance(one, Ring)] == lasting
