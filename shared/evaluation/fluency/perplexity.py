"""Perplexity of generated sentences beside those that people wrote, and beside shuffled words."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from shared.evaluation.fluency.kneser_ney import KneserNey
from shared.evaluation.fluency.words import sentences, slotted

PEOPLE: Final = "people"
_APART: Final = 10
"""One sentence in so many is kept apart, to say what people's own sentences measure."""
_SHORTEST: Final = 4
_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Fluency:
    """Perplexity of a group of sentences under a model that had no part in writing them."""

    sentences: int
    words: int
    """Characters for Chinese."""
    perplexity: float
    shuffled: float
    """Perplexity of the same words in random order: what no word order at all measures."""
    unknown: float
    """Share of words that the model never met, 0 to 1."""

    @classmethod
    def joined(cls, parts: Sequence[Fluency]) -> Fluency:
        """Returns the figures of several groups together, of one sentence or more."""
        words = sum(part.words for part in parts)
        ended = sum(part.words + part.sentences for part in parts)

        def mean(of: Callable[[Fluency], float]) -> float:
            logs = sum(math.log(of(part)) * (part.words + part.sentences) for part in parts)
            return math.exp(logs / ended)

        return cls(
            sum(part.sentences for part in parts),
            words,
            mean(lambda part: part.perplexity),
            mean(lambda part: part.shuffled),
            sum(part.unknown * part.words for part in parts) / words,
        )

    def as_json(self) -> dict[str, float]:
        """The figures by name."""
        return {
            "sentences": self.sentences,
            "words": self.words,
            "perplexity": self.perplexity,
            "shuffled": self.shuffled,
            "unknown_words": self.unknown,
        }


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A language model with the sentences of people that it was not made of."""

    language: str
    model: KneserNey
    apart: Sequence[Sequence[str]]


def fluency_model(texts: Sequence[str], language: str, *, order: int = 3) -> HeldOut:
    """Makes a model of texts that people wrote.

    Args:
        texts: Sentences or whole reviews, none of which the generator was trained on.
        language: "en" or "zh".
        order: Words of the longest n-gram.

    Raises:
        ValueError: There is nothing to learn from, or nothing to keep apart.
    """
    once = dict.fromkeys(part for text in texts for part in sentences(text))
    learnt: list[list[str]] = []
    apart: list[list[str]] = []
    for sentence in once:
        words = slotted(sentence, language)
        if len(words) >= _SHORTEST:
            (learnt if crc32(sentence.encode()) % _APART else apart).append(words)
    if not learnt or not apart:
        raise ValueError(f"too few sentences of {language} to learn from")
    return HeldOut(language, KneserNey(learnt, order=order), apart)


def measure(held_out: HeldOut, groups: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, Fluency]:
    """Measures the sentences that people wrote, and each group beside them.

    Args:
        held_out: See `fluency_model`.
        groups: Sentences by who wrote them, as words; see `slotted`. Empty groups are left out.
    """
    return {
        name: _fluency(held_out.model, words)
        for name, words in {PEOPLE: held_out.apart, **groups}.items()
        if words
    }


def _fluency(model: KneserNey, group: Sequence[Sequence[str]]) -> Fluency:
    draw = random.Random(_SEED)  # noqa: S311 - no secret
    shuffled = [draw.sample(list(words), len(words)) for words in group]
    return Fluency(
        len(group),
        sum(map(len, group)),
        model.perplexity(group),
        model.perplexity(shuffled),
        model.unknown_share(group),
    )
