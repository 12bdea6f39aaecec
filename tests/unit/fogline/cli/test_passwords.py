import pytest

from fogline.cli.passwords import (
    BROKER_VARIABLE,
    STORE_VARIABLE,
    URLS_VARIABLE,
    with_password,
    without_password,
    without_secrets,
)


def test_only_urls_with_passwords_leave_the_command_line() -> None:
    broker, store = "mqtt://u:p@b", "postgresql://u:p@db/fog"
    assert without_secrets(
        ["python", "-m", "fogline", "up", "--broker", broker, f"--store={store}", "--json"]
    ) == (
        ["python", "-m", "fogline", "up", "--json"],
        {BROKER_VARIABLE: broker, STORE_VARIABLE: store},
    )
    plain = ["fogline", "up", "--broker", "mqtt://u@b", "--store=postgresql:///fog", "--nodes", "2"]
    assert without_secrets(plain) == (plain, {})


def test_mqtt_urls_stay_without_their_passwords_and_are_made_whole_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = "mqtt://u:p%40@b:1", "mqtts://v:q@c"
    given = ["fogline", "replay", "rows.csv", "--to", one, f"--to={two}", "--topic", "a/{b}"]

    left, secrets = without_secrets(given)

    assert left == [
        "fogline",
        "replay",
        "rows.csv",
        "--to",
        "mqtt://u@b:1",
        "--to=mqtts://v@c",
        "--topic",
        "a/{b}",
    ]
    assert secrets == {URLS_VARIABLE: f"{one} {two}"}
    assert without_secrets(left) == (left, {})
    monkeypatch.setenv(URLS_VARIABLE, secrets[URLS_VARIABLE])
    assert [with_password(url) for url in ("mqtt://u@b:1", "mqtts://v@c")] == [one, two]
    assert with_password("mqtt://u@d") == "mqtt://u@d"


@pytest.mark.parametrize("url", ["mqtt://b", "mqtt://b:1", "mqtt://u@b:1", "mqtt://[::1]:1"])
def test_a_url_without_a_password_stays_as_it_is(url: str) -> None:
    assert without_password(url) == url
