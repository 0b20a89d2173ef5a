"""The sparse leg's vectors: BM25F term weights, one dimension per term.

Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (CIKM 2004):

    tf(t) = sum over fields f of  weight_f * count_f(t) / (1 - b_f + b_f * length_f / reference_f)
    w(t)  = tf(t) * (k1 + 1) / (k1 + tf(t))

A product's vector holds w(t), a query's vector the weight of each word, and Qdrant multiplies by
IDF(t) = ln(1 + (N - n + 0.5) / (n + 0.5)), which it keeps up to date as products come and go. The
reference lengths are constants and not the catalogue's averages: a product's vector then depends on
the product alone, never on the order of an import. The numbers were chosen on
the development judgments of a real catalogue; benchmarks/RESULTS.md says how far that carries.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from services.retrieval.store.port import SparseVector
from shared.text.analysis import analyse, terms
from shared.text.document import product_types, titles
from wherefore.common.v1.product_pb2 import Product

K1: Final = 0.4
# Weight of two neighbouring words written as one: "head set" also looks for "headset".
_JOINED_WEIGHT: Final = 0.3
# Longer attribute texts are prose, or lists of what a product fits.
_LONGEST_ATTRIBUTE: Final = 100
_FITS_KEY: Final = "compatib"
_BETWEEN_MODELS: Final = re.compile(r"[/,;|]|\\n")
_MOST_TERMS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Field:
    """How one field counts: its weight, how much its length matters (0 to 1) and a usual length.

    In a list a word counts once, however often it is there.
    """

    weight: float
    b: float = 0.0
    reference: float = 1.0
    is_list: bool = False


FIELDS: Final = {
    "title": Field(1.0, b=0.6, reference=13.5),
    "brand": Field(0.3),
    "product_type": Field(0.5),
    "tags": Field(0.3),
    "attributes": Field(0.4, b=0.75, reference=25.0),
    "description": Field(0.6, b=0.7, reference=12.5),
    # Devices that a product fits: who names one is to find the product, and nothing else changes.
    "fits": Field(0.2, is_list=True),
}


def document_vector(product: Product) -> SparseVector:
    """Returns the sparse vector of a product."""
    weights: Counter[str] = Counter()
    for name, text in _texts(product).items():
        field = FIELDS[name]
        counts = Counter(list(dict.fromkeys(terms(text))) if field.is_list else terms(text))
        length = sum(counts.values())
        scale = field.weight / (1 - field.b + field.b * length / field.reference)
        for term, count in counts.items():
            weights[term] += count * scale  # pyright: ignore[reportArgumentType] # a float counter
    heaviest = weights.most_common(_MOST_TERMS)
    return _vector({term: tf * (K1 + 1) / (K1 + tf) for term, tf in heaviest})


def query_vector(text: str, expansions: Iterable[tuple[str, float]] = ()) -> SparseVector:
    """Returns the sparse vector of a query.

    Args:
        text: What is searched for.
        expansions: Related words with weights from 0 to 1, against 1 for the words of the query.

    Returns:
        The vector; empty when the text holds nothing but stop words.
    """
    weights = dict.fromkeys(terms(text), 1.0)
    words = [term.text for term in analyse(text) if term.normalized and term.text.isalpha()]
    joined = ((a + b, _JOINED_WEIGHT) for a, b in pairwise(words))
    for phrase, weight in (*expansions, *joined):
        for term in terms(phrase):
            weights.setdefault(term, weight)
    return _vector(weights)


@lru_cache(maxsize=200_000)
def dimension(term: str) -> int:
    """Returns the dimension of a term: 32 bits of its hash.

    Collisions are rare enough to ignore: among 100,000 terms about one pair shares a dimension.
    """
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest(), "little")


def _texts(product: Product) -> dict[str, str]:
    # The line break keeps words of neighbouring texts from being read as one measure.
    attributes = (
        text
        for value in product.attributes.values()
        for text in value.texts
        if len(text) <= _LONGEST_ATTRIBUTE
    )
    return {
        "title": "\n".join(titles(product)),
        "brand": product.brand,
        "product_type": "\n".join(product_types(product)),
        "tags": "\n".join(product.tags),
        "attributes": "\n".join(attributes),
        "description": "\n".join(product.descriptions.values()),
        "fits": "\n".join(_long_lists_of_devices(product)),
    }


def _long_lists_of_devices(product: Product) -> Iterator[str]:
    """Short ones are read as other attributes are."""
    for key, value in product.attributes.items():
        if _FITS_KEY in key:
            for text in value.texts:
                if len(text) > _LONGEST_ATTRIBUTE:
                    yield _BETWEEN_MODELS.sub(" ", text)


def _vector(weights: Mapping[str, float]) -> SparseVector:
    by_dimension: dict[int, float] = {}
    for term, weight in weights.items():
        key = dimension(term)
        by_dimension[key] = max(weight, by_dimension.get(key, 0.0))
    return SparseVector(tuple(by_dimension), tuple(by_dimension.values()))
