"""What spelling and expansion do to the sparse leg: `python -m benchmarks.query_rewriting`.

Ranks icecat's judged queries with BM25F offline, the same vectors that retrieval stores: as they
are, with each kind of expansion, and with one typing error put into each, before and after it is
corrected.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks import report
from benchmarks.data import icecat
from services.nlu import expansion
from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import ParseOptions, Understanding
from services.nlu.train.catalogue import count_terms, read_products
from services.nlu.train.typing_pairs import generate_blindly
from services.nlu.understanding import QueryReader
from services.retrieval.sparse import document_vector, query_vector
from shared.evaluation.judgments import Judgments, read_judgments
from shared.evaluation.report import NDCG, Ranking, score
from shared.evaluation.significance import paired_randomisation
from wherefore.common.v1.product_pb2 import Product

DEPTH = 100
SEED = 11
MIN_WORD = 5
HEADINGS = ("queries", "nDCG@10", "p against as they are", "queries changed")


@dataclass(frozen=True)
class SparseIndex:
    """BM25F weights with IDF worked in, products in columns."""

    ids: Sequence[str]
    dimensions: Mapping[int, int]
    weights: Any
    """csr_matrix, which has no element types: (dimensions, products)."""

    def rank(self, text: str, expansions: Iterable[tuple[str, float]]) -> list[str]:
        """The products that share a term with a query, best first, at most DEPTH."""
        vector = query_vector(text, expansions)
        terms = [
            (self.dimensions[index], value)
            for index, value in zip(vector.indices, vector.values, strict=True)
            if index in self.dimensions
        ]
        if not terms:
            return []
        rows = self.weights[[row for row, _ in terms]].multiply(
            np.array([value for _, value in terms])[:, None]
        )
        scores: NDArray[np.float64] = np.asarray(rows.sum(axis=0)).ravel()
        best = np.argsort(-scores, kind="stable")[:DEPTH]
        return [self.ids[at] for at in best if scores[at] > 0]


def build_index(products: Sequence[Product]) -> SparseIndex:
    """Index products as retrieval does, with Qdrant's IDF."""
    dimensions: dict[int, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for column, product in enumerate(products):
        vector = document_vector(product)
        rows += [dimensions.setdefault(index, len(dimensions)) for index in vector.indices]
        columns += [column] * len(vector.indices)
        values += vector.values
    seen = np.bincount(rows, minlength=len(dimensions))
    idf = np.log1p((len(products) - seen + 0.5) / (seen + 0.5))
    weights = csr_matrix(
        (np.array(values) * idf[rows], (rows, columns)), shape=(len(dimensions), len(products))
    )
    return SparseIndex([product.id for product in products], dimensions, weights)


def main() -> None:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    data = icecat()
    products = list(read_products([data.catalogue]))
    body = measure(products, read_judgments(data.judgments))
    print(body)
    if not options.no_write:
        report.update_section("query-rewriting", body)


def measure(products: Sequence[Product], judgments: Judgments) -> str:
    """Rank every query in every way; returns the section."""
    terms = count_terms(products)
    reader = QueryReader(terms)
    index = build_index(products)
    plain = {query: _ranked(index, reader.read(query), "none") for query in judgments}
    mistyped = {query: mistype(query, terms) for query in judgments}
    kept = ParseOptions(keep_spelling=True)
    systems = {
        "as they are": plain,
        "with the other language (before)": {
            query: _ranked(index, reader.read(query), "translations") for query in judgments
        },
        "with stand-ins for words without good matches (served)": {
            query: _ranked(index, reader.read(query), "served") for query in judgments
        },
        "with stand-ins for every word": _without_guard(index, reader, judgments),
        "one typing error each": {
            query: _ranked(index, reader.read(typed, kept), "served")
            for query, typed in mistyped.items()
        },
        "the same, corrected (served)": {
            query: _ranked(index, reader.read(typed), "served") for query, typed in mistyped.items()
        },
    }
    base = score(plain, judgments).by_query[NDCG]
    rows: list[list[str]] = []
    for name, rankings in systems.items():
        values = score(rankings, judgments).by_query[NDCG]
        changed = sum(rankings[query].full != plain[query].full for query in judgments)
        p = paired_randomisation(list(base.values()), [values[query] for query in base])
        rows.append([name, f"{np.mean(list(values.values())):.3f}", f"{p:.3f}", str(changed)])
    corrected = [reader.read(query) for query in judgments]
    wrong = sum(item.applied for each in corrected for item in each.corrections)
    typed = sum(query != other for query, other in mistyped.items())
    right = sum(
        reader.read(other).normalized_query == reader.read(query, kept).normalized_query
        for query, other in mistyped.items()
        if query != other
    )
    return "\n".join(
        [
            "## Query rewriting",
            "",
            report.provenance(
                "python -m benchmarks.query_rewriting",
                f"icecat, {len(products):,} products, {len(judgments)} judged queries (dev)",
            ),
            "",
            report.table(HEADINGS, rows),
            "",
            f"Sparse leg alone, BM25F offline. Of the queries as they are, {wrong} words were "
            f"corrected; of {typed} with a typing error (drawn without knowledge of the model, "
            f"in a word of {MIN_WORD} letters or more), {right} were restored.",
        ]
    )


def mistype(query: str, terms: CatalogueTerms) -> str:
    """Put one error into the longest word of a query that the catalogue knows, if there is one."""
    words = query.split()
    places = [
        at
        for at, word in enumerate(words)
        if len(word) >= MIN_WORD and word.isascii() and word.isalpha() and word.islower()
    ]
    if not places:
        return query
    at = max(places, key=lambda place: len(words[place]))
    random = Random(f"{SEED}{query}")  # noqa: S311 # a sample that can be drawn again
    typed = words[at]
    while typed in terms.known_words:
        typed = generate_blindly(words[at], random)
    return " ".join([*words[:at], typed, *words[at + 1 :]])


def _ranked(index: SparseIndex, read: Understanding, expanded: str) -> Ranking:
    pairs = [(item.expansion, item.weight) for item in read.expansions]
    if expanded == "none":
        pairs = []
    elif expanded == "translations":
        pairs = [pair for pair in pairs if not pair[0].isascii()]
    full = index.rank(read.search_text or read.query, pairs)
    return Ranking(full, full)


def _without_guard(
    index: SparseIndex, reader: QueryReader, judgments: Judgments
) -> dict[str, Ranking]:
    """What the guard is for: every word is expanded, however well the catalogue knows it."""
    rankings: dict[str, Ranking] = {}
    for query in judgments:
        read = reader.read(query)
        found = expansion.expand(read.entities, reader.terms, read.search_text, guarded=False)
        rankings[query] = _ranked(index, replace(read, expansions=tuple(found)), "served")
    return rankings


if __name__ == "__main__":
    main()
