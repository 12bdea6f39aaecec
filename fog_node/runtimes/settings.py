"""What can be set about containers."""

from dataclasses import dataclass
from typing import Final

from fogline.service.units import Seconds, Size

MIB: Final = 1024**2
GIB: Final = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """What runs operators and services, and what they may use where their pipeline says nothing."""

    docker: str = "unix:///var/run/docker.sock"
    """Where the Docker Engine is; empty: this node uses none."""
    bundles: str = ""
    """Folder of operator bundles for the process runtime; empty: ``bundles`` in the node's folder."""
    cpu: float = 0.5
    """Cores of one container."""
    start_cpu: float = 1.0
    """Cores of an operator's container until it offers its socket, for ten seconds at most, where it has fewer and its
    tenant's permit does not count cores; 0: never more than it has.
    """
    memory: Size = 128 * MIB
    """Memory of one container."""
    pids: int = 64
    """Processes and threads of one container."""
    tmp: Size = 16 * MIB
    """Writable memory at /tmp; counts as the container's memory."""
    start_within: Seconds = 60.0
    """An operator that was started must offer its socket within this."""
    grace: Seconds = 5.0
    """How long a container may take to end before it is killed."""
    outlive: bool = True
    """Let containers go on when the node is stopped in good order, for its next life to find; false: end them. They
    always go on when it dies.
    """
    backoff: Seconds = 1.0
    """Wait before the second try to start something; doubled at each further one."""
    backoff_cap: Seconds = 60.0
    """Longest wait between two tries."""
    healthy_after: Seconds = 60.0
    """What has run for so long begins anew with short waits."""
    images: Size = 8 * GIB
    """Disk for images that the node has pulled; those that nobody wants any more go, the oldest first."""
    reserve: Size = GIB
    """Disk that pulling leaves free."""
    tidy_every: Seconds = 60.0
    """How often it is looked whether pulled images take more disk than they may."""
