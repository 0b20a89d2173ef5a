"""Vectors of characters by co-occurrence: where an embedding table starts.

Positive pointwise mutual information factored by SVD (Levy and Goldberg, 2014), which takes seconds
and gives what the first thousand steps of masked language modelling are spent on.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import scipy.sparse.linalg
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from services.nlu.learnt.tokens import TokenRow
from services.nlu.train.arrays import to_tensor
from services.nlu.train.ngrams import bigram_buckets

_svds = cast("Any", scipy.sparse.linalg).svds  # scipy leaves its types open

REACH = 3
"""Neighbours to either side that count, nearer ones more."""


def character_vectors(
    rows: Sequence[TokenRow], vocabulary: int, dimension: int
) -> NDArray[np.float32]:
    """Returns (vocabulary, dimension) vectors of mean 0."""
    stream = np.concatenate([row.ids for row in rows]).astype(np.int64)
    counts = csr_matrix((vocabulary, vocabulary), dtype=np.float64)
    for distance in range(1, REACH + 1):
        left, right = stream[:-distance], stream[distance:]
        pairs = _counted(left, right, (vocabulary, vocabulary), 1.0 / distance)
        counts = counts + pairs + pairs.T
    vectors = _factored(counts, dimension)
    return (vectors - vectors.mean(axis=0)).astype(np.float32)


def bigram_vectors(
    rows: Sequence[TokenRow], vocabulary: int, buckets: int, dimension: int
) -> NDArray[np.float32]:
    """Returns (buckets, dimension) vectors of hashed bigrams, 0 for those that no text has.

    A bigram keeps the company of the characters around it.
    """
    stream = np.concatenate([row.ids for row in rows]).astype(np.int64)
    grams = bigram_buckets(to_tensor(stream)[None], buckets)[0].numpy()
    counts = csr_matrix((buckets, vocabulary), dtype=np.float64)
    for distance in range(1, REACH + 1):
        shape = (buckets, vocabulary)
        before = _counted(grams[distance:], stream[:-distance], shape, 1.0 / distance)
        after = _counted(grams[: -distance - 1], stream[distance + 1 :], shape, 1.0 / distance)
        counts = counts + before + after
    vectors = _factored(counts, dimension)
    return (vectors * (0.1 / vectors.std())).astype(np.float32)


def _counted(
    left: NDArray[np.int64], right: NDArray[np.int64], shape: tuple[int, int], weight: float
) -> Any:
    return coo_matrix((np.full(len(left), weight), (left, right)), shape=shape).tocsr()


def _factored(counts: Any, dimension: int) -> NDArray[np.float64]:
    # Context counts are flattened, as word2vec flattens its negative samples.
    of_row = np.asarray(counts.sum(axis=1)).ravel() + 1e-9
    of_context = (np.asarray(counts.sum(axis=0)).ravel() + 1e-9) ** 0.75
    of_context /= of_context.sum()
    cells = counts.tocoo()
    information = np.log(cells.data / of_row[cells.row] / of_context[cells.col])
    kept = information > 0
    positive = csr_matrix(
        (information[kept], (cells.row[kept], cells.col[kept])), shape=counts.shape
    )
    rank = min(dimension, min(counts.shape) - 1)
    left, strength, _ = _svds(positive, k=rank, random_state=0)
    vectors = np.zeros((counts.shape[0], dimension))
    vectors[:, :rank] = left * np.sqrt(strength)
    return vectors
