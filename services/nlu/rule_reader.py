"""Queries read by rules, against the terms of the catalogue as they are now."""

from collections.abc import Collection

from cachetools import LRUCache

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import ParseOptions, Understanding
from services.nlu.understanding import QueryReader
from shared.metrics import count_lookup

_Key = tuple[int, str, ParseOptions]


class RuleReader:
    """Reads queries, and remembers what they mean while the terms stay.

    Args:
        encoder_languages: See `QueryReader`.
        size: Queries that are remembered.
    """

    def __init__(self, encoder_languages: Collection[str], size: int) -> None:
        self._encoder_languages = frozenset(encoder_languages)
        self._size = size
        self._reader = self._new(CatalogueTerms())
        self._known: LRUCache[_Key, Understanding] = LRUCache(size)

    def warm_up(self) -> None:
        """Builds what is built on first use, so that no query waits for it."""
        self._reader.warm_up()

    def use_terms(self, terms: CatalogueTerms) -> None:
        """Reads queries against these terms from now on. Safe to call on any thread.

        What was read by older terms is dropped; queries under way are kept under the older version.
        """
        reader = self._new(terms)
        reader.warm_up()
        self._reader = reader
        self._known = LRUCache(self._size)

    def read(self, query: str, options: ParseOptions) -> Understanding:
        """Returns what a query means; see `QueryReader.read`."""
        reader = self._reader
        key = reader.terms.version, query, options
        understanding = self._known.get(key)
        count_lookup("nlu.parse", hit=understanding is not None)
        if understanding is None:
            understanding = self._known[key] = reader.read(query, options)
        return understanding

    def embedding_text(self, text: str) -> str:
        """Returns what the encoder reads of a text, which is spelt as it is meant."""
        return self._reader.read(text, ParseOptions("", keep_spelling=True)).embedding_text

    def _new(self, terms: CatalogueTerms) -> QueryReader:
        return QueryReader(terms, self._encoder_languages)
