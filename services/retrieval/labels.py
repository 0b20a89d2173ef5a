"""How products spell a value that filters know folded: "Sony" for "sony"."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from services.retrieval.blobs import SUMMARY, decode_summary
from services.retrieval.fields import attribute_value
from services.retrieval.filters import ATTRIBUTES
from services.retrieval.store.conditions import AnyOf
from services.retrieval.store.port import VectorStore
from shared.category_path import CATEGORY_SEPARATOR, category_text
from shared.text.document import product_types
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_KEPT: Final = 20_000


class Labels:
    """Finds the spelling of values, that of the most popular product; remembers what it found."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        # A spelling stays a good one when its product goes, so it outlives versions of the index.
        self._known: Callable[[str, str], str] = lru_cache(_KEPT)(self._find)

    def of(self, key: str, value: str) -> str:
        """Returns the label of a value of a field; the value itself where it is not spelled out."""
        return self._known(key, value)

    def _find(self, key: str, value: str) -> str:
        where = AnyOf(key, (value,))
        if key.startswith(ATTRIBUTES):
            where = AnyOf("attribute", (attribute_value(key.removeprefix(ATTRIBUTES), value),))
        hits = self._store.top("popularity", 1, where)
        for record in self._store.fetch([hit.point for hit in hits], (SUMMARY,)):
            product = decode_summary(record.payload[SUMMARY])
            for spelling in _spellings(product, key, value):
                if fold(spelling) == value:
                    return spelling
        return value


def _spellings(product: Product, key: str, value: str) -> Sequence[str]:
    match key:
        case "brand":
            return (product.brand,)
        case "category":
            depth = value.count(CATEGORY_SEPARATOR) + 1
            path = category_text(product.category_path[:depth])
            return (path, *product.category_path)
        case "product_type":
            return product_types(product)
        case "tags":
            return product.tags
        case _:
            name = key.removeprefix(ATTRIBUTES)
            return product.attributes[name].texts if name in product.attributes else ()
