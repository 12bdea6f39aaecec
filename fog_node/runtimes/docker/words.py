"""The Docker Engine's errors are sentences; these are the ones whose kind matters."""

from typing import Final

from fog_node.runtimes.runtime import ContainerFault, RuntimeAway
from fogline.service.docker import why_away

_REASONS: Final = (
    ("no space left on device", "disk_full"),
    ("no such image", "image_missing"),
    # Before "manifest for", which it contains.
    ("no matching manifest", "wrong_architecture"),
    ("manifest unknown", "image_missing"),
    ("manifest for", "image_missing"),
    ("pull access denied", "image_missing"),
    ("repository does not exist", "image_missing"),
    ("name unknown", "image_missing"),
    ("not found: manifest", "image_missing"),
    ("digest did not match", "bad_digest"),
    ("manifest verification failed", "bad_digest"),
    ("filesystem layer verification failed", "bad_digest"),
    ("digest mismatch", "bad_digest"),
    ("image config verification failed", "bad_digest"),
    ("invalid digest", "bad_digest"),
    ("exec format error", "wrong_architecture"),
    ("port is already allocated", "port_taken"),
    ("address already in use", "port_taken"),
    ("connection refused", "registry_away"),
    ("no such host", "registry_away"),
    ("i/o timeout", "registry_away"),
    ("timeout exceeded", "registry_away"),
    ("context deadline exceeded", "registry_away"),
    ("received unexpected http status", "registry_away"),
    ("unauthorized", "registry_refused"),
    ("no such container", "no_such_container"),
)
_HINTS: Final = {
    "disk_full": "make room, or give images less of the disk",
    "image_missing": "push it to the registry, or load it on the node with `docker load`",
    "bad_digest": "what the registry holds is not what was deployed: push again and deploy again",
    "wrong_architecture": "build the image for this node's architecture, too",
    "registry_away": "the node tries again; an image can also be loaded by hand with `docker load`",
    "registry_refused": "log in with `docker login` as the user that runs the node",
    "port_taken": "choose another port of the node",
}


def away(url: str, error: BaseException) -> RuntimeAway:
    """Why nothing can be asked of the Engine, for whoever can mend it."""
    message, hint = why_away(url, error)
    return RuntimeAway(message, hint=hint)


def fault_of(status: int, message: str) -> ContainerFault:
    """The fault that an answer of the Engine tells; ``status`` is HTTP's."""
    reason = reason_of(message)
    if not reason and status >= 500 and "daemon" in message.lower():
        return RuntimeAway(message)
    return ContainerFault(message.strip(), reason=reason or "not_started", hint=_HINTS.get(reason or "", ""))


def reason_of(message: str) -> str:
    """The kind of an error; empty if it is none of those known."""
    lower = message.lower()
    return next((reason for words, reason in _REASONS if words in lower), "")
