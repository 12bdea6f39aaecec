from fog_node.ingest.broker.packets import Welcome
from fog_node.ingest.broker.warnings import overlap, warnings_of

WEEK_S = 7 * 24 * 3600


def warned(welcome: Welcome, *filters: str, at_most_once: tuple[str, ...] = ()) -> str:
    found = warnings_of(welcome, session_expiry_s=WEEK_S, filters=filters, at_most_once=at_most_once)
    return " / ".join(found)


def test_a_broker_that_does_all_that_was_asked_for_gives_no_warning() -> None:
    assert not warned(Welcome(), "a/+", "a/b")
    assert not warned(Welcome(session_expiry_s=2 * WEEK_S), "a/+")
    assert not warned(Welcome(identifiers=False), "a/+", "b/+", "a/+/c")


def test_each_risk_is_told() -> None:
    assert "for 2 h instead of 168 h" in warned(Welcome(session_expiry_s=7200))
    assert "QoS 0 only" in warned(Welcome(max_qos=0))
    assert "QoS 0 only for a/+:" in warned(Welcome(), at_most_once=("a/+",))
    assert "counts as often" in warned(Welcome(identifiers=False), "a/+", "+/b")


def test_filters_overlap_when_one_topic_fits_both() -> None:
    assert overlap(["a/+", "a/b"])
    assert overlap(["$share/g/a/+", "+/b"])
    assert not overlap(["a/+", "b/+", "a/+/c", "+"])
    assert not overlap(["a/b"])
