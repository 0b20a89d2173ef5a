"""Data for learning to rank: the served features of every candidate, with what was judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.ranking.features import FEATURES, compute_features
from services.ranking.product_text import ProductTextCache
from services.ranking.query import view_query
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import Candidate

_MAX_TEXTS = 100_000


class DatasetError(ValueError):
    """A file holds no data for learning to rank; the message says why."""


@dataclass(frozen=True, slots=True)
class RankingData:
    """Candidates of judged queries, a query's rows together."""

    features: NDArray[np.float64]
    """(rows, len(FEATURES))."""
    ratings: NDArray[np.int64]
    """(rows,) 0 and up; 0 for what nobody judged, as in the measures."""
    judged: NDArray[np.bool_]
    """(rows,) whether somebody did."""
    query: NDArray[np.int64]
    """(rows,) number of the query, from 0, ascending."""
    ideals: Sequence[Sequence[int]]
    """By query: the ratings of all judged products, found or not, highest first."""
    texts: Sequence[str]
    """By query: as typed."""

    def rows(self, query: int) -> slice:
        """Returns the rows of one query."""
        start, end = np.searchsorted(self.query, [query, query + 1])
        return slice(int(start), int(end))

    def of_queries(self, numbers: Sequence[int]) -> Self:
        """Returns the data of some queries, numbered anew."""
        chosen = sorted(numbers)
        rows = np.concatenate([np.arange(len(self.query))[self.rows(number)] for number in chosen])
        renumbered = np.searchsorted(chosen, self.query[rows])
        return type(self)(
            self.features[rows],
            self.ratings[rows],
            self.judged[rows],
            renumbered.astype(np.int64),
            [self.ideals[number] for number in chosen],
            [self.texts[number] for number in chosen],
        )

    def group_sizes(self) -> NDArray[np.int64]:
        """Returns the number of candidates of each query, shape (queries,)."""
        return np.bincount(self.query, minlength=len(self.texts)).astype(np.int64)

    def save(self, path: Path) -> None:
        """Writes a compressed NumPy file, without pickles."""
        lengths = np.array([len(ideal) for ideal in self.ideals], dtype=np.int64)
        np.savez_compressed(
            path,
            names=np.array(FEATURES),
            features=self.features,
            ratings=self.ratings,
            judged=self.judged,
            query=self.query,
            ideals=np.array([rating for ideal in self.ideals for rating in ideal], dtype=np.int64),
            ideal_lengths=lengths,
            texts=np.array(self.texts),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            DatasetError: It is no such file, or of other features than those served now.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                if tuple(file["names"].tolist()) != FEATURES:
                    raise DatasetError(f"{path} holds other features: collect them again")
                ends = np.cumsum(file["ideal_lengths"])[:-1]
                return cls(
                    file["features"],
                    file["ratings"],
                    file["judged"],
                    file["query"],
                    [part.tolist() for part in np.split(file["ideals"], ends)],
                    file["texts"].tolist(),
                )
        except (OSError, KeyError, ValueError) as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"{path} holds no data for learning to rank: {error}") from error


Page = tuple[QueryUnderstanding, Sequence[Candidate]]


def build_dataset(
    pages: Mapping[str, Page], judgments: Mapping[str, Mapping[str, int]], now: float
) -> RankingData:
    """Computes the features of every candidate.

    A query of which nothing was found, or nothing is relevant, teaches nothing and is left out.

    Args:
        pages: By query: what it means, and its candidates.
        judgments: By query: ratings by product id.
        now: Seconds since the epoch, for freshness.

    Raises:
        DatasetError: No query is left.
    """
    texts = ProductTextCache(_MAX_TEXTS)
    kept = [text for text, (_, found) in pages.items() if found and any(judgments[text].values())]
    if not kept:
        raise DatasetError("no query has both candidates and a relevant product")
    features: list[NDArray[np.float64]] = []
    ratings: list[int] = []
    judged: list[bool] = []
    query: list[int] = []
    for number, text in enumerate(kept):
        understanding, candidates = pages[text]
        features.append(
            compute_features(view_query(understanding), candidates, None, texts, now).values
        )
        ratings += [judgments[text].get(c.product.id, 0) for c in candidates]
        judged += [c.product.id in judgments[text] for c in candidates]
        query += [number] * len(candidates)
    return RankingData(
        np.vstack(features),
        np.array(ratings, dtype=np.int64),
        np.array(judged, dtype=np.bool_),
        np.array(query, dtype=np.int64),
        [sorted(judgments[text].values(), reverse=True) for text in kept],
        kept,
    )
