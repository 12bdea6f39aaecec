from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fog_node.reconcile.images import Pulled, superfluous
from fog_node.runtimes.naming import without_tag
from fog_node.runtimes.runtime import Image

NAMES = tuple(f"r/{letter}@sha256:{letter}" for letter in "abcde")


@given(
    pulled=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9)),
    sizes=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 100)),
    named=st.frozensets(st.sampled_from(NAMES)),
    budget=st.integers(0, 300),
    missing=st.integers(0, 300),
)
def test_only_pulled_images_that_nobody_names_go_and_no_more_than_must(
    pulled: dict[str, int], sizes: dict[str, int], named: frozenset[str], budget: int, missing: int
) -> None:
    here = tuple(
        Image(id=f"id-{name}", names=(f"id-{name}", name), size_bytes=size) for name, size in sizes.items()
    )
    gone = superfluous(pulled, here, named, budget_bytes=budget, missing_bytes=missing)
    assert set(gone) <= pulled.keys() & sizes.keys() - named
    used = sum(sizes[name] for name in pulled if name in sizes)
    excess = max(used - budget, missing)
    assert all(sum(sizes[name] for name in gone[:count]) < excess for count in range(len(gone)))
    left = pulled.keys() & sizes.keys() - named - set(gone)
    assert not left or sum(sizes[name] for name in gone) >= excess
    assert [pulled[name] for name in gone] == sorted(pulled[name] for name in gone)


def test_an_image_that_has_two_names_stays_for_either() -> None:
    both = Image(id="sha256:1", names=("sha256:1", "r/a@sha256:a", "r/b@sha256:b"), size_bytes=10)
    assert superfluous({"r/a@sha256:a": 1}, (both,), frozenset({"r/b:1.0@sha256:b"}), budget_bytes=0) == ()


def test_tags_and_ports_are_told_apart() -> None:
    assert without_tag("localhost:5000/a/b:1.2@sha256:c") == "localhost:5000/a/b@sha256:c"
    assert without_tag("localhost:5000/a/b@sha256:c") == "localhost:5000/a/b@sha256:c"
    assert without_tag("a:1@sha256:c") == "a@sha256:c"


def test_what_was_pulled_is_known_after_a_restart(tmp_path: Path) -> None:
    Pulled(tmp_path / "pulled").note("a", 7)
    again = Pulled(tmp_path / "pulled")
    assert again.wanted_us == {"a": 7}
    again.forget("a")
    assert Pulled(tmp_path / "pulled").wanted_us == {}


def test_a_list_that_cannot_be_read_lets_images_stay(tmp_path: Path) -> None:
    (tmp_path / "pulled").write_bytes(b"\0")
    assert Pulled(tmp_path / "pulled").wanted_us == {}
