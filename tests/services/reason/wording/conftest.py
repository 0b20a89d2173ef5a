"""The grammar of the committed model, reasons that it can say, and an engine without a network."""

import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.facts import Fact
from services.reason.wording.batch import Wanted
from services.reason.wording.grammar import Grammar
from services.reason.wording.served import read_grammar
from services.reason.wording.slots import fill
from services.reason.writer import VERSION_FOLDER
from shared.inference.settings import REPOSITORY

HOME = REPOSITORY / "reason_small" / VERSION_FOLDER
FACTS = (
    Fact("price_fit", "price.amount", "299.0 CNY", "500.0", 0.8),
    Fact("well_reviewed", "review_summary", "4.6 1320", "", 0.6),
    Fact("discount", "price", "25%", "", 0.7),
    Fact("in_stock", "stock", "in stock", "", 0.2),
    Fact("brand_match", "brand", "Thule", "thule", 0.9),
)


class HistoryEngine:
    """Logits that depend on what a row has read and on nothing else."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._read: list[list[int]] = []
        self.batches: list[int] = []
        """Rows of every forward pass."""

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self._read = [[i for i in row if i] for row in ids.tolist()]
        return self._logits(self._read)

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        self._read = [self._read[index] for index in keep.tolist()]
        for row, token in zip(self._read, ids.tolist(), strict=True):
            row.append(token)
        return self._logits(self._read)

    def join(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        new = [[i for i in row if i] for row in ids.tolist()]
        self._read += new
        return self._logits(new)

    def _logits(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        self.batches.append(len(rows))
        seeds = [zlib.crc32(repr(row).encode()) for row in rows]
        drawn = [np.random.default_rng(seed).normal(size=self._size) for seed in seeds]
        return np.array(drawn, dtype=np.float32).reshape(len(rows), self._size)


@pytest.fixture(scope="session")
def grammar() -> Grammar:
    return read_grammar(HOME, DEFAULT_BANNED_WORDS)


@pytest.fixture
def engine(grammar: Grammar) -> HistoryEngine:
    return HistoryEngine(len(grammar.texts))


def page(count: int, language: str = "en", first_seed: int = 0) -> list[Wanted]:
    """Reasons of one to three pieces of evidence, each with a seed of its own."""
    found: list[Wanted] = []
    for index in range(count):
        facts = [FACTS[(index + at) % len(FACTS)] for at in range(1 + index % 3)]
        found.append(Wanted([fill(f, language) for f in facts], language, first_seed + index))
    return found
