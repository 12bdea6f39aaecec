"""QEMU's `virt` machine of arm64, without any help of this machine's processor, and its reset button."""

import asyncio
import json
import os
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEMORY_MIB = 1024
LINE = "console=ttyAMA0 net.ifnames=0 systemd.journald.forward_to_console=1 systemd.show_status=1"


@dataclass
class Virt:
    """A machine. What it says on its serial line is kept with when it was heard, in seconds of this machine."""

    kernel: Path
    initial: Path
    disk: Path
    folder: Path
    """For its sockets and its serial line."""
    ports: Sequence[tuple[int, int]] = ()
    """Of this machine's loopback, and of the machine."""
    heard: list[tuple[float, str]] = field(default_factory=list)
    _process: Process | None = None
    _listening: "asyncio.Task[None] | None" = None

    async def start(self) -> None:
        """Switch on."""
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{ours}-:{its}" for ours, its in self.ports)
        self._process = await asyncio.create_subprocess_exec(
            # It goes with whoever switched it on, however that one ends.
            *("setpriv", "--pdeathsig", "KILL"),
            *(
                "qemu-system-aarch64",
                "-M",
                "virt",
                "-cpu",
                "cortex-a72",
                "-accel",
                "tcg,thread=multi",
                "-smp",
                "2",
            ),
            *("-m", str(MEMORY_MIB), "-nographic", "-serial", "stdio", "-monitor", "none"),
            *("-kernel", str(self.kernel), "-initrd", str(self.initial), "-append", LINE),
            *(
                "-drive",
                f"file={self.disk},format=raw,if=none,id=d0",
                "-device",
                "virtio-blk-device,drive=d0",
            ),
            *("-netdev", f"user,id=n0{forwards}", "-device", "virtio-net-device,netdev=n0"),
            *("-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"),
            stdin=DEVNULL,
            stdout=PIPE,
        )
        self._listening = asyncio.create_task(self._listen(), name="serial line")

    async def reset(self) -> float:
        """Press the button: what was not on the disk is gone. When."""
        reader, writer = await asyncio.open_unix_connection(self.folder / "qmp")
        try:
            await reader.readline()
            for command in ("qmp_capabilities", "system_reset"):
                writer.write(json.dumps({"execute": command}).encode())
                pressed = time.monotonic()
                while "return" not in (said := json.loads(await reader.readline())):
                    assert "error" not in said, said
            return pressed
        finally:
            writer.close()

    async def said(self, words: str, *, since: float = 0.0, unless: str = "") -> float:
        """When it said this for the first time after an instant; waits for it. ``unless`` it says that."""
        while True:
            for at, line in list(self.heard):
                if at > since and words in line:
                    return at
                if at > since and unless and unless in line:
                    raise AssertionError("\n".join(heard for _, heard in self.heard[-30:]))
            assert self._process is not None
            assert self._process.returncode is None, "the machine is off"
            await asyncio.sleep(0.05)

    def cpu_s(self) -> float:
        """CPU of this machine that it has used: how long it takes, whatever else runs here. Unit: seconds."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def off(self) -> None:
        """Return when it has switched itself off."""
        assert self._process is not None
        await self._process.wait()
        await self.stop()

    async def stop(self) -> None:
        """Pull the plug."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._listening is not None:
            await self._listening

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with (self.folder / "serial.log").open("w") as log:
            async for line in self._process.stdout:
                text = line.decode(errors="replace").rstrip()
                self.heard.append((time.monotonic(), text))
                log.write(f"{self.heard[-1][0]:.3f} {text}\n")
                log.flush()


def figures(**told: Any) -> str:
    """A line of figures."""
    return json.dumps(
        {name: round(value, 1) if isinstance(value, float) else value for name, value in told.items()}
    )
