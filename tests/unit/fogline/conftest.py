from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from fogline.v1 import access_pb2_grpc, api_pb2_grpc, containers_pb2_grpc
from tests.unit.fogline.scripted_cloud import ScriptedCloud


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedCloud]:
    """A cloud that answers what the test tells it to, on a real socket; nobody has ever logged in to any."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    scripted = ScriptedCloud()
    server = grpc.server(ThreadPoolExecutor(4))
    api_pb2_grpc.add_PipelineServiceServicer_to_server(scripted, server)
    api_pb2_grpc.add_StreamServiceServicer_to_server(scripted, server)
    api_pb2_grpc.add_NodeServiceServicer_to_server(scripted, server)
    api_pb2_grpc.add_ResultServiceServicer_to_server(scripted, server)
    api_pb2_grpc.add_StatusServiceServicer_to_server(scripted, server)
    access_pb2_grpc.add_AccessServiceServicer_to_server(scripted, server)
    containers_pb2_grpc.add_ContainerServiceServicer_to_server(scripted, server)
    scripted.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield scripted
    server.stop(None).wait()
