"""The model of reasons without its grammar: every token may follow, from the same weights and seed.

Nothing serves this. It tells what the constraint of `services/reason/wording/grammar.py` is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.wording.batch import FAILED, Batch, Engine, Wanted
from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Constraint, Grammar
from services.reason.wording.rendering import Rendering, SaidReason
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.tokens import MAX_EVIDENCE

NOTHING: Final = Filled("", {}, ())


class _NoConstraint(Constraint):
    """Allows every token until the end is drawn."""

    def __init__(self, grammar: Grammar, evidence: Sequence[Filled], language: str) -> None:
        super().__init__(grammar, evidence, language)
        self._every = np.arange(len(grammar.texts), dtype=np.int64)
        self._end = grammar.end

    def allowed(self) -> NDArray[np.int64]:
        """Returns all ids; none once the reason is finished."""
        return self._every[:0] if self.finished else self._every

    def take(self, token: int) -> None:
        """Writes a token."""
        self.said.append(token)
        self.finished = token == self._end


class FreeGrammar(Grammar):
    """Knows the tokens of a grammar, and constrains nothing.

    Args:
        given: Whose tokens these are.
    """

    def __init__(self, given: Grammar) -> None:
        super().__init__(given.tokens, given.lexis, given.guard, given.positions)

    def constrain(self, evidence: Sequence[Filled], language: str) -> Constraint:
        """Returns what lets every token follow."""
        return _NoConstraint(self, evidence, language)


@dataclass(frozen=True, slots=True)
class FreeReason:
    """What was written without a grammar.

    Attributes:
        said: The sentence with its clauses; a position may name evidence that was not given.
        sound: Whether each clause opens with evidence that was given, and each slot has a value.
    """

    said: SaidReason
    sound: bool


class _Lent(Mapping[str, str]):
    """Slots of a clause; those that its evidence lacks are lent by the other evidence."""

    def __init__(self, own: Mapping[str, str], others: Mapping[str, str]) -> None:
        self._own, self._others = own, others
        self.lent = False

    def __getitem__(self, slot: str) -> str:
        if slot in self._own:
            return self._own[slot]
        self.lent = True
        return self._others.get(slot, "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def write_freely(
    wanted: Sequence[Wanted], grammar: Grammar, engine: Engine, settings: SamplingSettings
) -> list[FreeReason | None]:
    """Writes a batch of reasons with nothing masked; None for one that found no end."""
    batch = Batch(engine, settings)
    batch.start(wanted, FreeGrammar(grammar))
    tokens: list[list[int]] = [[] for _ in wanted]
    failed: set[int] = set()
    while batch:
        for step in batch.draw():
            if step.token == FAILED:
                failed.add(step.row)
            else:
                tokens[step.row].append(step.token)
        batch.read()
    return [
        None if row in failed else _rendered(said, one, grammar)
        for row, (said, one) in enumerate(zip(tokens, wanted, strict=True))
    ]


def _rendered(tokens: Sequence[int], wanted: Wanted, grammar: Grammar) -> FreeReason:
    every: dict[str, str] = {}
    for one in reversed(wanted.evidence):
        every |= one.fills
    lent = [_Lent(one.fills, every) for one in wanted.evidence]
    beyond = [_Lent({}, every) for _ in range(MAX_EVIDENCE - len(lent))]
    given = [
        Filled(one.kind, fills, one.required)
        for one, fills in zip(
            [*wanted.evidence, *[NOTHING] * len(beyond)], [*lent, *beyond], strict=True
        )
    ]
    rendering = Rendering(grammar, given, wanted.language)
    sound, opened = True, False
    for token in tokens:
        place = token in grammar.places
        written = place or token in grammar.slots or not grammar.tokens.is_mark(token)
        if not opened and not place and token != grammar.end:
            rendering.add(grammar.places[0])  # words before any clause are of the first
            sound = False
        opened = True
        if written:
            rendering.add(token)
        elif token != grammar.end:
            sound = False
    said = rendering.reason()
    known = all(clause.position < len(wanted.evidence) for clause in said.clauses)
    return FreeReason(said, sound and known and not any(fills.lent for fills in [*lent, *beyond]))
