"""Decoding: a batch of reasons, from evidence to text that comes piece by piece."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.reason.wording.batch import FAILED, Batch, Engine, Step, Wanted
from services.reason.wording.grammar import Grammar
from services.reason.wording.rendering import Rendering, SaidReason
from services.reason.wording.sampling import SamplingSettings


@dataclass(frozen=True, slots=True)
class Progress:
    """What a step added.

    Attributes:
        row: Of the batch.
        piece: Text that the reason grew by.
        closed: The sentence so far, where another clause of it has come to its end.
        reason: The whole reason, once it is finished.
        failed: It grew longer than allowed, or found no way on: write it otherwise.
        cached: It was written for an earlier request.
    """

    row: int
    piece: str = ""
    closed: SaidReason | None = None
    reason: SaidReason | None = None
    failed: bool = False
    cached: bool = False


class Telling:
    """Turns the tokens of a batch into text.

    Args:
        wanted: The reasons, in the order of their rows.
        grammar: That the tokens follow.
    """

    def __init__(self, wanted: Sequence[Wanted], grammar: Grammar) -> None:
        self._grammar = grammar
        self._texts = [Rendering(grammar, one.evidence, one.language) for one in wanted]

    def tell(self, step: Step) -> Progress | None:
        """Returns what a token adds; None for one that is no text and closes nothing."""
        grammar, text = self._grammar, self._texts[step.row]
        if step.token == FAILED:
            return Progress(step.row, failed=True)
        closed = None
        if step.token in grammar.places or step.token == grammar.end:
            closed = text.reason()
        piece = text.add(step.token)
        if step.token == grammar.end:
            return Progress(step.row, piece, closed, text.reason())
        if closed is not None and closed.clauses:
            return Progress(step.row, piece, closed)
        return Progress(step.row, piece) if piece else None


def stream(
    wanted: Sequence[Wanted], grammar: Grammar, engine: Engine, settings: SamplingSettings
) -> Iterator[Progress]:
    """Writes a batch of reasons, yielding every piece of text as it comes.

    Raises:
        ValueError: A reason's evidence cannot be said, see `Grammar.constrain`.
    """
    if not wanted:
        return
    telling, batch = Telling(wanted, grammar), Batch(engine, settings)
    batch.start(wanted, grammar)
    while batch:
        for step in batch.draw():
            if (progress := telling.tell(step)) is not None:
                yield progress
        batch.read()


def decode(
    wanted: Sequence[Wanted], grammar: Grammar, engine: Engine, settings: SamplingSettings
) -> list[SaidReason | None]:
    """Writes a batch of reasons; None for one that grew longer than allowed.

    Raises:
        ValueError: A reason's evidence cannot be said, see `Grammar.constrain`.
    """
    found: list[SaidReason | None] = [None] * len(wanted)
    for progress in stream(wanted, grammar, engine, settings):
        if progress.reason is not None:
            found[progress.row] = progress.reason
    return found
