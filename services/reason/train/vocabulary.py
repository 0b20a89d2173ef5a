"""The vocabulary: marks, kinds of evidence and slots as tokens of their own, then words by BPE.

Characters are the alphabet, with bytes behind them (`byte_fallback`): a byte-level alphabet would
let a reason break off within a character. English words carry the blank before them; a run of Han
is merged to phrases, so that a Chinese reason takes a dozen steps.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from services.reason.train.marks import marks
from services.reason.wording.filled import SLOTS
from services.reason.wording.tokens import (
    COPY,
    END,
    REASON,
    REVIEW,
    SAY,
    TokenTable,
    kind_mark,
    language_mark,
)

_LONGEST: Final = 12
"""Characters of a token; a Chinese phrase seldom has as many."""
_BEFORE_SLOT: Final = re.compile(" (<(?:" + "|".join(SLOTS) + ")>)")
_WORDS: Final = r" ?[A-Za-z]+(?:'[a-z]+)?| ?[^\sA-Za-z\u4e00-\u9fff]|[\u4e00-\u9fff]+|\s+"


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Returns a tokenizer that was trained on texts.

    Args:
        texts: With slots and places as they stand in the corpus.
        size: Tokens at most, special ones and bytes included.
    """
    tokenizer = Tokenizer(models.BPE(byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), "isolated")
    made: Any = decoders
    tokenizer.decoder = made.Sequence([made.ByteFallback(), made.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[*marks(), *(f"<0x{byte:02X}>" for byte in range(256))],
        limit_alphabet=3_000,
        max_token_length=_LONGEST,
        min_frequency=3,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def add_marks(tokenizer: Tokenizer) -> int:
    """Adds the marks that a tokenizer lacks, after its other tokens; returns how many."""
    known = tokenizer.get_vocab()
    grown: Any = tokenizer
    return grown.add_special_tokens([mark for mark in marks() if mark not in known])


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one example, and how many of them are the prefix."""

    ids: list[int]
    prefix: int


class Vocabulary:
    """Reads examples to token ids and back.

    Args:
        tokenizer: As `train_tokenizer` makes it.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.size = tokenizer.get_vocab_size()
        self._ids: dict[str, int] = tokenizer.get_vocab()
        self.end = self._ids[END]

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Reads a tokenizer.json."""
        return cls(Tokenizer.from_file(str(path)))

    def table(self) -> TokenTable:
        """Returns the texts of all tokens."""
        texts = self.tokenizer.decode_batch(
            [[index] for index in range(self.size)], skip_special_tokens=False
        )
        # A model that was trained before a kind of evidence came up has no mark for it.
        for mark in self._ids.keys() & set(marks()):
            texts[self._ids[mark]] = mark
        return TokenTable(texts, marks())

    def encode(self, row: dict[str, Any]) -> Encoded:
        """Returns the ids of a row of the corpus, of any of its three forms."""
        if "reason_sequence" in row:
            kinds_said = [kind_mark(one["kind"]) for one in row["evidence"]]
            prefix = self._marks(language_mark(row["language"]), REASON, *kinds_said, SAY)
            text = tight("".join(row["reason_sequence"]))
        elif "copy" in row:
            named = "".join(f"<a{n}>{key}" for n, (key, _) in enumerate(row["attributes"], 1))
            prefix = [*self._marks(language_mark("zh"), COPY), *self.ids(named), self._ids[SAY]]
            text = row["copy"]
        else:
            prefix = self._marks(language_mark(row["language"]), REVIEW, SAY)
            text = row["text"]
        return Encoded([*prefix, *self.ids(text), self.end], len(prefix))

    def _marks(self, *names: str) -> list[int]:
        return [self._ids[name] for name in names]

    def clause_ids(self, clause: str) -> list[int]:
        """Returns the ids of a clause of the corpus, the place of its evidence left out."""
        return self.ids(tight(clause))[1:]

    def ids(self, text: str) -> list[int]:
        """Returns the ids of text with marks in it."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids


def tight(text: str) -> str:
    """Takes out the blank before a slot: `rendering` puts it back, and a token is saved."""
    return _BEFORE_SLOT.sub(r"\1", text)


def texts_of(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yields what a tokenizer learns from: the words, without marks between them."""
    for row in rows:
        if "reason_sequence" in row:
            yield tight("".join(row["reason_sequence"]))
        else:
            yield row.get("copy") or row["text"]
