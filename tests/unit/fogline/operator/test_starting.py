"""What a starting operator imports: most of its start is that."""

import json
import subprocess
import sys
from pathlib import Path

FUNCTION = """\
import gc, json, os, sys
from fogline.operator import Batch, operator

print(json.dumps({
    "imported": sorted(sys.modules),
    "threads": os.environ["OPENBLAS_NUM_THREADS"],
    "collects": gc.isenabled(),
}))

import asyncio
import grpc
import grpc.aio

async def talk() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.channel_ready()
    await server.stop(0)

asyncio.run(talk())

@operator
def clean(batch: Batch) -> Batch:
    return batch

@clean.on_start
def stop() -> None:
    print(json.dumps({"collects": gc.isenabled()}), flush=True)
    os._exit(0)
"""


def _started(folder: Path, **environment: str) -> list[dict[str, object]]:
    (folder / "function.py").write_text(FUNCTION)
    command = [sys.executable, "-m", "fogline.operator", "function:clean", "--socket", str(folder / "socket")]
    path = f"{folder}:{Path(__file__).parents[4]}"
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PYTHONPATH": path, **environment}
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_operator_imports_only_what_it_needs_and_can_import_all_else(tmp_path: Path) -> None:
    first, last = _started(tmp_path)
    imported = first["imported"]
    assert isinstance(imported, list)
    assert {"numpy", "grpc", "fogline.operator.function"} <= set(imported)
    needless = {"asyncio", "grpc.aio", "ssl", "fogline.engine.expression", "fogline.wire.plan"}
    assert not needless & set(imported)
    assert first["threads"] == "1"
    assert not first["collects"]
    assert last["collects"]


def test_a_pipeline_can_give_the_libraries_more_threads(tmp_path: Path) -> None:
    first, _ = _started(tmp_path, OPENBLAS_NUM_THREADS="3")
    assert first["threads"] == "3"
