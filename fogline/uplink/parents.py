"""Which parent to dial next: an ordered list, k failures each, a later return to the first. A pure core."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Parents:
    """The addresses in order of preference, and how often the current one failed."""

    addresses: tuple[str, ...]
    tries: int = 3
    """Failures in a row after which the next parent is dialled."""
    current: int = 0
    failures: int = 0
    """Failures in a row of the current parent."""
    attempt: int = 0
    """Failures in a row of all parents: what the back-off goes by."""

    def __post_init__(self) -> None:
        if not self.addresses:
            raise ValueError("a child needs the address of at least one parent")

    @property
    def address(self) -> str:
        """The parent to dial now."""
        return self.addresses[self.current]

    @property
    def is_preferred(self) -> bool:
        """Whether that is the first of the list."""
        return self.current == 0

    def failed(self) -> "Parents":
        """The stream could not be opened, or ended before it was of use."""
        if self.failures + 1 < self.tries or len(self.addresses) == 1:
            return replace(self, failures=self.failures + 1, attempt=self.attempt + 1)
        following = (self.current + 1) % len(self.addresses)
        return replace(self, current=following, failures=0, attempt=self.attempt + 1)

    def worked(self) -> "Parents":
        """The current parent answered."""
        return replace(self, failures=0, attempt=0)

    def returned(self) -> "Parents":
        """Back to the preferred parent, which was seen to serve again."""
        return replace(self, current=0, failures=0, attempt=0)
