"""``python -m fogline.operator module:function`` serves an operator at the socket that FOGLINE_SOCKET names.

Imports are what an operator's start consists of: this module has none, so that it can prepare them.
"""

import gc
import os
from typing import Final

BLAS_THREADS: Final = "OPENBLAS_NUM_THREADS"


def main() -> None:
    """Serve until told to stop."""
    # The threads of numpy's linear algebra begin with numpy, one for each core of the machine, and wait busily: where
    # a container has a part of a core, they take as much of it as all the imports.
    os.environ.setdefault(BLAS_THREADS, "1")
    # Modules, functions and classes stay: looking for garbage among them only takes time.
    gc.disable()
    from fogline.operator.postponing import postponed  # noqa: PLC0415 -- after what is above, on purpose

    # gRPC imports its second half, for asyncio, and asyncio: a quarter of all the imports. This server has threads.
    with postponed("asyncio", "grpc.aio"):
        import grpc  # noqa: F401, PLC0415
    from fogline.operator.command import run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
