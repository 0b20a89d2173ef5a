"""Texts to the integers that the query models read, with the way back to the text.

Training and serving share this module, so that the two cannot drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shared.errors import UnavailableError
from shared.text.segmentation import cut_words

Ids = NDArray[np.int32]

NO_SEGMENT, BEGIN, MIDDLE, END, SINGLE = range(5)
"""Where a character stands in its word; special tokens and what no word covers have NO_SEGMENT."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One text as a model reads it.

    Attributes:
        ids: (tokens,) int32, special ones included.
        segments: (tokens,) int32: places in words for models that read them, else zeros.
        offsets: Half-open span of each token in code points of the text; (0, 0) for special ones.
    """

    ids: Ids
    segments: Ids
    offsets: tuple[tuple[int, int], ...]


class ModelTokenizer:
    """The tokenizer of one query model.

    Args:
        path: Its `tokenizer.json`.
        max_tokens: Ids of a text at most, special ones included.
        word_places: Whether the model reads the places of characters in words (soft words; Zhao and
            Kit, 2008: a dictionary's segmentation as a feature, which the model may overrule).

    Raises:
        UnavailableError: The file is not there.
    """

    def __init__(self, path: Path, max_tokens: int, *, word_places: bool) -> None:
        if not path.is_file():
            raise UnavailableError(f"{path} is missing; `make models` makes it")
        # The library is written in Rust and its stubs leave most arguments unknown.
        self.path = path
        self._tokenizer: Any = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self._max_characters = max_tokens * 32
        self._word_places = word_places

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens."""
        return self._tokenizer.get_vocab_size()

    def id_of(self, token: str) -> int:
        """Returns the id of a token; that of the unknown one when there is no such token."""
        known: int | None = self._tokenizer.token_to_id(token)
        return self._tokenizer.token_to_id("[UNK]") if known is None else known

    def encode(self, texts: Sequence[str]) -> list[TokenRow]:
        """Returns the tokens of each text."""
        cut = [text[: self._max_characters] for text in texts]
        return [
            self._row(text, encoding)
            for text, encoding in zip(cut, self._tokenizer.encode_batch(cut), strict=True)
        ]

    def _row(self, text: str, encoding: Any) -> TokenRow:
        ids = np.asarray(encoding.ids, dtype=np.int32)
        special: list[int] = encoding.special_tokens_mask
        offsets = tuple((0, 0) if special[at] else span for at, span in enumerate(encoding.offsets))
        segments = np.zeros(len(ids), dtype=np.int32)
        if self._word_places:
            places = word_places(text)
            for at, (start, end) in enumerate(offsets):
                if end > start:
                    segments[at] = places[start]
        return TokenRow(ids, segments, offsets)


def word_places(text: str) -> list[int]:
    """Returns the place of every character of `text` in its word, one of BEGIN to SINGLE."""
    places = [NO_SEGMENT] * len(text)
    for _, start, end in cut_words(text):
        if end - start == 1:
            places[start] = SINGLE
            continue
        places[start:end] = [BEGIN, *[MIDDLE] * (end - start - 2), END]
    return places
