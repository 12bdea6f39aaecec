"""`fogline doctor` with a real broker, database and cloud."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fogline.cli.doctor import server, talk
from fogline.cli.doctor.findings import Level
from fogline.model.clock import SystemClock
from fogline.testing.mosquitto import Mosquitto
from tests.faults.house import cloud_in, running
from tests.integration.doctor import unjoined
from tests.integration.listener.certificates import self_signed
from tests.postgres import ESCAPED, PASSWORD, PostgresServer

QUICK = ("autosave_on_changes false", "autosave_interval 1800", "sys_interval 1")
WITHIN_S = 60.0


async def doctor(folder: Path, *arguments: str) -> tuple[int | None, list[dict[str, Any]], str]:
    """Exit code, findings, and all that was written."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", unjoined.__name__, "doctor", "--dir", str(folder), "--json", *arguments),
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await process.communicate()
    lines = [json.loads(line) for line in out.decode().splitlines()]
    return process.returncode, lines, (out + err).decode()


@pytest.mark.needs("mosquitto")
async def test_a_mosquitto_as_it_is_shipped_is_well(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path / "broker", *QUICK) as broker, asyncio.timeout(WITHIN_S):
        # What it dropped is first said a second after its start.
        while not (seen := await asyncio.to_thread(talk.look, broker.url)).drops_readable:
            pass
        assert not seen.fault
        assert seen.version.startswith("mosquitto")
        assert (seen.max_qos, seen.shared_granted, seen.session_survives, seen.queued_came) == (
            2,
            True,
            True,
            True,
        )
        assert seen.session_expiry_s is None

        code, findings, _ = await doctor(
            tmp_path, "--broker", broker.url, "--mosquitto-conf", str(tmp_path / "broker" / "mosquitto.conf")
        )
    assert code == 0
    assert {f["area"] for f in findings} == {"machine", "containers", "broker", "mosquitto.conf"}
    assert [
        f["said"] for f in findings if f["area"] == "broker" and f["level"] in {"warning", "problem"}
    ] == []
    said = [f["said"] for f in findings if f["area"] == "mosquitto.conf" and f["level"] == "warning"]
    assert len(said) == 1, "written every 30 minutes"


@pytest.mark.needs("mosquitto", "mosquitto_passwd")
async def test_a_broker_that_does_not_let_us_in_is_a_problem_and_the_password_is_not_said(
    tmp_path: Path,
) -> None:
    users = tmp_path / "passwd"
    made = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", str(users), "fog", "geheim")
    assert await made.wait() == 0
    extra = (f"password_file {users}", "allow_anonymous false")
    async with Mosquitto(tmp_path / "broker", *QUICK, *extra) as broker:
        place = broker.url.removeprefix("mqtt://")
        code, findings, said = await doctor(tmp_path, "--broker", f"mqtt://fog:falsch@{place}")
        assert code == 1
        assert [f["level"] for f in findings if f["area"] == "broker"] == ["problem"]
        assert "falsch" not in said
        seen = await asyncio.to_thread(talk.look, f"mqtt://fog:geheim@{place}")
        assert not seen.fault
        assert seen.session_survives


@pytest.mark.needs("mosquitto")
async def test_a_broker_with_a_ca_of_its_own_is_believed_by_that_ca(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    tls = (f"certfile {certificate}", f"keyfile {key}")
    async with Mosquitto(tmp_path / "broker", *QUICK, tls=tls) as broker:
        code, findings, _ = await doctor(tmp_path, "--broker", broker.url)
        assert code == 1
        (said,) = [f for f in findings if f["area"] == "broker"]
        assert "its certificate is not believed" in said["said"]
        assert "--ca FILE" in said["hint"]
        code, findings, _ = await doctor(tmp_path, "--broker", broker.url, "--ca", str(certificate))
        assert code == 0
        assert "speaks MQTT 5" in next(f["said"] for f in findings if f["area"] == "broker")
        code, _, said_all = await doctor(
            tmp_path, "--broker", f"mqtt://127.0.0.1:{broker.port}", "--ca", str(key)
        )
        assert (code, "does not speak TLS" in said_all) == (1, True)


async def test_a_database_that_does_not_sync_breaks_the_promise(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    code, findings, said = await doctor(tmp_path, "--store", postgres.database())
    found = {f["said"].split(":")[0]: f["level"] for f in findings if f["area"] == "store"}
    assert code == 1
    assert found["fsync is off"] == "problem"
    assert found["this user may make tables and write"] == "ok"
    assert PASSWORD not in said
    assert ESCAPED not in said


async def test_a_cloud_is_asked_for_its_release_and_its_clock(tmp_path: Path) -> None:
    cloud = cloud_in(tmp_path / "cloud")
    async with running(cloud):
        answer = await asyncio.to_thread(server.look, cloud.address, SystemClock())
        assert answer.status is not None
        assert {f.level for f in server.judge(answer)} == {Level.OK}
    assert [
        f.level for f in server.judge(await asyncio.to_thread(server.look, cloud.address, SystemClock()))
    ] == [Level.PROBLEM]


async def test_a_clock_that_is_off_is_said(tmp_path: Path) -> None:
    cloud = cloud_in(tmp_path / "cloud")
    async with running(cloud):
        answer = await asyncio.to_thread(server.look, cloud.address, SystemClock())
    off = server.Answer(address=answer.address, status=answer.status, offset=timedelta(seconds=-7))
    (warning,) = [f for f in server.judge(off) if f.level is Level.WARNING]
    assert "-7.0 s" in warning.said


async def test_what_names_nothing_is_an_error_of_usage(tmp_path: Path) -> None:
    for arguments in (
        ("--broker", "http://x"),
        ("--store", "mysql://x"),
        ("--mosquitto-conf", "/nowhere.conf"),
    ):
        code, _, said = await doctor(tmp_path, *arguments)
        assert code == 1
        assert "fogline: " in said
