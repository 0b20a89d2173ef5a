import numpy as np
import pytest

from services.reason.classify.tree import CategoryTree, agree, roll_up

TREE = CategoryTree([("a", "b", "c"), ("a", "b", "d"), ("a", "e"), ("f",)])


def test_a_parent_has_what_its_categories_have_together():
    probabilities = np.array([0.4, 0.3, 0.2, 0.1])
    assert TREE.probability(("a",), probabilities) == pytest.approx(0.9)
    assert TREE.probability(("a", "b"), probabilities) == pytest.approx(0.7)
    assert TREE.probability(("f",), probabilities) == pytest.approx(0.1)
    assert TREE.probability(("g",), probabilities) == 0


def test_the_surest_parent_is_the_deepest_that_is_sure_enough():
    probabilities = np.array([0.4, 0.3, 0.2, 0.1])
    assert TREE.surest_parent(probabilities, 0.6) == (("a", "b"), pytest.approx(0.7))
    assert TREE.surest_parent(probabilities, 0.8) == (("a",), pytest.approx(0.9))
    assert TREE.surest_parent(probabilities, 0.95) is None


def test_a_category_without_others_below_is_no_parent():
    assert TREE.surest_parent(np.array([0.0, 0.0, 0.0, 1.0]), 0.5) is None
    assert not TREE.is_parent(("f",))


def test_paths_agree_when_one_begins_with_the_other():
    assert agree(("a",), ("a", "b"))
    assert agree(("a", "b"), ("a",))
    assert not agree(("a", "c"), ("a", "b"))


def test_small_categories_are_cut_back_until_they_are_large_enough():
    paths = [("a", "b", "c")] * 3 + [("a", "b", "d"), ("a", "b", "e"), ("a", "x", "y"), ("z",)]
    assert roll_up(paths, 2) == [("a", "b", "c")] * 3 + [("a", "b")] * 2 + [(), ()]
    assert roll_up([], 2) == []
