"""A short, seeded run of the drill; ``make faults KILLS=1000`` runs it for as long as you like."""

from pathlib import Path

import pytest

from tests.faults.drill import drill, drill_with_parts
from tests.postgres import PostgresServer

SEED = 20_261_123


async def test_every_message_counts_once_through_random_kills(tmp_path: Path) -> None:
    report = await drill(tmp_path, kills=8, seed=SEED)
    assert not report.differences + report.ledger, str(report)
    assert report.repeated, "no kill hit a message in flight"


@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(300)
async def test_every_journaled_message_counts_once_though_broker_and_database_die(
    tmp_path: Path, durable_postgres: PostgresServer
) -> None:
    report = await drill_with_parts(tmp_path, durable_postgres, kills=6, seed=SEED + 1)
    assert not report.differences + report.ledger, str(report)
    assert {"mosquitto", "postgres"} <= set(report.kills), str(report)
