import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.ingest.topics import Template, TemplateRouter

LEVELS = st.sampled_from(["a", "b", "", "{x}", "{y}"])


def test_a_label_takes_exactly_one_level() -> None:
    template = Template("greenhouse/{zone}/{device}/air")
    assert template.match("greenhouse/z1/d7/air") == ("z1", "d7")
    assert template.match("greenhouse/z1/air") is None
    assert template.match("greenhouse/z1/d7/x/air") is None
    assert template.match("greenhouse/z1/d7/soil") is None


def test_a_label_is_never_empty() -> None:
    assert Template("a/{zone}").match("a/") is None
    assert TemplateRouter({"s": "a/{zone}"}).route("a/") == ()


def test_levels_may_be_empty() -> None:
    assert TemplateRouter({"s": "/a//b"}).route("/a//b") == ("s",)


@pytest.mark.parametrize(
    "text", ["", "a/+/b", "a/#", "a/{x}/{x}", "a/{}/b", "a/x{y}", "a/{1}", "a/{x", "a\0b"]
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Template(text)


def test_a_topic_may_feed_several_streams() -> None:
    router = TemplateRouter({"one": "a/{x}/c", "two": "a/b/{y}", "three": "a/b/c", "four": "a/b"})
    assert router.route("a/b/c") == ("one", "three", "two")
    assert router.labels("two", "a/b/c") == {"y": "c"}
    assert router.labels("four", "a/b/c") is None


def test_a_replaced_router_says_so_and_a_wrong_one_changes_nothing() -> None:
    router = TemplateRouter({"one": "a"})
    generation = router.generation
    with pytest.raises(ValueError, match="wildcard"):
        router.replace({"two": "b/#"})
    assert (router.generation, router.streams, router.route("a")) == (generation, ("one",), ("one",))
    router.replace({"two": "b"})
    assert router.generation > generation
    assert router.route("a") == ()


@given(
    st.lists(st.lists(LEVELS, min_size=1, max_size=4), max_size=5), st.lists(LEVELS, min_size=1, max_size=4)
)
def test_the_tree_routes_as_the_templates_match(templates: list[list[str]], levels: list[str]) -> None:
    named = {}
    for index, template in enumerate(templates):
        text = "/".join(template).replace("{x}", "{x}", 1)
        try:
            Template(text)
        except ValueError:
            continue
        named[f"s{index}"] = text
    topic = "/".join(level.strip("{}") for level in levels)
    expected = tuple(sorted(s for s, text in named.items() if Template(text).match(topic) is not None))
    assert TemplateRouter(named).route(topic) == expected
