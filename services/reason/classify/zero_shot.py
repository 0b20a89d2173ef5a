"""Categories of a taxonomy that nothing was trained on, by their names alone.

A category's score adds up what share of its own name a product's texts hold, what share of its
parents' names, and the cosine between the vectors of product and category. How much each counts was
learnt from queries with a known class (`python -m benchmarks.classification --tune`), on none of
which the figures of RESULTS.md rest.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.evidence import word_evidence
from services.reason.classify.features import Occurrences, Text, occurrences, texts_of
from services.reason.classify.result import Result, alternatives, decide, judge
from services.reason.classify.trained import softmax
from services.reason.classify.tree import CategoryTree, Path
from services.reason.classify.weights import Calibration
from shared.text.analysis import terms
from wherefore.common.v1.product_pb2 import Product

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ZeroShotWeights:
    """What the three parts of a score count."""

    meaning: float
    name: float
    parents: float


BY_MEANING: Final = ZeroShotWeights(meaning=15.0, name=3.0, parents=3.0)
BY_WORDS: Final = ZeroShotWeights(meaning=0.0, name=10.0, parents=3.0)
CALIBRATION: Final = Calibration(category_threshold=0.5, parent_threshold=0.5)
"""Nothing can be promised of a taxonomy without products: more likely than not is what is said."""


class Taxonomy:
    """Categories with what their names hold.

    Args:
        paths: Distinct paths.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.tree = CategoryTree(paths)
        names = [frozenset(terms(path[-1])) for path in paths]
        parents = [
            frozenset(terms(" ".join(path[:-1]))) - name
            for path, name in zip(paths, names, strict=True)
        ]
        counts = Counter(
            term for name, above in zip(names, parents, strict=True) for term in name | above
        )
        idf = {term: math.log((1 + len(paths)) / (1 + n)) + 1.0 for term, n in counts.items()}
        self._names = _shares(names, idf)
        self._parents = _shares(parents, idf)

    @property
    def texts(self) -> list[str]:
        """What a category's vector is made of: its name, then its parents' from near to far."""
        return [". ".join(reversed(path)) for path in self.tree.categories]

    def added(self, found: Occurrences, weights: ZeroShotWeights) -> dict[str, dict[int, float]]:
        """Returns what each word of a product adds to the score of which category."""
        result: dict[str, dict[int, float]] = {}
        for term in found:
            columns: dict[int, float] = {}
            for shares, weight in ((self._names, weights.name), (self._parents, weights.parents)):
                for column, share in shares.get(term, ()):
                    columns[column] = columns.get(column, 0.0) + weight * share
            if columns:
                result[term] = columns
        return result


def classify(
    taxonomy: Taxonomy,
    products: Sequence[Product],
    cosines: Matrix | None,
    most: int = 3,
    most_evidence: int = 5,
) -> list[Result]:
    """Returns what is said of each product.

    Args:
        taxonomy: The categories.
        products: With their texts.
        cosines: Between products and categories, (products, categories); None for words alone.
        most: Alternatives of each.
        most_evidence: Words of each.
    """
    return [
        _classify(taxonomy, product, None if cosines is None else cosines[at], most, most_evidence)
        for at, product in enumerate(products)
    ]


def read_texts(product: Product) -> list[Text]:
    """Returns the titles: descriptions name many things that the product is not."""
    return [text for text in texts_of(product) if text.field == "titles"]


def scores(
    taxonomy: Taxonomy, found: Occurrences, cosines: Matrix | None
) -> tuple[Matrix, Matrix, dict[str, dict[int, float]]]:
    """Returns the score of each category, its part by vectors, and what each word added."""
    weights = BY_WORDS if cosines is None else BY_MEANING
    size = len(taxonomy.tree.categories)
    meaning = np.zeros(size) if cosines is None else weights.meaning * cosines
    added = taxonomy.added(found, weights)
    words = np.zeros(size)
    for columns in added.values():
        for column, value in columns.items():
            words[column] += value
    return meaning + words, meaning, added


def _classify(
    taxonomy: Taxonomy, product: Product, cosines: Matrix | None, most: int, most_evidence: int
) -> Result:
    texts = read_texts(product)
    found = occurrences(texts)
    total, meaning, added = scores(taxonomy, found, cosines)
    probabilities = softmax(total)
    best = int(np.argmax(probabilities))
    # By words alone, a product that shares none with any category could be anything.
    of_taxonomy = cosines is not None or bool(added)
    answer = decide(taxonomy.tree, probabilities, CALIBRATION, of_taxonomy=of_taxonomy)
    spoke = {term: columns[best] for term, columns in added.items() if best in columns}
    evidence = word_evidence(texts, found, spoke, most_evidence)
    verdict, stated = judge(taxonomy.tree, probabilities, answer, tuple(product.category_path))
    words = [term for term in found if not term.startswith("#") and " " not in term]
    return Result(
        product_id=product.id,
        answer=answer,
        alternatives=alternatives(taxonomy.tree, probabilities, CALIBRATION, most),
        evidence=evidence,
        bias=float(meaning[best]),
        other=float(total[best] - meaning[best]) - sum(each.contribution for each in evidence),
        score=float(total[best]),
        known_share=sum(term in added for term in words) / max(1, len(words)),
        verdict=verdict,
        stated_probability=stated,
    )


def _shares(
    texts: Sequence[frozenset[str]], idf: dict[str, float]
) -> dict[str, list[tuple[int, float]]]:
    """Returns term -> (category, share of the category's text that the term makes)."""
    found: dict[str, list[tuple[int, float]]] = {}
    for column, held in enumerate(texts):
        whole = sum(idf[term] for term in held)
        for term in held:
            found.setdefault(term, []).append((column, idf[term] / whole))
    return found
