"""Reasons under way together, a token each at a time; more may join between two tokens.

Pure code: `Engine` is torch in training and ONNX Runtime, in process or in Triton, when served.
Which reasons are under way together changes what a reason says by rounding alone, so that a page
reads the same whoever else asks (Yu et al., 2022, schedule the same way: a step at a time).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar
from services.reason.wording.sampling import SamplingSettings, choose_token

FAILED: Final = -1
"""Stands for the token of a reason that grew longer than allowed, or found no way on."""
_PAD: Final = 0


class Engine(Protocol):
    """One batch under way; holds keys and values of what was read."""

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads the prefixes of a new batch.

        Args:
            ids: (batch, tokens), 0 as padding before each prefix.

        Returns:
            Logits of the next token, (batch, vocabulary).
        """
        ...

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads one token a row.

        Args:
            ids: (rows kept,).
            keep: Which rows of the batch before go on, ascending.

        Returns:
            Logits, (rows kept, vocabulary).
        """
        ...


class OpenEngine(Engine, Protocol):
    """A batch that more rows can join."""

    def join(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads the prefixes of rows that stand behind those under way from now on.

        Args:
            ids: As of `start`.

        Returns:
            Logits of the new rows.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reason to write.

    Attributes:
        evidence: What it says, strongest first; 1 to 5 pieces.
        language: "en" or "zh".
        seed: Of its draws; the same evidence and seed give the same words.
    """

    evidence: Sequence[Filled]
    language: str
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What a reason grew by.

    Attributes:
        row: Of the reason.
        token: Its id; that of END is the last, FAILED gives the reason up.
    """

    row: int
    token: int


class _Row:
    def __init__(
        self, number: int, wanted: Wanted, grammar: Grammar, settings: SamplingSettings
    ) -> None:
        self.number = number
        self.constraint = grammar.constrain(wanted.evidence, wanted.language)
        self.prefix = grammar.prefix(wanted.evidence, wanted.language)
        self.most = min(settings.max_tokens, grammar.positions - len(self.prefix))
        self.random = np.random.default_rng(wanted.seed)


class Batch:
    """Reasons under way: `draw` their next tokens, then `read` them, until none is left.

    Args:
        engine: Reads them.
        settings: How tokens are drawn.
    """

    def __init__(self, engine: Engine, settings: SamplingSettings) -> None:
        self._engine, self._settings = engine, settings
        self._count = 0
        self._rows: list[_Row] = []
        self._logits: NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)
        self._next: tuple[list[int], list[int]] = ([], [])

    def __len__(self) -> int:
        """How many reasons are under way."""
        return len(self._rows)

    def start(self, wanted: Sequence[Wanted], grammar: Grammar) -> list[int]:
        """Reads the evidence of the first reasons.

        Args:
            wanted: One at least.
            grammar: That they follow.

        Returns:
            Numbers of the rows, counted on from those before.

        Raises:
            ValueError: Evidence cannot be said, see `Grammar.constrain`.
        """
        rows = self._made(wanted, grammar)
        self._logits = self._engine.start(_left_padded([row.prefix for row in rows]))
        self._rows = rows
        return [row.number for row in rows]

    def _made(self, wanted: Sequence[Wanted], grammar: Grammar) -> list[_Row]:
        rows = [
            _Row(number, one, grammar, self._settings)
            for number, one in enumerate(wanted, start=self._count)
        ]
        self._count += len(rows)
        return rows

    def draw(self) -> list[Step]:
        """Draws a token for every reason; `read` is to follow."""
        steps: list[Step] = []
        keep: list[int] = []
        tokens: list[int] = []
        for index, row in enumerate(self._rows):
            constraint = row.constraint
            allowed = constraint.allowed()
            if not len(allowed):
                steps.append(Step(row.number, FAILED))
                continue
            token = choose_token(
                self._logits[index], allowed, constraint.said, self._settings, row.random
            )
            constraint.take(token)
            steps.append(Step(row.number, token))
            if constraint.finished:
                continue
            if len(constraint.said) >= row.most:
                steps[-1] = Step(row.number, FAILED)
            else:
                keep.append(index)
                tokens.append(token)
        self._next = keep, tokens
        return steps

    def read(self, without: Collection[int] = ()) -> None:
        """Reads the tokens drawn.

        Args:
            without: Numbers of rows that nobody waits for any more.
        """
        keep, tokens = self._next
        if without:
            kept = [at for at, index in enumerate(keep) if self._rows[index].number not in without]
            keep, tokens = [keep[at] for at in kept], [tokens[at] for at in kept]
        self._next = [], []
        self._rows = [self._rows[index] for index in keep]
        if keep:
            self._logits = self._engine.step(
                np.array(tokens, dtype=np.int64), np.array(keep, dtype=np.int64)
            )


class OpenBatch(Batch):
    """Reasons under way, which others may join between `read` and `draw`.

    Args:
        engine: Reads them.
        settings: How tokens are drawn.
    """

    def __init__(self, engine: OpenEngine, settings: SamplingSettings) -> None:
        super().__init__(engine, settings)
        self._open = engine

    def join(self, wanted: Sequence[Wanted], grammar: Grammar) -> list[int]:
        """Adds reasons to those under way; see `start`."""
        if not self._rows:
            return self.start(wanted, grammar)
        rows = self._made(wanted, grammar)
        logits = self._open.join(_left_padded([row.prefix for row in rows]))
        self._logits = np.concatenate([self._logits, logits])
        self._rows += rows
        return [row.number for row in rows]


def _left_padded(prefixes: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    longest = max(len(prefix) for prefix in prefixes)
    ids = np.full((len(prefixes), longest), _PAD, dtype=np.int64)
    for row, prefix in enumerate(prefixes):
        ids[row, longest - len(prefix) :] = np.array(prefix, dtype=np.int64)
    return ids
