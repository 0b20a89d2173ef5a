"""Texts to token ids, in the process of the caller: integers travel far faster than strings."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shared.errors import UnavailableError

PAD_ID = 0
"""Id that fills short rows up; the exported graphs mask it, and no text yields it."""

INLINE_CHARACTERS = 2_000
"""Texts of fewer characters in all are tokenised (under 1 ms) without leaving the event loop."""

Ids = NDArray[np.int32]
PairIds = tuple[Ids, Ids]


class TextTokenizer:
    """The tokenizer of one model.

    Args:
        path: Its `tokenizer.json`.
        max_tokens: Ids of a text at most, special ones included.

    Raises:
        UnavailableError: The file is not there.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        if not path.is_file():
            raise UnavailableError(f"{path} is missing; `make models` makes it")
        # The library is written in Rust and its stubs leave most arguments unknown.
        self._tokenizer: Any = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)
        # Nobody reads past what a token can hold; a huge text would only burn time.
        self._max_characters = max_tokens * 32

    async def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Returns the ids of each text, (tokens,) int32, off the event loop where it takes long."""
        if sum(map(len, texts)) < INLINE_CHARACTERS:
            return self.encode_now(texts)
        return await asyncio.to_thread(self.encode_now, texts)

    def encode_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairIds]:
        """Returns the ids of each pair in one row, and which text each id is of."""
        limit = self._max_characters
        cut = [(left[:limit], right[:limit]) for left, right in pairs]
        return [
            (
                np.asarray(encoding.ids, dtype=np.int32),
                np.asarray(encoding.type_ids, dtype=np.int32),
            )
            for encoding in self._tokenizer.encode_batch_fast(cut)
        ]

    def encode_now(self, texts: Sequence[str]) -> list[Ids]:
        """Returns the ids of each text, (tokens,) int32."""
        cut = [text[: self._max_characters] for text in texts]
        return [
            np.asarray(encoding.ids, dtype=np.int32)
            for encoding in self._tokenizer.encode_batch_fast(cut)
        ]


def pad(rows: Sequence[Ids], multiple: int = 1) -> Ids:
    """Returns `rows` as one array (rows, longest), short ones filled up with PAD_ID.

    Args:
        rows: Each (tokens,).
        multiple: The length is rounded up to a multiple of it.
    """
    longest = max(map(len, rows))
    padded = np.full((len(rows), -(-longest // multiple) * multiple), PAD_ID, dtype=np.int32)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def batches(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Splits rows into batches of like lengths, so that little is padding.

    Args:
        lengths: Tokens of each row.
        size: Rows of a batch at most.

    Yields:
        Positions of the rows, shortest first.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), size):
        yield order[start : start + size]
