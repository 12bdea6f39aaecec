from fogline.intake.marks import Mark, marks_after
from fogline.model.part import Contribution, Origin

A = Origin(tenant="main", node="a", stream="air", epoch=b"1")
B = Origin(tenant="main", node="b", stream="air", epoch=b"2")


def word(origin: Origin, watermark: int, *, closed: bool = False) -> Contribution:
    return Contribution(origin=origin, start=0, first=1, end=1, watermark=watermark, closed=closed)


def test_only_marks_that_advance_are_written() -> None:
    marks = {A: Mark(watermark=5), B: Mark(watermark=5)}
    assert marks_after([word(A, 7), word(B, 5)], marks) == {A: Mark(watermark=7)}
    assert marks_after([word(A, 3)], marks) == {}


def test_an_origin_stays_closed() -> None:
    marks = marks_after([word(A, 3, closed=True)], {})
    assert marks == {A: Mark(watermark=3, closed=True)}
    assert marks_after([word(A, 4)], marks) == {A: Mark(watermark=4, closed=True)}
