import pytest

from fogline.service.units import parse_duration, parse_seconds, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("7B", 7),
        ("256MiB", 256 * 2**20),
        ("1.5 GB", 1_500_000_000),
        (" 3 kB ", 3000),
        ("2TiB", 2**41),
    ],
)
def test_a_size_is_understood(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "duration"),
    [("5us", 5), ("500ms", 500_000), ("2s", 2_000_000), ("1.5h", 5_400_000_000), ("1d", 86_400_000_000)],
)
def test_a_duration_is_understood(text: str, duration: int) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "MiB", "3 zz", "-1MB", "1e3", "1,5MB", "256 mib"])
def test_another_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="256MiB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "5", "s", "5 S", "-2s", "2 weeks"])
def test_a_duration_without_a_known_unit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="500ms"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "seconds"), [("1.5", 1.5), ("500ms", 0.5), ("2h", 7200.0), ("0", 0.0)])
def test_seconds_are_understood_with_and_without_a_unit(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "inf", "nan", "2 weeks"])
def test_what_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="500ms"):
        parse_seconds(text)
