"""Compounds: words that a query writes apart or together, and the catalogue's titles do not.

"head phones" are headphones and a "laserprinter" may be a laser printer, as most titles write them.
Words that titles themselves write both ways are left alone.
"""

from collections.abc import Mapping
from typing import Final

from services.nlu.catalogue_terms import CatalogueTerms
from shared.text.normalise import fold
from shared.text.stop_words import STOP_WORDS

_SHORTEST_PART: Final = 3
_TIMES_AS_OFTEN: Final = 5
"""Titles must write it so many times as often as the query does."""


class Compounds:
    """How the titles of one version of the catalogue write compounds.

    Args:
        terms: The catalogue's terms.
        least: Products that must hold a word, or it is as likely a name.
    """

    def __init__(self, terms: CatalogueTerms, least: int) -> None:
        self._counts: Mapping[str, int] = terms.vocabulary
        self._pairs: Mapping[str, int] = terms.word_pairs
        self._least = least
        self._names = {fold(each) for each in (*terms.brands, *terms.product_types)}
        # Of a long list only the most frequent pairs are told: others may be as frequent as the
        # rarest of these.
        self._unlisted = min(terms.word_pairs.values(), default=0)

    def joined(self, first: str, second: str) -> str:
        """Returns two neighbouring words as the one that titles have; "" where they have none."""
        pair = f"{first} {second}"
        if not self._pairs or pair in self._names or not (_is_part(first) and _is_part(second)):
            return ""
        word = first + second
        # Either number does: both are looked up by one stem.
        forms = (word, f"{word}s", word.removesuffix("s"))
        together = max(self._counts.get(form, 0) for form in forms)
        apart = self._pairs.get(pair, self._unlisted)
        enough = together >= max(self._least, _TIMES_AS_OFTEN * apart)
        return word if enough else ""

    def split(self, word: str) -> str:
        """Returns a word that no title has as the two that titles have; "" where they have none."""
        cuts = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
        parts = [f"{word[:cut]} {word[cut:]}" for cut in cuts]
        found = max(parts, key=lambda pair: self._pairs.get(pair, 0), default="")
        return found if self._pairs.get(found, 0) >= self._least else ""


def _is_part(word: str) -> bool:
    return len(word) >= _SHORTEST_PART and word.isascii() and word not in STOP_WORDS
