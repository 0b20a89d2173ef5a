"""A catalogue read from its file, for whatever is learnt from products without a running index.

The terms are those that the retrieval service hands over in `Stats`, counted in the same way, so
that what is measured here holds for what is served.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from services.nlu.catalogue_terms import CatalogueTerms
from shared.catalogue.readers import bundled_catalogue_path, read_catalogue
from shared.text.analysis import analyse
from shared.text.document import product_types, titles
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_MOST_NAMES: Final = 5_000
_MOST_WORDS: Final = 50_000
_MOST_PAIRS: Final = 30_000
_LEAST_OF_A_PAIR: Final = 3


def data_folder() -> Path:
    """Returns where the public data sets are looked for when nobody says."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    return Path(os.environ.get("WHEREFORE_DATA", beside))


def read_products(paths: Iterable[Path]) -> Iterator[Product]:
    """Yields the products of catalogue files; rows that cannot be read are left out.

    Raises:
        CatalogueError: A file cannot be read at all.
    """
    for path in paths:
        for row in read_catalogue(path):
            if row.product is not None:
                yield row.product


def known_catalogues(data: Path) -> list[Path]:
    """Returns the bundled catalogue and the electronics catalogue among the public data sets.

    Raises:
        FileNotFoundError: The electronics catalogue is missing.
    """
    electronics = data / "icecat" / "products.jsonl.gz"
    if not electronics.is_file():
        raise FileNotFoundError(electronics)
    return [bundled_catalogue_path(), electronics]


def count_terms(products: Iterable[Product]) -> CatalogueTerms:
    """Counts the brands, kinds of product, words of titles and their neighbours."""
    brands: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    words: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for product in products:
        brands.update({product.brand} - {""})
        kinds.update(product_types(product))
        found = [title_words(title) for title in titles(product)]
        words.update({word for title in found for word in title})
        pairs.update({pair for title in found for pair in word_pairs(title)})
    vocabulary = {word: n for word, n in words.most_common(_MOST_WORDS) if n > 1}
    return CatalogueTerms(
        version=1,
        brands=_names(brands),
        product_types=_names(kinds),
        vocabulary=vocabulary,
        word_pairs={pair: n for pair, n in pairs.most_common(_MOST_PAIRS) if n >= _LEAST_OF_A_PAIR},
    )


def title_words(title: str) -> list[str]:
    """Returns the folded words of a title as written, without stop words, in their order."""
    return [fold(term.text) for term in analyse(title) if term.normalized and " " not in term.text]


def word_pairs(words: Sequence[str]) -> Iterator[str]:
    """Yields the neighbours among words, with a blank between them."""
    for one, two in pairwise(words):
        if one.isalpha() and two.isalpha():
            yield f"{one} {two}"


def _names(counts: Counter[str]) -> tuple[str, ...]:
    """Names that differ in case only are one, under their most frequent spelling."""
    spellings: dict[str, str] = {}
    for name, _ in counts.most_common():
        spellings.setdefault(fold(name), name)
    return tuple(spellings.values())[:_MOST_NAMES]
