"""What `up` writes for the tiers is what the tiers can read."""

import os
from pathlib import Path

import pytest

from aggregator.settings import AggregatorSettings
from cloud.dashboard.settings import DashboardSettings
from cloud.settings import CloudSettings
from fog_node.settings import NodeSettings
from fogline.access.chain import certificates_in, fingerprint_of
from fogline.access.first import read_token_file
from fogline.access.token import FINGERPRINT_BYTES
from fogline.cli.up.folder import Folder, Lock
from fogline.cli.up.ports import metrics_of, usual_port
from fogline.cli.up.tiers import make_tiers, node_names
from fogline.identity.folder import read_identity
from fogline.model.errors import FogError
from fogline.service.settings import load

PORTS = {
    name: usual_port(name)
    for tier in ("cloud", "aggregator", "dashboard", "node-1", "node-2")
    for name in (tier, metrics_of(tier))
} | {name: usual_port(name) for name in ("rest", "cloud-children", "cloud-enrol", "aggregator-enrol")}


def test_every_tier_can_read_its_settings_and_they_fit_together(tmp_path: Path) -> None:
    folder = Folder(tmp_path / 'a "quoted" folder')
    folder.make()
    lock = Lock(folder)
    tiers = make_tiers(folder, lock, PORTS, node_names(2))
    os.close(lock.descriptor)

    written = folder.path / "settings"
    dashboard = load(DashboardSettings, tier="dashboard", file=written / "dashboard.toml")
    cloud = load(CloudSettings, tier="cloud", file=written / "cloud.toml")
    aggregator = load(AggregatorSettings, tier="aggregator", file=written / "aggregator.toml")
    nodes = [load(NodeSettings, tier="node", file=written / f"{name}.toml") for name in node_names(2)]

    assert (cloud.listen, cloud.rest) == ("127.0.0.1:7070", "127.0.0.1:8081")
    assert (dashboard.listen, dashboard.server) == ("127.0.0.1:8080", cloud.listen)
    assert (aggregator.listen, aggregator.parents) == ("127.0.0.1:7071", (cloud.children,))
    assert [(n.name, n.listener.port, n.parents) for n in nodes] == [
        ("node-1", 1883, (aggregator.listen,)),
        ("node-2", 1884, (aggregator.listen,)),
    ]
    metrics = [cloud.metrics, aggregator.metrics, dashboard.metrics, *(node.metrics for node in nodes)]
    assert metrics == [f"127.0.0.1:{port}" for port in (9470, 9471, 9472, 9473, 9474)]
    folders = {cloud.folder, aggregator.folder, *(n.folder for n in nodes)}
    assert folders == {folder.data(name) for name in ("cloud", "aggregator", "node-1", "node-2")}
    assert all(path.is_dir() for path in folders)
    identities = [
        read_identity(aggregator.folder, role="aggregator"),
        *(read_identity(node.folder, role="node") for node in nodes),
    ]
    assert [identity.subject.name for identity in identities] == ["aggregator", "node-1", "node-2"]
    assert {identity.enrol for identity in identities} == {(cloud.enrol,)}
    assert tiers.listeners == ["mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:1884"]
    assert dashboard.ca == str(tiers.ca)
    assert tiers.token.stat().st_mode & 0o777 == 0o600
    (authority,) = certificates_in(tiers.ca.read_bytes())
    assert read_token_file(tiers.token).fingerprint == fingerprint_of(authority)[:FINGERPRINT_BYTES]


def test_endpoints_of_processes_that_do_not_run_yet_have_no_process_ids(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    lock = Lock(folder)
    tiers = make_tiers(folder, lock, PORTS, node_names(1))
    os.close(lock.descriptor)

    assert tiers.endpoints(7) == {
        "mqtt": ["mqtt://127.0.0.1:1883"],
        "broker": None,
        "grpc": "127.0.0.1:7070",
        "token": str(tmp_path / "cloud" / "admin.token"),
        "ca": str(tmp_path / "cloud" / "ca" / "ca.pem"),
        "enrol": "127.0.0.1:7073",
        "rest": "http://127.0.0.1:8081/v1",
        "dashboard": "http://127.0.0.1:8080/",
        "metrics": {
            "cloud": "http://127.0.0.1:9470/metrics",
            "aggregator": "http://127.0.0.1:9471/metrics",
            "dashboard": "http://127.0.0.1:9472/metrics",
            "node-1": "http://127.0.0.1:9473/metrics",
        },
        "pids": {"supervisor": 7, "cloud": [], "aggregator": [], "node": [], "dashboard": []},
    }


def test_the_cloud_alone_is_told_the_store_and_no_file_has_its_password(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    url = "postgresql://fog:hush@db:5432/fog?sslmode=require"
    folder.check_store(url)
    lock = Lock(folder)
    tiers = make_tiers(folder, lock, PORTS, node_names(1), store=url)
    os.close(lock.descriptor)
    assert {child.name for child in tiers.all if url in child._secrets.values()} == {"cloud"}
    assert not [child.name for child in tiers.all if "hush" in " ".join(child._command)]
    texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in texts if "hush" in text]


def test_a_folder_whose_results_are_elsewhere_does_not_begin_with_an_empty_store(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.check_store("")
    folder.check_store("postgresql://fog:hush@db/fog")
    folder.check_store("postgresql://other:word@db/fog")
    with pytest.raises(FogError, match="postgresql://db/fog"):
        folder.check_store("")
