"""What the classification benchmark does to its data before it measures."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="training needs the extra `train`")

from benchmarks.category_data import without_names
from benchmarks.category_models import mean_figures
from benchmarks.category_names import Named, named_rows
from services.reason.classify.train.measure import Figures
from services.reason.classify.tree import CategoryTree
from services.reason.classify.zero_shot import ZeroShotWeights
from wherefore.common.v1.product_pb2 import Product

TREE = CategoryTree([("a",), ("b",)])


def test_the_words_of_the_category_are_taken_out_of_the_texts():
    product = Product(
        id="p",
        titles={"en": "Acme coffee-makers deluxe", "zh": "咖啡机"},
        descriptions={"en": "A Coffee maker."},
        category_path=["Drip coffee maker"],
    )
    (masked,) = without_names([product])
    assert "offee" not in masked.titles["en"] + masked.descriptions["en"]
    assert "Acme" in masked.titles["en"]
    assert "deluxe" in masked.titles["en"]
    assert masked.titles["zh"] == "咖啡机"
    assert product.titles["en"] == "Acme coffee-makers deluxe"


def test_a_mean_leaves_out_splits_that_lack_a_figure():
    one = Figures(10, *([0.5] * 11))
    other = Figures(12, *([0.7] * 5), float("nan"), *([0.7] * 5))
    mean = mean_figures([one, other])
    assert mean.products == 11
    assert mean.accuracy == pytest.approx(0.6)
    assert 0.5 in (mean.coverage, mean.precision)


def test_rows_are_of_the_half_that_nothing_was_tuned_on():
    names = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    queries = Named(names * 0, names, names * 0, np.array([0, 0, 0, 1]), TREE)
    assert queries.half(True).labels.tolist() == [0, 1]
    sure = queries.probabilities(ZeroShotWeights(0, 9, 0))
    assert sure.argmax(axis=1).tolist() == [0, 1, 0, 1]
    rows = named_rows({"x": queries})
    assert [row[1] for row in rows] == ["2"] * 3
    assert rows[1][2] == "50.0"
