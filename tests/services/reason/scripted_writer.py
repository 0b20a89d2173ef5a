"""A model of reasons that says what a test has it say, and pages of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.verify import Verifier
from services.reason.worded import MODEL_REASONS, WordedExplainer
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.rendering import SaidClause, SaidReason
from tests.services.reason.conftest import NOW
from wherefore.common.v1.product_pb2 import Availability, Product

Say = Callable[[Wanted], SaidReason | None]
TRUE = "You will find it in stock"


def said(*clauses: str) -> SaidReason:
    text = ", ".join(clauses) + "."
    return SaidReason(text, tuple(SaidClause(at, clause) for at, clause in enumerate(clauses)))


@dataclass
class ScriptedWriter:
    """Says what a test has it say; keeps what it was asked."""

    say: Say
    known: bool = True
    version: str = "scripted@7"
    asked: list[Wanted] = field(default_factory=list[Wanted])

    def knows(self, wanted: Wanted) -> bool:
        return self.known

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        self.asked += wanted
        for row, one in enumerate(wanted):
            reason = self.say(one)
            if reason is None:
                yield Progress(row, failed=True)
            else:
                yield from progress_of(row, reason)

    def close(self) -> None:
        pass


def progress_of(row: int, reason: SaidReason) -> Iterator[Progress]:
    """A reason clause by clause, as a writer tells it."""
    for count, clause in enumerate(reason.clauses, start=1):
        end = reason.text.index(clause.text) + len(clause.text)
        yield Progress(row, closed=SaidReason(reason.text[:end] + ",", reason.clauses[:count]))
    yield Progress(row, closed=reason, reason=reason)


def in_stock(product_id: str) -> Product:
    product = Product(id=product_id)
    product.stock.availability = Availability.AVAILABILITY_IN_STOCK
    return product


def page_of(writer: ScriptedWriter, verifier: Verifier, count: int = 1, rows: int = 20):
    explainer = Explainer(verifier, clock=lambda: NOW)
    worded = WordedExplainer(explainer, verifier, writer, seconds=5, rows=rows)
    wanted = ExplainInput([Item(in_stock(f"p{i}")) for i in range(count)], language="en")
    return worded.explain(wanted), list(explainer.explain(wanted))


def counted(outcome: str) -> float:
    return MODEL_REASONS.labels(outcome)._value.get()  # pyright: ignore[reportPrivateUsage]
