import json
from pathlib import Path
from typing import Any

from bench.aims import AIMS, standings

ROWS: dict[str, list[dict[str, Any]]] = {
    "through_broker": [
        {"consumer": "mosquitto_sub", "qos": 0, "of_sub": 1.0, "cpu_s_per_million": 0.5, "lost": 9},
        {"consumer": "Fogline", "qos": 0, "of_sub": 0.96, "cpu_s_per_million": 2.5, "lost": 0},
        {"consumer": "Fogline", "qos": 1, "of_sub": 0.94, "cpu_s_per_million": 1.5, "lost": 1},
    ],
    "memory": [{"tier": "cloud", "slope_mib_h": -0.2}, {"tier": "node", "slope_mib_h": float("nan")}],
}


def write(folder: Path) -> None:
    for name, rows in ROWS.items():
        (folder / f"{name}.json").write_text(json.dumps({"tables": {"one": [], "two": rows}}))


def test_each_figure_is_compared_with_its_aim(tmp_path: Path) -> None:
    write(tmp_path)
    met = {standing.what: standing.met for standing in standings(tmp_path)}
    assert met == {
        "mosquitto, QoS 0, x mosquitto_sub": "yes",
        "mosquitto, QoS 1, x mosquitto_sub": "no",
        "mosquitto, messages lost": "no",
        "mosquitto, QoS 0, node's CPU-s/1M": "no",
        "mosquitto, QoS 1, node's CPU-s/1M": "yes",
        "cloud, growth MiB/h": "yes",
        "node, growth MiB/h": "no",
    }


def test_what_was_not_measured_has_no_line(tmp_path: Path) -> None:
    assert list(standings(tmp_path)) == []


def test_every_aim_says_where_its_figure_should_lie() -> None:
    assert all(aim.words.startswith(("<= ", ">= ")) for aim in AIMS)
