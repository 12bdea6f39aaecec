import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.ingest.broker.subscriptions import (
    LEAST_IDENTIFIER,
    SubscribedRouter,
    difference,
    filters_of,
    identifier,
    shared,
    topic_filter,
)
from fog_node.ingest.topics import TemplateRouter

LEVEL = st.sampled_from(["a", "b", "", "{x}", "{y}"])
TEMPLATE = st.lists(LEVEL, min_size=1, max_size=4, unique=True).map("/".join).filter(bool)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("greenhouse/{zone}/{device}/air", "greenhouse/+/+/air"),
        ("plain", "plain"),
        ("/lead/{x}/", "/lead/+/"),
        ("{everything}", "+"),
    ],
)
def test_each_label_becomes_a_wildcard_of_one_level(template: str, expected: str) -> None:
    assert topic_filter(template) == expected


def test_a_group_stands_before_the_filter() -> None:
    assert shared("a/+", "g") == "$share/g/a/+"
    assert shared("a/+", "") == "a/+"
    assert filters_of(["a/{x}", "a/{y}", "b"], "g") == {"$share/g/a/+", "$share/g/b"}


@given(st.text(min_size=1, max_size=40))
def test_an_identifier_takes_four_bytes_and_depends_on_the_text_alone(text: str) -> None:
    assert LEAST_IDENTIFIER <= identifier(text) < 1 << 28
    assert identifier(text) == identifier(str(text))


def test_a_group_has_identifiers_of_its_own() -> None:
    assert identifier("a/+") != identifier("$share/g/a/+")


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_after_the_difference_exactly_the_wanted_is_held(wanted: set[str], held: set[str]) -> None:
    change = difference(wanted, held)
    assert (held | set(change.wanted)) - set(change.unwanted) == wanted
    assert not set(change.wanted) & held
    assert list(change.wanted) == sorted(change.wanted)


@given(st.dictionaries(st.sampled_from("pqrs"), TEMPLATE, max_size=4), st.sampled_from(["", "g"]))
def test_over_all_subscriptions_each_stream_takes_a_topic_once(routes: dict[str, str], group: str) -> None:
    plain = TemplateRouter(routes)
    router = SubscribedRouter(plain, group)
    for topic in ("a", "a/b", "a/b/c", "/a", "b/a/"):
        takers = [
            stream
            for subscribed in sorted(router.filters())
            for stream in router.route_under(topic, (identifier(subscribed),))
        ]
        assert sorted(takers) == sorted(plain.route(topic))
        everything = tuple(identifier(subscribed) for subscribed in router.filters())
        assert router.route_under(topic, everything) == plain.route(topic)
        assert router.route_under(topic, (5,)) == ()


def test_new_streams_are_known_at_once() -> None:
    plain = TemplateRouter({"air": "a/{x}"})
    router = SubscribedRouter(plain, "")
    assert router.route_under("a/1", (identifier("a/+"),)) == ("air",)
    plain.replace({"soil": "a/{x}"})
    assert router.route_under("a/1", (identifier("a/+"),)) == ("soil",)
