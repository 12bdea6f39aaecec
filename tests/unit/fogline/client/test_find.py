import json
from dataclasses import replace
from pathlib import Path

import pytest

from fogline.access.token import new_api_token
from fogline.client import logins
from fogline.client.find import ENDPOINTS_FILE, default_directory, find_cloud
from fogline.client.trust import needs_asking, shown, trust
from fogline.model.errors import FogError, InvalidInput, NotFound


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FOGLINE_SERVER", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("FOGLINE_TOKEN", "FOGLINE_TOKEN_FILE", "FOGLINE_CA"):
        monkeypatch.delenv(name, raising=False)


def running(directory: Path, address: str) -> Path:
    directory.mkdir(parents=True)
    (directory / ENDPOINTS_FILE).write_text(json.dumps({"grpc": address}))
    return directory


def test_an_address_is_taken_as_it_is(tmp_path: Path) -> None:
    directory = running(tmp_path / "up", "127.0.0.1:1")

    assert find_cloud("cloud.example:7070", directory).address == "cloud.example:7070"
    assert find_cloud("grpc://cloud.example:7070", None).address == "cloud.example:7070"
    assert find_cloud("[::1]:7070", None).address == "[::1]:7070"


def test_a_folder_says_where_its_server_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOGLINE_SERVER", "elsewhere:1")

    assert find_cloud(None, running(tmp_path / "up", "127.0.0.1:7072")).address == "127.0.0.1:7072"


def test_the_environment_comes_before_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    running(default_directory(), "127.0.0.1:7073")
    assert find_cloud(None, None).address == "127.0.0.1:7073"

    monkeypatch.setenv("FOGLINE_SERVER", "elsewhere:7070")
    assert find_cloud(None, None).address == "elsewhere:7070"


def test_a_folder_in_which_nothing_runs_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no `fogline up` runs in") as missing:
        find_cloud(None, tmp_path)
    assert f"fogline up --dir {tmp_path}" in missing.value.hint


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"grpc": null}', '{"grpc": "nowhere"}'])
def test_a_spoiled_folder_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / ENDPOINTS_FILE).write_text(content)

    with pytest.raises(InvalidInput):
        find_cloud(None, tmp_path)


@pytest.mark.parametrize("server", ["", "7070", "host:", ":7070", "host:port", "host:0", "host:70000"])
def test_an_address_without_a_port_is_refused(server: str) -> None:
    with pytest.raises(InvalidInput, match="is not an address"):
        find_cloud(server, None)


def test_the_default_folder_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default_directory() == tmp_path / "data" / "fogline"

    # XDG: a relative path is to be ignored.
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_directory() == tmp_path / ".local" / "share" / "fogline"


TOKEN, OTHER, THIRD = (str(new_api_token(b"c" * 32)) for _ in range(3))


def test_a_folder_brings_its_token_and_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, ca = tmp_path / "token", tmp_path / "ca.pem"
    token.write_text(TOKEN + "\n")
    ca.write_text("a certificate")
    folder = tmp_path / "up"
    folder.mkdir()
    told = {"grpc": "127.0.0.1:1", "token": str(token), "ca": str(ca)}
    (folder / ENDPOINTS_FILE).write_text(json.dumps(told))
    monkeypatch.setenv("FOGLINE_TOKEN", OTHER)  # of another cloud, most likely

    place = find_cloud(None, folder)
    assert (str(place.token), place.ca) == (TOKEN, b"a certificate")
    assert str(find_cloud(None, folder, token=THIRD).token) == THIRD
    assert TOKEN not in repr(place)


def test_the_environment_comes_before_a_login_and_what_is_told_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "token"
    file.write_text(OTHER)
    logins.remember("cloud.example:7070", {"token": TOKEN, "ca": "kept"}, as_last=True)
    assert logins.path().stat().st_mode & 0o777 == 0o600
    # Nothing runs here, and nobody named a cloud: that of the login.
    place = find_cloud()
    assert (place.address, str(place.token), place.ca) == ("cloud.example:7070", TOKEN, b"kept")
    monkeypatch.setenv("FOGLINE_TOKEN_FILE", str(file))
    assert str(find_cloud("cloud.example:7070").token) == OTHER
    monkeypatch.setenv("FOGLINE_TOKEN", THIRD)
    assert str(find_cloud("cloud.example:7070").token) == THIRD
    assert str(find_cloud("cloud.example:7070", token=TOKEN).token) == TOKEN
    assert find_cloud("elsewhere:7070").ca == b""
    assert logins.forget("cloud.example:7070")
    assert not logins.forget("cloud.example:7070")
    with pytest.raises(NotFound):
        find_cloud()


def test_an_up_that_ends_forgets_its_own_words_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    mine, theirs = {"token_file": "/mine"}, {"token_file": "/theirs"}
    logins.remember("127.0.0.1:7070", mine, as_last=False)
    logins.remember("127.0.0.1:7070", theirs, as_last=False)
    assert not logins.forget("127.0.0.1:7070", mine)
    assert logins.known("127.0.0.1:7070") == theirs


def test_a_spoiled_file_of_logins_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    logins.path().parent.mkdir()
    logins.path().write_text("{")
    with pytest.raises(FogError, match=r"connections\.json"):
        find_cloud("cloud.example:7070")


@pytest.mark.parametrize("token", ["fat1.x", TOKEN[:-1]])
def test_a_token_that_was_cut_is_said_before_anybody_is_asked(token: str) -> None:
    with pytest.raises(InvalidInput, match="not a whole API token"):
        find_cloud("cloud.example:7070", token=token)


@pytest.mark.parametrize(
    ("server", "token", "ca", "encrypted"),
    [
        ("127.0.0.1:7070", "", b"", False),
        ("localhost:7070", "", b"", False),
        ("[::1]:7070", "", b"", False),
        ("cloud.example:7070", "", b"", True),
        ("grpcs://127.0.0.1:7070", "", b"", True),
        ("grpc://cloud.example:7070", TOKEN, b"", False),
        ("127.0.0.1:7070", str(new_api_token()), b"", False),
        ("cloud.example:7070", str(new_api_token()), b"", True),
    ],
)
def test_plain_text_is_for_this_machine_or_who_asks_for_it(
    server: str, token: str, ca: bytes, *, encrypted: bool
) -> None:
    place = find_cloud(server, token=token or None)
    assert not needs_asking(place)
    assert (trust(place).credentials is not None) is encrypted
    assert bool(shown(place)) is bool(token)


def test_a_token_with_a_fingerprint_is_for_its_own_ca() -> None:
    place = find_cloud("127.0.0.1:7070", token=TOKEN)
    assert needs_asking(place)
    with pytest.raises(InvalidInput, match="CA"):
        trust(replace(place, ca=b"no certificate"))
