"""Whether two indexes of the same products answer alike: a sample of products is searched for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.retrieval.store.conditions import Condition, PointIn
from services.retrieval.store.port import Hit, SparseVector, VectorIndex

_SAMPLE: Final = 50
_DEPTH: Final = 10
# The vectors are the same, so only what is written meanwhile may differ.
_LEAST_EXACT: Final = 0.9
# How rare words are differs too: the older index still counts what was replaced.
_LEAST_SPARSE: Final = 0.7
# Binary copies of vectors find half of them and are what their user wanted; less is a broken graph.
_LEAST_GRAPH: Final = 0.3
_ROUNDING: Final = 1e-4
# A product that is written between two searches changes how rare words are.
_RARITY_CHANGES: Final = 0.02

_Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares of the first ten of the index that answers that the other one finds too, 0 to 1."""

    searches: int = 0
    """Products of the sample."""
    exact: float = 1.0
    """By dense vectors, each compared with all."""
    sparse: float = 1.0
    """By words."""
    graph: float = 1.0
    """By dense vectors, as searches are answered, against the true first ten."""

    @property
    def problem(self) -> str:
        """Why the other index is not to be taken; empty where it may be."""
        for name, share, least in (
            ("exact vectors", self.exact, _LEAST_EXACT),
            ("words", self.sparse, _LEAST_SPARSE),
            ("the graph", self.graph, _LEAST_GRAPH),
        ):
            if share < least:
                return f"by {name} it finds {share:.0%} of the first {_DEPTH}, not {least:.0%}"
        return ""


def compare(ours: VectorIndex, theirs: VectorIndex, check: Callable[[], None]) -> Agreement:
    """Searches for a sample of products in both.

    Args:
        ours: The index that answers.
        theirs: The one that is to answer.
        check: Called before each search; what it raises ends the comparison.
    """
    points = ours.points()
    sample = ours.copies(points[:: max(1, len(points) // _SAMPLE)][:_SAMPLE])
    exact: list[float] = []
    sparse: list[float] = []
    graph: list[float] = []
    for product in sample:
        check()
        if (vector := product.dense) is not None:

            def by_vector(where: Condition | None, sought: _Vector = vector) -> list[Hit]:
                return ours.search_dense(sought, _DEPTH, where, exact=True)

            one_by_one = theirs.search_dense(vector, _DEPTH, exact=True)
            exact.append(_share(by_vector, one_by_one, _ROUNDING))
            graph.append(_share(by_vector, theirs.search_dense(vector, _DEPTH), _ROUNDING))
        if (words := product.sparse).indices:

            def by_words(where: Condition | None, sought: SparseVector = words) -> list[Hit]:
                return ours.search_sparse(sought, _DEPTH, where)

            found = theirs.search_sparse(words, _DEPTH)
            sparse.append(_share(by_words, found, _RARITY_CHANGES))
    return Agreement(len(sample), _mean(exact), _mean(sparse), _mean(graph))


def _share(
    ours: Callable[[Condition | None], list[Hit]], theirs: Sequence[Hit], slack: float
) -> float:
    """Counts hits that are as good for our index as its last one: any of equals may be found."""
    truth = ours(None)
    if not truth:
        return 1.0
    least = truth[-1].score - slack * abs(truth[-1].score)
    scored = ours(PointIn(tuple(hit.point for hit in theirs)))
    return sum(hit.score >= least for hit in scored) / len(truth)


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares) if shares else 1.0
