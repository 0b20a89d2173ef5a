"""Pairs of what was typed and what was meant: mined from texts that people typed, and generated.

A rare word one error away from one far more frequent word, and from no other, is a typing error of
it more often than not (Whitelaw et al., "Using the web for language independent spellchecking and
autocorrection", 2009). Words that the vocabulary of a language model holds whole are left out: it
was drawn from edited text, and what stands there is a word.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from services.nlu.train.rows import read_rows
from services.nlu.typing_errors import (
    NEAR,
    VOWELS,
    ErrorKind,
    changed_kind,
    extra_kind,
    missed_kind,
)

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_PLAIN: Final = re.compile(r"(?<![\w'’-])[a-z]+(?![\w'’-])")
_MIN_LENGTH: Final = 5
_FREQUENT: Final = 30
_RARE: Final = 3
_RATIO: Final = 60


@dataclass(frozen=True, slots=True)
class TypingPair:
    """What was typed for what was meant."""

    typed: str
    meant: str


def typed_texts(data: Path) -> Iterator[list[str]]:
    """Yields English texts that people typed, source by source: reviews, requests, products.

    Raises:
        FileNotFoundError: A data set is missing.
    """
    with (data / "reviews_by_product_en" / "reviews.csv").open(encoding="utf-8") as file:
        yield [" ".join(row) for row in csv.reader(file)]
    with (data / "support_intents_en" / "train.csv").open(encoding="utf-8") as file:
        yield [row["utterance"] for row in csv.DictReader(file)]
    rows = read_rows(data / "icecat" / "products.jsonl.gz")
    yield [f"{row.get('title') or ''} {row.get('short_description') or ''}" for row in rows]


def mine_pairs(texts: Iterable[str], words: AbstractSet[str]) -> list[TypingPair]:
    """Returns the probable typing errors of some texts.

    Args:
        texts: Of one source, as frequencies differ between sources.
        words: What is a word, however rare it is.
    """
    counts = Counter(word for text in texts for word in _PLAIN.findall(text.lower()))
    frequent: dict[int, list[str]] = defaultdict(list)
    for word, count in counts.items():
        if count >= _FREQUENT and len(word) >= _MIN_LENGTH:
            frequent[len(word)].append(word)
    pairs: list[TypingPair] = []
    for typed, count in sorted(counts.items()):
        if count > _RARE or len(typed) < _MIN_LENGTH or typed in words:
            continue
        near = [
            word
            for length in range(len(typed) - 1, len(typed) + 2)
            for word, _, _ in extract(
                typed, frequent.get(length, ()), scorer=OSA.distance, score_cutoff=1, limit=3
            )
            if counts[word] >= _RATIO * count
        ]
        if len(near) == 1 and not _is_form(typed, near[0]):
            pairs.append(TypingPair(typed, near[0]))
    return pairs


def outcomes(meant: str) -> list[tuple[ErrorKind, str]]:
    """Returns everything that one error can make of a word, with its kind."""
    made: dict[str, ErrorKind] = {}
    for at in range(len(meant) + 1):
        before, after = meant[:at], meant[at:]
        if after:
            made.setdefault(before + after[1:], missed_kind(meant, at))
        if len(after) > 1 and after[0] != after[1]:
            made.setdefault(before + after[1] + after[0] + after[2:], ErrorKind.SWAPPED)
        for letter in _LETTERS:
            if after and letter != after[0]:
                made.setdefault(before + letter + after[1:], changed_kind(after[0], letter))
            typed = before + letter + after
            made.setdefault(typed, extra_kind(typed, at))
    made.pop(meant, None)
    return [(kind, typed) for typed, kind in made.items()]


def generate(meant: str, shares: Sequence[tuple[ErrorKind, float]], random: Random) -> str:
    """Returns a word with one typing error, its kind drawn by shares, its place evenly."""
    by_kind: dict[ErrorKind, list[str]] = defaultdict(list)
    for kind, typed in outcomes(meant):
        by_kind[kind].append(typed)
    possible = [(kind, share) for kind, share in shares if by_kind.get(kind)]
    [kind] = random.choices([kind for kind, _ in possible], [share for _, share in possible])
    return random.choice(by_kind[kind])


def generate_blindly(meant: str, random: Random) -> str:
    """Returns a word with one error that knows nothing of kinds: for measuring, not for fitting."""
    at = random.randrange(len(meant))
    before, letter, after = meant[:at], meant[at], meant[at + 1 :]
    return random.choice(
        [
            before + after,
            before + letter + random.choice(sorted(NEAR[letter] | VOWELS)) + after,
            before + random.choice(sorted(NEAR[letter] | VOWELS)) + after,
            before + after[:1] + letter + after[1:],
        ]
    )


def _is_form(typed: str, meant: str) -> bool:
    """Whether two words differ as forms of one word do: "format", "formats"."""
    long, short = sorted((typed, meant), key=len, reverse=True)
    return long.startswith(short) and long[len(short) :] in {"s", "d", "y", "r", "n"}
