from fogline.uplink.incarnation import News, StoreLife, heard


def test_an_answer_of_a_life_that_has_ended_means_nothing() -> None:
    life, news = heard(StoreLife(), b"old")
    assert news is News.FIRST
    assert heard(life, b"old") == (life, News.SAME)
    restored, news = heard(life, b"new")
    assert news is News.CHANGED
    assert heard(restored, b"old") == (restored, News.PAST)
