"""Examples dealt to shops."""

import numpy as np
import pytest

from shared.federated.split import deal_out

LABELS = np.random.default_rng(0).integers(0, 10, 1_000)


def test_every_example_goes_to_one_shop_and_sizes_are_even() -> None:
    dealt = deal_out(LABELS, 24, 0.5, seed=3)
    assert sorted(np.concatenate(dealt).tolist()) == list(range(1_000))
    assert {len(own) for own in dealt} == {41, 42}


def test_the_seed_decides() -> None:
    first, again, other = (deal_out(LABELS, 7, 0.5, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_small_concentration_makes_shops_unlike() -> None:
    def largest_share(concentration: float) -> float:
        dealt = deal_out(LABELS, 20, concentration, seed=4)
        return float(np.mean([np.bincount(LABELS[own]).max() / len(own) for own in dealt]))

    assert largest_share(0.05) > 0.5
    assert largest_share(100.0) < 0.3


def test_more_shops_than_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="10 examples for 11 shops"):
        deal_out(LABELS[:10], 11, 0.5, seed=0)
