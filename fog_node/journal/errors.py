"""What the journal can refuse."""

from fogline.model.errors import FogError


class JournalFull(FogError):
    """The stream has no room now. Nothing was kept and nothing may be acknowledged; counted as refused."""

    code = "journal_full"


class JournalLocked(FogError):
    """Another writer holds the folder."""

    code = "journal_locked"


class JournalClosed(FogError):
    """The journal was closed before the messages were on disk."""

    code = "journal_closed"


class JournalUnreadable(FogError):
    """The folder was written by a newer release."""

    code = "journal_unreadable"


class JournalFailed(FogError):
    """The disk refused a small fact; nothing was promised. Try again."""

    code = "journal_failed"
