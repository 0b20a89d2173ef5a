"""Decoding: a batch of reasons, token by token, over any engine that gives logits.

Pure code: `Engine` is torch in training and ONNX Runtime or Triton when served.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar
from services.reason.wording.rendering import Rendering, SaidReason
from services.reason.wording.sampling import SamplingSettings, choose_token

_PAD: Final = 0


class Engine(Protocol):
    """One batch under way; holds keys and values of what was read."""

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads the prefixes.

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
class Progress:
    """What a step added.

    Attributes:
        row: Of the batch.
        piece: Text that the reason grew by.
        reason: The whole reason, once it is finished.
        failed: It grew longer than allowed, or found no way on: write it otherwise.
    """

    row: int
    piece: str
    reason: SaidReason | None = None
    failed: bool = False


def stream(
    wanted: Sequence[Wanted], grammar: Grammar, engine: Engine, settings: SamplingSettings
) -> Iterator[Progress]:
    """Writes a batch of reasons, yielding every piece of text as it comes.

    Raises:
        ValueError: A reason's evidence cannot be said, see `Grammar.constrain`.
    """
    constraints = [grammar.constrain(one.evidence, one.language) for one in wanted]
    texts = [Rendering(grammar, one.evidence, one.language) for one in wanted]
    draws = [np.random.default_rng(one.seed) for one in wanted]
    prefixes = [grammar.prefix(one.evidence, one.language) for one in wanted]
    padded = _left_padded(prefixes)
    most = min(settings.max_tokens, grammar.positions - padded.shape[1])
    logits = engine.start(padded)
    rows: list[int] = list(range(len(wanted)))
    while rows:
        tokens: list[int] = []
        keep: list[int] = []
        for index, row in enumerate(rows):
            constraint = constraints[row]
            allowed = constraint.allowed()
            if not len(allowed):
                yield Progress(row, "", failed=True)
                continue
            token = choose_token(logits[index], allowed, constraint.said, settings, draws[row])
            constraint.take(token)
            piece = texts[row].add(token)
            if constraint.finished:
                yield Progress(row, piece, texts[row].reason())
            elif len(constraint.said) >= most:
                yield Progress(row, piece, failed=True)
            else:
                keep.append(index)
                tokens.append(token)
                if piece:
                    yield Progress(row, piece)
        rows = [rows[index] for index in keep]
        if rows:
            logits = engine.step(np.array(tokens, dtype=np.int64), np.array(keep, dtype=np.int64))


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


def _left_padded(prefixes: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    longest = max((len(prefix) for prefix in prefixes), default=0)
    ids = np.full((len(prefixes), longest), _PAD, dtype=np.int64)
    for row, prefix in enumerate(prefixes):
        ids[row, longest - len(prefix) :] = np.array(prefix, dtype=np.int64)
    return ids
