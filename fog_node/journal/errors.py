"""What the journal can refuse."""

from grpc import StatusCode

from fogline.model.errors import FogError


class JournalFull(FogError):
    """The stream has no room now. Nothing was kept and nothing may be acknowledged; counted as refused."""

    status = StatusCode.RESOURCE_EXHAUSTED
    retryable = True


class JournalLocked(FogError):
    """Another writer holds the folder."""

    status = StatusCode.FAILED_PRECONDITION


class JournalClosed(FogError):
    """The journal was closed before the messages were on disk."""

    status = StatusCode.UNAVAILABLE
    retryable = True


class JournalUnreadable(FogError):
    """The folder was written by a newer release."""

    status = StatusCode.FAILED_PRECONDITION


class JournalFailed(FogError):
    """The disk refused a small fact; nothing was promised. Try again."""

    status = StatusCode.UNAVAILABLE
    retryable = True
