"""The operator of ``bench.deploy``: says when its process began, when it was ready, and when it answers.

It is copied into an image and a bundle, so it imports nothing of the benchmarks.
"""

import os
import time
from pathlib import Path

from fogline.operator import Batch, operator

_times: dict[str, int] = {}


def _process_began_us() -> int:
    """By the kernel, to a hundredth of a second; microseconds since 1970."""
    after_boot_s = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf(
        "SC_CLK_TCK"
    )
    up_s = float(Path("/proc/uptime").read_text().split()[0])
    return round((time.time() - (up_s - after_boot_s)) * 1e6)


@operator
def deployed(batch: Batch) -> Batch:
    """Every row, with the times."""
    return batch.with_columns(
        began=_times["began"], ready=_times["ready"], answered=time.time_ns() // 1000
    ).select("began", "ready", "answered", "zone")


@deployed.on_start
def ready() -> None:
    """Everything is imported."""
    _times.update(began=_process_began_us(), ready=time.time_ns() // 1000)
