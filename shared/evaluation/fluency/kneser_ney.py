"""An interpolated Kneser-Ney n-gram model: what a sentence must look like to be expected.

Kneser and Ney, "Improved backing-off for m-gram language modeling" (ICASSP 1995), interpolated and
with one discount an order as Chen and Goodman describe it ("An empirical study of smoothing
techniques for language modeling", 1999). NLTK's passes over all contexts for
each chance it is asked for.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

START: Final = "<s>"
END: Final = "</s>"
UNKNOWN: Final = "<unk>"
_Gram = tuple[str, ...]


class KneserNey:
    """Probabilities of words after words.

    Args:
        sentences: To learn from, as words.
        order: Words of the longest n-gram, 2 or more.
        least: Times that a word must be there to be known; others are one unknown word.

    Raises:
        ValueError: No sentence, or an order below 2.
    """

    def __init__(
        self, sentences: Iterable[Sequence[str]], *, order: int = 3, least: int = 2
    ) -> None:
        if order < 2:  # noqa: PLR2004 - a unigram model has nothing to back off from
            raise ValueError(f"an order of {order}: 2 or more")
        texts = [list(sentence) for sentence in sentences if sentence]
        if not texts:
            raise ValueError("no sentences to learn from")
        self.order = order
        told = Counter(word for text in texts for word in text)
        self.words = frozenset(w for w, count in told.items() if count >= least) | {END, UNKNOWN}
        # By length of the gram. The longest are counted, shorter ones by what stands before them.
        self._counts: list[Counter[_Gram]] = [Counter() for _ in range(order + 1)]
        for text in texts:
            self._counts[order].update(self._grams(text))
        for length in range(order - 1, 0, -1):
            self._counts[length].update(gram[1:] for gram in self._counts[length + 1])
        self._totals = [Counter[_Gram]() for _ in range(order + 1)]
        self._kinds = [Counter[_Gram]() for _ in range(order + 1)]
        self._discounts = [0.0] * (order + 1)
        for length in range(1, order + 1):
            for gram, count in self._counts[length].items():
                self._totals[length][gram[:-1]] += count
                self._kinds[length][gram[:-1]] += 1
            self._discounts[length] = _discount(self._counts[length].values())

    def probability(self, word: str, before: Sequence[str]) -> float:
        """Returns the chance of a word, `END` or `UNKNOWN` after others, above 0 and at most 1."""
        known = word if word in self.words else UNKNOWN
        context = tuple(w if w in self.words or w == START else UNKNOWN for w in before)
        chance = 1 / len(self.words)
        for length in range(1, self.order + 1):
            used = context[len(context) - length + 1 :] if length > 1 else ()
            if len(used) < length - 1 or not (total := self._totals[length][used]):
                break
            discount = self._discounts[length]
            own = max(self._counts[length][(*used, known)] - discount, 0.0) / total
            chance = own + discount * self._kinds[length][used] / total * chance
        return chance

    def log_probability(self, sentence: Sequence[str]) -> float:
        """Returns the natural logarithm of the chance of a sentence, its end included."""
        padded = [START] * (self.order - 1) + list(sentence) + [END]
        return sum(
            math.log(self.probability(padded[at], padded[at - self.order + 1 : at]))
            for at in range(self.order - 1, len(padded))
        )

    def perplexity(self, sentences: Sequence[Sequence[str]]) -> float:
        """Returns e to the mean negative log probability of a word, ends included.

        Raises:
            ValueError: No sentences.
        """
        if not sentences:
            raise ValueError("no sentences to measure")
        words = sum(len(sentence) + 1 for sentence in sentences)
        return math.exp(-sum(map(self.log_probability, sentences)) / words)

    def unknown_share(self, sentences: Sequence[Sequence[str]]) -> float:
        """Returns the share of words that the model does not know, 0 to 1."""
        words = [word for sentence in sentences for word in sentence]
        return sum(word not in self.words for word in words) / len(words) if words else 0.0

    def _grams(self, text: Sequence[str]) -> Iterable[_Gram]:
        known = [word if word in self.words else UNKNOWN for word in text]
        padded = [START] * (self.order - 1) + known + [END]
        return zip(*(padded[start:] for start in range(self.order)), strict=False)


def _discount(counts: Iterable[int]) -> float:
    """Returns n1 / (n1 + 2 n2), the estimate of Ney, Essen and Kneser (1994)."""
    ones = twos = 0
    for count in counts:
        ones += count == 1
        twos += count == 2  # noqa: PLR2004
    # Small texts have no pairs, or nothing but: half keeps every word possible.
    return ones / (ones + 2 * twos) if ones and twos else 0.5
