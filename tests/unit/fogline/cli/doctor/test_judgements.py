"""What the doctor makes of what was seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from fogline.cli.doctor import broker, machine, mosquitto, store
from fogline.cli.doctor.broker import Seen
from fogline.cli.doctor.findings import Finding, Level
from fogline.cli.doctor.machine import Machine
from fogline.cli.doctor.store import Database
from fogline.model.errors import InvalidInput

ROOT = Path(__file__).parents[5]


def bad(findings: list[Finding]) -> list[tuple[str, str]]:
    """Level and words of everything that something should be done about, each with what to do."""
    worse = [f for f in findings if f.level in {Level.WARNING, Level.PROBLEM}]
    assert all(f.hint for f in worse)
    return [(f.level.value, f.said) for f in worse]


WELL = Machine(
    python=(3, 11),
    bits=64,
    system="linux",
    missing={"node": (), "all": ()},
    synchronised=True,
    folder=Path("/data"),
    file_system="ext4",
    free_bytes=50 * machine.GIB,
    sync_s=0.002,
    open_files=65_536,
)


def test_a_machine_that_is_well_has_nothing_to_do() -> None:
    assert bad(machine.judge(WELL)) == []


@pytest.mark.parametrize(
    ("seen", "level", "words"),
    [
        (replace(WELL, python=(3, 10)), "problem", "Python 3.10"),
        (replace(WELL, bits=32), "problem", "32 bits"),
        (replace(WELL, system="darwin"), "problem", "darwin"),
        (replace(WELL, synchronised=False), "warning", "no time service"),
        (replace(WELL, folder_fault="Permission denied"), "problem", "Permission denied"),
        (replace(WELL, free_bytes=machine.GIB // 2), "warning", "0.5 GiB"),
        (replace(WELL, file_system="tmpfs"), "warning", "tmpfs"),
        (replace(WELL, file_system="nfs4"), "warning", "across a network"),
        (replace(WELL, sync_s=2e-6), "warning", "which no disk does"),
        (replace(WELL, sync_s=0.4), "warning", "400 ms"),
        (replace(WELL, open_files=1024), "warning", "1024 files"),
    ],
)
def test_what_is_not_well_with_a_machine_is_said(seen: Machine, level: str, words: str) -> None:
    ((found, said),) = bad(machine.judge(seen))
    assert found == level
    assert words in said


def test_what_is_not_installed_and_which_ports_are_taken_is_good_to_know() -> None:
    seen = replace(WELL, missing={"cloud": ("sqlalchemy",)}, taken=(("cloud", 7070),), synchronised=None)
    notes = [f.said for f in machine.judge(seen) if f.level is Level.NOTE]
    assert len(notes) == 3
    assert "sqlalchemy" in notes[0] + notes[1]
    assert "7070" in notes[-1]


def test_this_machine_can_be_looked_at(tmp_path: Path) -> None:
    seen = machine.look(tmp_path / "not" / "yet")
    assert seen.folder == tmp_path / "not" / "yet"
    assert not seen.folder_fault
    assert seen.sync_s > 0
    assert seen.file_system
    assert list(tmp_path.iterdir()) == []


FINE = {
    "persistence": "true",
    "autosave_on_changes": "true",
    "autosave_interval": "1",
    "max_queued_messages": "1000000",
    "persistent_client_expiration": "14d",
}


def test_the_shipped_configuration_of_mosquitto_has_no_fault() -> None:
    settings = mosquitto.read(ROOT / "deploy" / "mosquitto" / "mosquitto.conf")
    assert bad(mosquitto.judge(settings)) == []


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"persistence": "false"}, "problem", "persistence is off"),
        ({"autosave_on_changes": "false", "autosave_interval": "1800"}, "warning", "every 1800 s"),
        ({"autosave_on_changes": "false", "autosave_interval": "0"}, "warning", "only at the end"),
        ({"autosave_interval": "50"}, "warning", "after 50 changes"),
        ({"max_queued_messages": "1000"}, "warning", "1000 messages are queued"),
        ({"max_queued_messages": "0"}, "warning", "no limit"),
        ({"max_inflight_messages": "0"}, "warning", "max_inflight_messages 0"),
        ({"persistent_client_expiration": "2h"}, "warning", "after 2h"),
        ({"persistent_client_expiration": "soon"}, "warning", "no time"),
        ({"sys_interval": "0"}, "warning", "sys_interval 0"),
    ],
)
def test_what_in_a_configuration_loses_messages_is_said(
    changed: dict[str, str], level: str, words: str
) -> None:
    assert bad(mosquitto.judge(FINE)) == []
    ((found, said),) = bad(mosquitto.judge({**FINE, **changed}))
    assert found == level
    assert words in said


def test_an_empty_configuration_has_mosquittos_defaults(tmp_path: Path) -> None:
    file = tmp_path / "mosquitto.conf"
    file.write_text("# nothing\n\n  listener 1883\ninclude_dir /etc/mosquitto/conf.d\n")
    findings = mosquitto.judge(mosquitto.read(file))
    assert bad(findings)[0][1].startswith("persistence is off")
    assert any("conf.d was not read" in f.said for f in findings)
    with pytest.raises(InvalidInput, match="cannot be read"):
        mosquitto.read(tmp_path / "nothing.conf")


GOOD = Seen(
    url="mqtt://b:1883",
    drops_readable=True,
    shared_granted=True,
    session_survives=True,
    queued_came=True,
)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"fault": "Connection refused"}, "problem", "Connection refused"),
        ({"fault": "Unsupported protocol version", "speaks_311": True}, "problem", "3.1.1 only"),
        ({"max_qos": 0}, "warning", "QoS 0 only"),
        ({"shared": False, "shared_granted": False}, "warning", "no shared subscriptions"),
        ({"shared_granted": False}, "warning", "no shared subscriptions"),
        ({"wildcards": False}, "problem", "no + in subscriptions"),
        ({"identifiers": False}, "warning", "subscription identifiers"),
        ({"session_survives": False, "queued_came": False}, "problem", "as soon as its connection"),
        ({"queued_came": False}, "problem", "did not come"),
        ({"session_expiry_s": 60}, "warning", "60 s only"),
        ({"drops_readable": False}, "warning", "how many messages it drops"),
    ],
)
def test_what_a_broker_puts_at_risk_is_said(changed: dict[str, object], level: str, words: str) -> None:
    assert bad(broker.judge(GOOD)) == []
    ((found, said),) = bad(broker.judge(replace(GOOD, **changed)))  # type: ignore[arg-type] # fields by name
    assert found == level
    assert words in said


def test_a_user_without_rights_leaves_some_things_untried() -> None:
    seen = replace(GOOD, publish_refused="Not authorized", queued_came=False, retain=False, receive_max=20)
    findings = broker.judge(replace(seen, max_packet=1024))
    assert bad(findings) == []
    notes = " ".join(f.said for f in findings if f.level is Level.NOTE)
    for words in ("may not publish to", "no retained", "20 messages under way", "1024 bytes"):
        assert words in notes


TRUE = Database(
    place="postgresql://db/fog",
    may_create=True,
    settings={
        "server_version": "15.3",
        "server_version_num": "150003",
        "synchronous_commit": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "transaction_read_only": "off",
        "server_encoding": "UTF8",
        "max_connections": "100",
    },
)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"server_version_num": "120001"}, "problem", "is PostgreSQL"),
        ({"fsync": "off"}, "problem", "fsync is off"),
        ({"full_page_writes": "off"}, "problem", "torn"),
        ({"synchronous_commit": "off"}, "problem", "synchronous_commit is off"),
        ({"transaction_read_only": "on"}, "problem", "only be read"),
        ({"server_encoding": "LATIN1"}, "problem", "LATIN1"),
        ({"max_connections": "5"}, "warning", "5 connections"),
    ],
)
def test_what_breaks_a_stores_promise_is_said(changed: dict[str, str], level: str, words: str) -> None:
    assert bad(store.judge(TRUE)) == []
    ((found, said),) = bad(store.judge(replace(TRUE, settings={**TRUE.settings, **changed})))
    assert found == level
    assert words in said


def test_a_store_that_is_not_ours_to_write_is_a_problem() -> None:
    assert "make tables" in bad(store.judge(replace(TRUE, may_create=False)))[0][1]
    assert "only be read" in bad(store.judge(replace(TRUE, replica=True)))[0][1]
    assert "no route" in bad(store.judge(Database(place="postgresql://db", fault="no route")))[0][1]
    local = store.judge(replace(TRUE, settings={**TRUE.settings, "synchronous_commit": "local"}))
    assert [f.level for f in local].count(Level.NOTE) == 1
