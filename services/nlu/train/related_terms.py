"""Learns which terms may stand in for others: `python -m services.nlu.train.related_terms`.

From catalogues: a word whose products are nearly all of one kind names that kind ("headset",
"headphones"); two words that stand in the same contexts and not side by side replace one another
(distributional similarity over positive pointwise mutual information; Turney and Pantel, "From
frequency to meaning", 2010). From a taxonomy: a category that is a kind of product stands in for
those below it.

Contexts cannot tell synonyms from opposites ("black", "white"), so pairs that the lexicons hold as
two things are left out, and so are brands. Nothing learnt here is used beside a word that has good
matches of its own (services/nlu/expansion.py).
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from services.nlu.related_terms import RelatedBy
from services.nlu.train.catalogue import data_folder, known_catalogues, read_products, title_words
from shared.text.document import product_types
from shared.text.lexicon import LexiconKind, canonical
from shared.text.lexicon.matcher import plurals
from shared.text.normalise import fold
from shared.text.stop_words import STOP_WORDS
from wherefore.common.v1.product_pb2 import Product

OUT: Final = Path(__file__).parents[1] / "data" / "related_terms.tsv"
_LEAST_PRODUCTS: Final = 12
_SURE_OF_KIND: Final = 0.6
# A word in one of ten products of a kind names it; in fewer it describes some of them.
_SHARE_OF_KIND: Final = 0.1
_LIKE: Final = 0.5
_NEIGHBOURS: Final = 3
_LONGEST_VALUE: Final = 30
_MOST_WORDS: Final = 3
_OF_A_PARENT: Final = 0.5
# Categories of what goes with a thing, which the thing does not replace.
_NO_KINDS: Final = frozenset({"accessories", "services", "mounts", "parts"})
_Z: Final = 1.96

Line = tuple[str, str, float, RelatedBy]


def by_kind(products: Sequence[Product]) -> Iterator[Line]:
    """Yields words with the kind of product that they name, as sure as Wilson's lower bound."""
    words: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for product in products:
        own = {fold(kind) for kind in product_types(product) if kind.isascii()}
        kinds.update(own)
        for word in _words(product):
            words[word] += 1
            both.update((word, kind) for kind in own)
    for (word, kind), count in sorted(both.items()):
        enough = words[word] >= _LEAST_PRODUCTS and count >= _SHARE_OF_KIND * kinds[kind]
        sure = wilson(count, words[word])
        if enough and sure >= _SURE_OF_KIND and word not in kind and _is_term(kind):
            yield word, kind, sure, RelatedBy.KIND


def by_context(products: Sequence[Product]) -> Iterator[Line]:
    """Yields pairs of words that are among each other's nearest and stand apart."""
    words = Counter(word for product in products for word in _words(product))
    brands = {word for product in products for word in fold(product.brand).split()}
    vocabulary = sorted(
        word for word, n in words.items() if n >= _LEAST_PRODUCTS and word not in brands
    )
    place = {word: at for at, word in enumerate(vocabulary)}
    contexts: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    beside: Counter[tuple[int, int]] = Counter()
    for product in products:
        own = sorted(place[word] for word in _words(product) if word in place)
        beside.update((a, b) for a in own for b in own if a < b)
        here = {each: contexts.setdefault(each, len(contexts)) for each in _contexts(product)}
        for at in own:
            # A word is no context of its own, which it would share with none.
            others = [column for each, column in here.items() if each != f"word={vocabulary[at]}"]
            rows.extend([at] * len(others))
            columns.extend(others)
    similar = similarities(rows, columns, (len(vocabulary), len(contexts)))
    np.fill_diagonal(similar, 0.0)
    for (a, b), together in beside.items():
        # Words that keep each other's company are no replacements, however alike.
        if together > words[vocabulary[a]] * words[vocabulary[b]] / len(products):
            similar[a, b] = similar[b, a] = 0.0
    nearest = np.argsort(-similar, axis=1)[:, :_NEIGHBOURS]
    for a, others in enumerate(nearest):
        for b in map(int, others):
            close = similar[a, b] >= _LIKE and a in nearest[b]
            if close and not _are_two_things(vocabulary[a], vocabulary[b]):
                yield vocabulary[a], vocabulary[b], float(similar[a, b]), RelatedBy.CONTEXT


