"""First vectors of items, from what stands near what: training starts where neighbours end.

Random vectors need many passes to learn what counts of pairs show at once; a transformer whose
item vectors factorise those counts ranks like item-item neighbours before its first step.

Sources: Levy and Goldberg, "Neural word embedding as implicit matrix factorization", NeurIPS 2014,
for the matrix; Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53(2),
2011, for its factorisation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.recommend.item_knn import ItemKnnSettings, pair_weights
from services.recommend.sequences import Sequences

NEARNESS = ItemKnnSettings(nearness=0.8, backward=1.0, user_power=0.0)
POWER_STEPS = 4
SPARE = 16
"""Columns of the factorisation beyond those wanted, for its precision."""


def item_vectors(
    sequences: Sequences, items: int, width: int, *, length: float, seed: int = 17
) -> NDArray[np.float32]:
    """Vectors whose products are near log(1 + how much likelier than chance two items are near).

    Args:
        sequences: Those that the model is fitted on.
        items: How many there are.
        width: Of a vector; columns beyond the number of items are near 0.
        length: Of every vector.
        seed: Of the factorisation, and of the vectors of items that stand near nothing.

    Returns:
        [items, width].
    """
    rng = np.random.default_rng(seed)
    pairs: Any = pair_weights(sequences, items, NEARNESS)
    sums = np.asarray(pairs.sum(axis=1)).ravel()
    entries = pairs.tocoo()
    expected = sums[entries.row] * sums[entries.col] / max(float(sums.sum()), 1e-9)
    entries.data = np.log1p(entries.data / expected).astype(np.float32)
    matrix = entries.tocsr()
    columns = min(items, width + SPARE)
    basis = rng.standard_normal((items, columns)).astype(np.float32)
    for _ in range(POWER_STEPS):
        basis = np.linalg.qr(matrix @ basis)[0]
    values, turned = np.linalg.eigh(basis.T @ (matrix @ basis))
    # Negative eigenvalues say what is unlike; only what is alike may be near.
    best = np.argsort(-values)[:width]
    found = (basis @ turned[:, best]) * np.sqrt(np.maximum(values[best], 0))
    vectors = np.zeros((items, width), dtype=np.float32)
    vectors[:, : found.shape[1]] = found
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unknown = norms[:, 0] < 1e-6  # noqa: PLR2004 - nothing but rounding
    vectors[unknown] = rng.standard_normal((int(unknown.sum()), width))
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors * (length / norms)).astype(np.float32)
