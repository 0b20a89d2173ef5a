"""Examples dealt out to shops that are unlike each other.

Each shop has a mix of labels of its own, drawn from a Dirichlet distribution around the overall mix
(Hsu, Qi and Brown, "Measuring the effects of non-identical data distribution for federated visual
classification", 2019): the smaller the concentration, the more a shop has of few labels only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def deal_out(
    labels: NDArray[np.int64], shops: int, concentration: float, seed: int
) -> list[NDArray[np.int64]]:
    """Deals every example to one shop; sizes differ by one at most.

    Args:
        labels: (examples,) what each is of.
        shops: How many; at most as many as examples.
        concentration: Of the Dirichlet distribution, above 0.
        seed: The same one gives the same shops.

    Returns:
        By shop: numbers of its examples, ascending.
    """
    if not 0 < shops <= len(labels):
        raise ValueError(f"{len(labels)} examples for {shops} shops")
    random = np.random.default_rng(seed)
    kinds, numbers = np.unique(labels, return_inverse=True)
    pools = [random.permutation(np.flatnonzero(numbers == kind)) for kind in range(len(kinds))]
    left = np.array([len(pool) for pool in pools])
    prior = left / left.sum()
    sizes = np.full(shops, len(labels) // shops)
    sizes[: len(labels) % shops] += 1
    dealt: list[NDArray[np.int64]] = []
    for size in random.permutation(sizes):
        mix = random.dirichlet(np.maximum(concentration * len(kinds) * prior, 1e-3))
        own: list[int] = []
        for _ in range(size):
            # Labels that are used up leave their share to those that are not.
            open_mix = np.where(left > 0, mix + 1e-12, 0.0)
            kind = int(random.choice(len(kinds), p=open_mix / open_mix.sum()))
            left[kind] -= 1
            own.append(int(pools[kind][left[kind]]))
        dealt.append(np.sort(np.array(own, dtype=np.int64)))
    return dealt
