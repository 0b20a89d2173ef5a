"""The catalogue's own words: its brands, its kinds of product, its vocabulary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shared.text.lexicon import LexiconKind, canonical, find_mentions
from shared.text.lexicon.matcher import PhraseMatcher, phrase_key, plurals
from shared.text.normalise import fold
from shared.text.stop_words import STOP_WORDS

# Short or plain words that some supplier bears as a name would make brands of everyday queries.
_MIN_LENGTH = 2
# A type of one letter or a number ("1") is noise of the source, not a kind of product.
_MIN_TYPE_LENGTH = 3
_OTHER_KINDS = tuple(kind for kind in LexiconKind if kind is not LexiconKind.BRAND)


@dataclass(frozen=True)
class CatalogueTerms:
    """One version of the catalogue's terms; immutable, so parses can be cached by `version`.

    Attributes:
        version: Version of the index that they come from; -1 when no index has answered yet.
        brands: Brands as the shop spells them, most frequent first.
        product_types: Kinds of product, most frequent first.
        vocabulary: Words of titles, folded, with the number of products that hold them.
        word_pairs: Neighbouring words of titles with a blank between them, counted likewise.
    """

    version: int = -1
    brands: Sequence[str] = ()
    product_types: Sequence[str] = ()
    vocabulary: Mapping[str, int] = field(default_factory=lambda: {})
    word_pairs: Mapping[str, int] = field(default_factory=lambda: {})

    @cached_property
    def brand_matcher(self) -> PhraseMatcher[str]:
        """Finds the catalogue's brands, also by their names in the other script."""
        phrases = [(name, name, "") for name in self.brands if _is_name(name)]
        return PhraseMatcher(phrases)

    @cached_property
    def brand_spellings(self) -> Mapping[str, str]:
        """The catalogue's spelling of each brand by its key."""
        return {phrase_key(name): name for name in reversed(self.brands)}

    @cached_property
    def type_matcher(self) -> PhraseMatcher[str]:
        """Finds the catalogue's kinds of product, plurals included."""
        return PhraseMatcher(
            (form, name, "")
            for name in self.product_types
            if len(name) >= _MIN_TYPE_LENGTH and not name[:1].isdigit()
            for form in (phrase_key(name), *plurals(phrase_key(name)))
        )

    @cached_property
    def known_words(self) -> frozenset[str]:
        """Every single word of the catalogue: a query's word among these is spelt right."""
        words = set(self.vocabulary)
        for phrase in (*self.brands, *self.product_types):
            words.update(fold(phrase).split())
        return frozenset(words)

    def brand_value(self, name: str) -> str:
        """Returns the catalogue's spelling of a brand, or the name itself."""
        return self.brand_spellings.get(phrase_key(name), name)


def _is_name(brand: str) -> bool:
    key = phrase_key(brand)
    if len(key) < _MIN_LENGTH or key.isdigit() or key in STOP_WORDS:
        return False
    # "Black" or "Gift" as a supplier: the word's plain meaning wins.
    return not any(canonical(kind, key) for kind in _OTHER_KINDS) or len(find_mentions(key)) > 1
