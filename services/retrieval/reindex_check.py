"""Whether two indexes of the same products answer alike: a sample of products is searched for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.retrieval.store.port import Hit, VectorIndex

_SAMPLE: Final = 50
_DEPTH: Final = 10
# The vectors are the same, so only ties and what is written meanwhile may differ.
_LEAST_EXACT: Final = 0.9
# Binary copies of vectors find half of them and are what their user wanted; less is a broken graph.
_LEAST_GRAPH: Final = 0.3


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
            ("words", self.sparse, _LEAST_EXACT),
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
        if product.dense is not None:
            truth = _found(ours.search_dense(product.dense, _DEPTH, exact=True))
            exact.append(_share(truth, theirs.search_dense(product.dense, _DEPTH, exact=True)))
            graph.append(_share(truth, theirs.search_dense(product.dense, _DEPTH)))
        if product.sparse.indices:
            truth = _found(ours.search_sparse(product.sparse, _DEPTH))
            sparse.append(_share(truth, theirs.search_sparse(product.sparse, _DEPTH)))
    return Agreement(len(sample), _mean(exact), _mean(sparse), _mean(graph))


def _found(hits: Iterable[Hit]) -> set[str]:
    return {hit.point for hit in hits}


def _share(truth: set[str], hits: Sequence[Hit]) -> float:
    return len(truth & _found(hits)) / len(truth) if truth else 1.0


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares) if shares else 1.0
