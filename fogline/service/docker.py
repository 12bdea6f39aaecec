"""What a Docker Engine must be to hold containers to their limits, and why one does not answer, in words."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

OLDEST: Final = (20, 10)
"""Release of the Engine."""
MEMORY_HINT: Final = (
    "add cgroup_enable=memory to the kernel's command line (Raspberry Pi OS: /boot/firmware/cmdline.txt)"
    " and restart the machine"
)


def unfit(info: Mapping[str, Any]) -> tuple[str, str]:
    """Why containers cannot be held to their limits by an Engine that says this of itself, and what to do; empty: they
    can. ``info``: its answer to ``GET /info``.
    """
    version = str(info.get("ServerVersion", ""))
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if len(parts) == len(OLDEST) and parts < OLDEST:
        return f"the Docker Engine is {version}, and 20.10 is the oldest that is good enough", "update it"
    if info.get("OSType", "linux") != "linux":
        return "the Docker Engine runs no Linux containers", "use one on Linux"
    for limit, words in (("MemoryLimit", "memory"), ("PidsLimit", "processes"), ("CpuCfsQuota", "CPU")):
        if not info.get(limit, True):
            hint = (
                MEMORY_HINT if words == "memory" else f"use a kernel with the cgroup controller for {words}"
            )
            return f"this kernel cannot limit a container's {words}, and nothing runs without limits", hint
    if not any("seccomp" in str(option) for option in info.get("SecurityOptions") or ()):
        return (
            "the Docker Engine filters no system calls (seccomp), and nothing runs without that",
            "use an Engine and a kernel with seccomp, and no `seccomp-profile: unconfined`",
        )
    return "", ""


def why_away(url: str, error: BaseException) -> tuple[str, str]:
    """Why nothing can be asked of the Engine, and what to do."""
    chain = tuple(_chain(error))
    if any(isinstance(one, FileNotFoundError) for one in chain):
        return (
            f"no Docker Engine is there: nothing at {url}",
            "install Docker, or start it with `systemctl start docker`",
        )
    if any(isinstance(one, PermissionError) for one in chain):
        return (
            f"this user may not talk to the Docker Engine at {url}",
            "add it with `usermod -aG docker USER`, and start the node anew",
        )
    if any(isinstance(one, ConnectionRefusedError) for one in chain):
        return (
            f"the Docker Engine has ended: nobody listens at {url}",
            "`systemctl start docker`; `journalctl -u docker` says why it ended",
        )
    if any(isinstance(one, TimeoutError) or "Timeout" in type(one).__name__ for one in chain):
        return (
            f"the Docker Engine at {url} does not answer: it hangs, or is too busy",
            "if it stays so: `systemctl restart docker`",
        )
    return (
        f"the Docker Engine at {url} does not answer: {str(chain[-1])[:200]}",
        "is it running? `systemctl status docker`",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from; libraries also put that among its arguments."""
    for _ in range(10):
        if error is None:
            return
        yield error
        inner = (one for one in error.args if isinstance(one, BaseException))
        error = error.__cause__ or next(inner, None) or error.__context__