def by_parent(categories: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Yields names of categories with that of the category above."""
    for category in categories:
        names = [_plain(step["name"] or "") for step in category["path"]]
        for child, parent in zip(names[2:], names[1:], strict=False):
            if (
                _is_kind(parent)
                and _is_term(child)
                and not set(child.split()) & set(parent.split())
            ):
                yield child, parent, _OF_A_PARENT, RelatedBy.PARENT


def similarities(
    rows: Sequence[int], columns: Sequence[int], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Returns the cosines of rows of positive pointwise mutual information, each with each.

    Args:
        rows: Of each meeting of a word with a context, the word.
        columns: And the context.
        shape: Numbers of both.
    """
    # scipy's matrices have no element types.
    counts: Any = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    total = float(counts.sum())
    of_rows = np.asarray(counts.sum(axis=1)).ravel()
    of_columns = np.asarray(counts.sum(axis=0)).ravel()
    at: Any = counts.tocoo()
    information = np.log(at.data * total / (of_rows[at.row] * of_columns[at.col]))
    positive: Any = csr_matrix((np.maximum(information, 0.0), (at.row, at.col)), shape=shape)
    norms = np.sqrt(np.asarray(positive.multiply(positive).sum(axis=1)).ravel())
    cosines: NDArray[np.float64] = np.asarray((positive @ positive.T).todense())
    return cosines / np.maximum(np.outer(norms, norms), 1e-12)


def wilson(hits: int, count: int) -> float:
    """Returns the lower end of Wilson's 95 % interval (1927) of a share."""
    share, square = hits / count, _Z * _Z
    spread = _Z * sqrt(share * (1 - share) / count + square / (4 * count * count))
    return (share + square / (2 * count) - spread) / (1 + square / count)


def _words(product: Product) -> set[str]:
    return {
        word
        for word in title_words(product.titles.get("en", ""))
        if word.isascii() and word.isalpha() and len(word) > 2 and word not in STOP_WORDS  # noqa: PLR2004
    }


def _contexts(product: Product) -> Iterator[str]:
    yield from (f"kind={fold(kind)}" for kind in product_types(product))
    yield from (f"word={word}" for word in _words(product))
    for key, value in product.attributes.items():
        if key != "product_type":
            yield from (f"{key}={fold(t)}" for t in value.texts if len(t) <= _LONGEST_VALUE)


def _are_two_things(one: str, two: str) -> bool:
    """Whether the lexicons know both and hold them apart, or one is a form of the other."""
    if two in plurals(one) or one in plurals(two):
        return True
    for kind in LexiconKind:
        first, second = canonical(kind, one), canonical(kind, two)
        if first and second:
            return first != second
    return False


def _plain(name: str) -> str:
    return " ".join(fold(name).replace("-", " ").split())


def _is_kind(name: str) -> bool:
    """Whether a category is a kind of product; others are topics ("world", "gift ideas")."""
    return canonical(LexiconKind.PRODUCT_TYPE, name) is not None


def _is_term(name: str) -> bool:
    words = name.split()
    return 0 < len(words) <= _MOST_WORDS and all(
        word.isascii() and word.isalpha() for word in words
    )


def write_lines(lines: Iterable[Line], path: Path) -> int:
    """Writes each pair once, under what is surest of it; returns how many."""
    best: dict[tuple[str, str], Line] = {}
    for line in lines:
        kept = best.get(line[:2])
        if kept is None or kept[2] < line[2]:
            best[line[:2]] = line
    written = [f"{a}\t{b}\t{sure:.2f}\t{by.value}\n" for a, b, sure, by in sorted(best.values())]
    path.write_text("".join(written), "utf-8")
    return len(written)


def main() -> None:
    """Learns and writes the related terms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    products = list(read_products(known_catalogues(options.data)))
    taxonomy = json.loads((options.data / "taxonomy" / "categories_en.json").read_text("utf-8"))
    lines = [*by_kind(products), *by_context(products), *by_parent(taxonomy)]
    print(write_lines(lines, options.out), "related terms;", dict(Counter(x[3] for x in lines)))


if __name__ == "__main__":
    main()
