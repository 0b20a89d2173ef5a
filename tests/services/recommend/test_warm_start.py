import numpy as np
import pytest

from services.recommend.warm_start import item_vectors

RING = 24


def test_what_stands_near_begins_near(ring):
    vectors = item_vectors(ring, RING, 8, length=2.0)
    assert vectors.shape == (RING, 8)
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([2.0] * RING, abs=1e-4)
    products = vectors @ vectors.T
    near = [products[item, (item + 1) % RING] for item in range(RING)]
    far = [products[item, (item + RING // 2) % RING] for item in range(RING)]
    assert min(near) > max(far)


def test_it_is_repeatable(ring):
    one, other = (item_vectors(ring, RING, 8, length=1.0) for _ in range(2))
    assert np.array_equal(one, other)


def test_few_items_and_items_that_nobody_had_have_vectors_too():
    sequences = [np.array([0, 1], dtype=np.int32), np.array([1, 0], dtype=np.int32)]
    vectors = item_vectors(sequences, 4, 8, length=1.0)
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1.0] * 4, abs=1e-4)


def test_sequences_without_pairs_are_no_error():
    vectors = item_vectors([np.array([2], dtype=np.int32)], 3, 4, length=1.0)
    assert np.isfinite(vectors).all()
