"""The cloud of the model: one store, committed to by a rule that is handed in."""

from dataclasses import dataclass, replace

from fogline.intake.judgement import Settlement, Verdict
from fogline.model.part import Part
from tests.model.rules import Rules
from tests.model.values import Books, Cloud, State


@dataclass(frozen=True, slots=True)
class CloudSteps:
    """What the cloud does, under some rules."""

    rules: Rules

    def read(self, cloud: Cloud, plan: int, part: Part[State]) -> Settlement:
        """C2 to C5, on the offsets as they are now."""
        return self.rules.settle(part.contributions, cloud.books[plan].offsets)

    def written(
        self, cloud: Cloud, plan: int, part: Part[State], settlement: Settlement
    ) -> tuple[Cloud, ...]:
        """The durable states that handling this part goes through; the last is the outcome."""
        books = self.rules.transactions(cloud.books[plan], part, settlement)
        return tuple(with_books(cloud, plan, b) for b in books)

    @staticmethod
    def refuses(settlement: Settlement) -> bool:
        return settlement.verdict is Verdict.REFUSED


def with_books(cloud: Cloud, plan: int, books: Books) -> Cloud:
    return replace(cloud, books=(*cloud.books[:plan], books, *cloud.books[plan + 1 :]))
