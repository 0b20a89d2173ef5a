"""Recall of the approximate search against exact search: `python -m benchmarks.ann_recall`.

The suite's embedded store (Qdrant's engine) with its own settings, over vectors of icecat's
products and over a larger set, whole and quantised; real shoppers' queries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers, report
from benchmarks.data import icecat, shopping_queries
from services.retrieval.config import RetrievalSettings
from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.layout import Layout, Quantisation
from services.retrieval.store.port import SparseVector, StoredProduct, point_id

CACHE = report.ROOT / ".wherefore" / "benchmarks"
K = 10
WANTED = 0.98
QUERIES = 500
LARGER = 60_000
NEIGHBOURS = 10
BATCH = 1_000
WARM_UP = 20
TRIED: Sequence[tuple[Quantisation, tuple[float, ...]]] = (
    ("none", (1,)),
    ("int8", (1, 2)),
    ("binary", (1, 4, 10)),
)
"""Quantisations with the oversampling factors that are measured over one graph."""
BYTES = {"none": 4.0, "int8": 1.0, "binary": 1 / 8}

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Measured:
    """One quantisation and oversampling over one set."""

    points: int
    quantisation: Quantisation
    oversampling: float
    build_seconds: float
    recall: float
    """Mean share of the exact first 10 that the search found."""
    milliseconds: Sequence[float]

    def row(self, components: int) -> list[str]:
        """Its line of the table."""
        whole = self.quantisation == "none"
        return [
            f"{self.points:,}",
            "whole vectors" if whole else self.quantisation,
            "–" if whole else f"{self.oversampling:g}",
            f"{self.recall:.4f}" + ("" if self.recall >= WANTED else " (below)"),
            *(f"{np.percentile(self.milliseconds, q):.2f}" for q in (50, 99)),
            f"{self.points * components * BYTES[self.quantisation] / 2**20:.1f}",
            f"{self.build_seconds:.0f}",
        ]


def larger(vectors: Vectors, points: int, seed: int = 3) -> Vectors:
    """More vectors of the same kind: each new one lies between a product and one of its neighbours.

    Args:
        vectors: Unit vectors, (products, components); they are the first of the answer.
        points: How many there are to be.
        seed: The same seed gives the same vectors.
    """
    rng = np.random.default_rng(seed)
    first = rng.integers(len(vectors), size=max(points - len(vectors), 0))
    made = [vectors[:points]]
    for start in range(0, len(first), BATCH):
        part = first[start : start + BATCH]
        near = np.argpartition(-(vectors[part] @ vectors.T), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        other = vectors[near[np.arange(len(part)), rng.integers(NEIGHBOURS, size=len(part))]]
        share = rng.uniform(0.2, 0.8, size=(len(part), 1)).astype(np.float32)
        # A little noise parts those that were made of the same pair.
        mixed = share * vectors[part] + (1 - share) * other
        mixed += rng.normal(scale=0.01, size=mixed.shape).astype(np.float32)
        made.append(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))
    return np.concatenate(made).astype(np.float32)


def exact(vectors: Vectors, queries: Vectors) -> list[set[str]]:
    """Points of the K nearest of each query, by all cosines."""
    found: list[set[str]] = []
    for query in queries:
        best = np.argpartition(-(vectors @ query), K)[:K]
        found.append({point_id(_name(int(n))) for n in best})
    return found


@contextmanager
def opened(folder: Path, layout: Layout) -> Iterator[EdgeStore]:
    """The store in a folder, closed at the end."""
    store = EdgeStore(folder, layout)
    store.open()
    try:
        yield store
    finally:
        store.close()


def fill(folder: Path, layout: Layout, vectors: Vectors) -> float:
    """Write vectors into a new store and build its graph; returns the seconds of the latter."""
    with opened(folder, layout) as store:
        for start in range(0, len(vectors), BATCH):
            numbers = range(start, min(start + BATCH, len(vectors)))
            store.write([_product(n, vectors[n]) for n in numbers])
        begun = time.perf_counter()
        store.optimize()
        return time.perf_counter() - begun


def measure(vectors: Vectors, queries: Vectors) -> list[Measured]:
    """Every quantisation of one set."""
    wanted = exact(vectors, queries)
    settings = RetrievalSettings()
    measured: list[Measured] = []
    for quantisation, factors in TRIED:
        _say(f"{len(vectors):,} vectors, {quantisation}")
        layout = Layout(
            dimension=vectors.shape[1],
            hnsw_m=settings.hnsw_m,
            hnsw_ef_construct=settings.hnsw_ef_construct,
            hnsw_ef=settings.hnsw_ef,
            quantisation=quantisation,
        )
        with tempfile.TemporaryDirectory() as name:
            seconds = fill(Path(name), layout, vectors)
            for factor in factors:
                with opened(Path(name), replace(layout, oversampling=factor)) as store:
                    recall, taken = search(store, queries, wanted)
                measured.append(
                    Measured(len(vectors), quantisation, factor, seconds, recall, taken)
                )
    return measured


def search(
    store: EdgeStore, queries: Vectors, wanted: Sequence[set[str]]
) -> tuple[float, list[float]]:
    """Recall of all queries, and the milliseconds of each after some that are not counted."""
    for query in queries[:WARM_UP]:
        store.search_dense(query, K)
    taken: list[float] = []
    hits = 0
    for query, best in zip(queries, wanted, strict=True):
        begun = time.perf_counter()
        found = store.search_dense(query, K)
        taken.append(1e3 * (time.perf_counter() - begun))
        hits += len(best & {item.point for item in found})
    return hits / (K * len(queries)), taken


def section(measured: Sequence[Measured], components: int, queries: int) -> str:
    """The section of RESULTS.md."""
    settings = RetrievalSettings()
    headings = (
        "vectors",
        "searched first",
        "oversampling",
        f"recall@{K}",
        "p50 ms",
        "p99 ms",
        "searched MiB",
        "graph built, s",
    )
    return "\n".join(
        [
            "## Recall of approximate search",
            "",
            report.provenance(
                "python -m benchmarks.ann_recall",
                f"icecat's products and {queries} real queries, all-MiniLM-L6-v2",
            ),
            "",
            report.table(headings, [one.row(components) for one in measured]),
            "",
            f"The embedded store as the suite runs it: HNSW with m {settings.hnsw_m}, "
            f"{settings.hnsw_ef_construct} candidates while building and {settings.hnsw_ef} while "
            f"searching. Wanted: at least {WANTED}. Quantised candidates are scored again with the "
            "whole vectors. The set above icecat's own size is icecat and points between each "
            "product and one of its 10 neighbours.",
        ]
    )


def main() -> int:
    """Prints the section, and writes it into benchmarks/RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=LARGER, help="of the larger set")
    parser.add_argument("--queries", type=int, default=QUERIES, help="how many are asked")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    corpus = peers.read_corpus(icecat().catalogue)
    model = peers.sentence_encoder()
    vectors = peers.sentence_vectors(corpus.vector_texts, CACHE, model)
    asked = shopping_queries()["en"][: options.queries]
    queries = np.asarray(model.encode(asked, normalize_embeddings=True), dtype=np.float32)
    measured = measure(vectors, queries)
    if options.points > len(vectors):
        measured += measure(larger(vectors, options.points), queries)
    body = section(measured, vectors.shape[1], len(asked))
    sys.stdout.write(body + "\n")
    if not options.no_write:
        report.update_section("ann_recall", body)
    return 0


def _product(number: int, vector: Vectors) -> StoredProduct:
    nothing = SparseVector((0,), (1.0,))
    return StoredProduct(_name(number), sparse=nothing, payload={}, dense=vector)


def _name(number: int) -> str:
    return f"p{number}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
