"""Vectors of characters by co-occurrence: where an embedding table starts.

Positive pointwise mutual information factored by SVD (Levy and Goldberg, 2014), which takes seconds
and gives what the first thousand steps of masked language modelling are spent on.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.linalg import svds

from services.nlu.learnt.tokens import TokenRow

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
        weight = np.full(len(left), 1.0 / distance)
        pairs = coo_matrix((weight, (left, right)), shape=(vocabulary, vocabulary)).tocsr()
        counts = counts + pairs + pairs.T
    # Context counts are flattened, as word2vec flattens its negative samples.
    of_row = np.asarray(counts.sum(axis=1)).ravel() + 1e-9
    of_context = of_row**0.75
    of_context /= of_context.sum()
    cells = counts.tocoo()
    information = np.log(cells.data / of_row[cells.row] / of_context[cells.col])
    kept = information > 0
    positive = csr_matrix(
        (information[kept], (cells.row[kept], cells.col[kept])), shape=counts.shape
    )
    left, strength, _ = svds(positive, k=dimension, random_state=0)
    vectors = left * np.sqrt(strength)
    return (vectors - vectors.mean(axis=0)).astype(np.float32)
