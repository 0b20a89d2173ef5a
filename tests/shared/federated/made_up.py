"""Made-up shops for the tests of federated training."""

import numpy as np

from shared.federated.models import Task
from shared.federated.rows import Rows

WIDTH, LABELS = 6, 3
TASK = Task(kind="intent", width=WIDTH, names=("a", "b", "c"))


def intent_shop(examples: int, seed: int) -> Rows:
    """Utterances whose label is the largest of the first numbers."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(examples, WIDTH)).astype(np.float32)
    return Rows(
        features,
        features[:, :LABELS].argmax(axis=1).astype(np.float32),
        np.arange(examples, dtype=np.int64),
    )


def rank_shop(pages: int, seed: int) -> Rows:
    """Pages of two to five products, of which the first number attracts."""
    random = np.random.default_rng(seed)
    sizes = random.integers(2, 6, pages)
    features = random.random((int(sizes.sum()), WIDTH)).astype(np.float32)
    return Rows(
        features,
        (features[:, 0] * 3).astype(np.int64).astype(np.float32),
        np.repeat(np.arange(pages, dtype=np.int64), sizes),
    )
