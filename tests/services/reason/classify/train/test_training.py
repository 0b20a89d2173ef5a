"""Parts, thresholds and figures."""

from itertools import combinations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="training needs the extra `train`")

from services.reason.classify.features import Text
from services.reason.classify.train.calibrate import Scores, choose, fit_temperature
from services.reason.classify.train.examples import (
    Example,
    TooFewProductsError,
    examples_of,
    split,
    variants,
)
from services.reason.classify.train.measure import calibration_error, macro_f1, risk_coverage
from services.reason.classify.train.run import train
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import quantise
from tests.services.reason.classify.conftest import shop_products


def test_no_product_and_no_variant_is_in_two_parts():
    products = shop_products(20)
    for at, product in enumerate(products):
        product.variant_group_id = f"group-{at // 2}"
    examples = examples_of(products, 4)
    parts = split(examples, seed=3)
    assert sum(map(len, parts.values())) == len(products)
    assert all(parts.values())
    groups = [{example.group for example in found} for found in parts.values()]
    assert not any(one & other for one, other in combinations(groups, 2))
    assert {e.category for e in parts["train"]} == {e.category for e in examples}
    assert split(examples, seed=3) == parts
    assert split(examples, seed=4) != parts


def test_a_shop_without_two_categories_cannot_be_learnt():
    with pytest.raises(TooFewProductsError):
        examples_of(shop_products(10)[:10], 4)
    with pytest.raises(TooFewProductsError):
        examples_of([], 4)


def test_a_product_is_learnt_in_the_forms_it_may_come_in():
    texts = [Text("titles", "en", "a"), Text("titles", "zh", "b"), Text("descriptions", "en", "c")]
    forms = variants(texts)
    assert texts in forms
    assert [texts[1]] in forms
    assert [texts[0], texts[2]] in forms
    assert texts[:2] in forms
    assert variants(texts[:1]) == [texts[:1]]


def scores_of(rows, labels):
    return Scores(np.array(rows, float), np.ones(len(rows)), np.array(labels, dtype=np.intp))


def test_the_temperature_brings_overconfident_scores_down():
    chance = np.random.default_rng(0)
    labels = chance.integers(0, 3, 600)
    said = np.where(chance.random(600) < 0.7, labels, (labels + 1) % 3)
    found = scores_of(np.eye(3)[said] * 10, labels)
    temperature = fit_temperature(found)
    assert temperature > 2
    before = calibration_error(found.probabilities(1.0), found.labels)
    assert calibration_error(found.probabilities(temperature), found.labels) < before / 5


def test_the_temperature_has_an_end_where_all_are_right():
    assert 0.05 < fit_temperature(scores_of(np.eye(3) * 5, [0, 1, 2])) < 20


def test_thresholds_keep_the_promise_on_products_never_seen():
    chance = np.random.default_rng(1)
    labels = chance.integers(0, 4, 4_000)
    found = scores_of(np.eye(4)[labels] * 2 + chance.normal(0, 1, (4_000, 4)), labels)
    tree = CategoryTree([("a",), ("b",), ("c",), ("d",)])
    first, rest = (
        Scores(found.scores[part], found.known[part], found.labels[part])
        for part in (slice(0, 2_000), slice(2_000, None))
    )
    temperature = fit_temperature(first)
    calibration = choose(first, tree, temperature, 0.9)
    probabilities = rest.probabilities(temperature)
    said = probabilities.max(axis=1) >= calibration.category_threshold
    right = probabilities.argmax(axis=1) == rest.labels
    assert calibration.promised_precision == 0.9
    assert right.mean() < 0.85  # the promise is not kept by itself
    assert said.mean() > 0.3
    assert right[said].mean() == pytest.approx(0.9, abs=0.025)
    truth = probabilities[np.arange(len(rest.labels)), rest.labels]
    assert (truth >= calibration.set_threshold).mean() == pytest.approx(0.9, abs=0.025)


def test_too_few_products_promise_nothing():
    tree = CategoryTree([("a",), ("b",)])
    calibration = choose(scores_of([[9, 0]] * 5, [0] * 5), tree, 1.0, 0.95)
    assert calibration.promised_precision == 0
    assert calibration.category_threshold == 0.95
    assert calibration.set_coverage == 0


def test_figures():
    truth, said = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    assert macro_f1(truth, said) == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    sure = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    coverage, risk = risk_coverage(sure, np.array([0, 1, 1]))
    assert coverage == pytest.approx([1 / 3, 2 / 3, 1])
    assert risk == pytest.approx([0, 0, 1 / 3])
    assert calibration_error(np.array([[1.0, 0.0]] * 4), np.array([0, 0, 0, 1])) == pytest.approx(
        0.25
    )


def test_eight_bits_are_close():
    weights = np.random.default_rng(2).normal(size=(50, 3)) * [1, 10, 0]
    steps, scales = quantise(weights)
    assert np.abs(steps * scales - weights).max() <= scales.max() / 2 + 1e-6


def test_training_is_the_same_again_and_right_on_the_test_part(trained_shop):
    again = train(examples_of(shop_products(), 4), "shop/1")
    assert np.array_equal(again.model.weights.steps, trained_shop.model.weights.steps)
    assert again.model.calibration == trained_shop.model.calibration
    assert trained_shop.figures.products == len(trained_shop.test_examples) == 24
    assert trained_shop.figures.accuracy == 1


def test_of_two_categories_both_have_weights():
    products = shop_products(20)[:40]
    trained = train(examples_of(products, 4), "two/1")
    assert trained.model.weights.steps.shape[1] == 2
    assert trained.figures.accuracy == 1


def test_a_category_that_only_the_other_parts_hold_is_refused():
    examples = [Example("a", [Text("titles", "en", "x")], ("one",))]
    with pytest.raises(TooFewProductsError):
        train(
            examples,
            "x/1",
            parts={"train": examples, "calibration": [], "selection": [], "test": []},
        )
