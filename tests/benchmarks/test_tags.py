import pytest

pytest.importorskip("sklearn", reason="the extra train is not installed")

import numpy as np

from benchmarks import tags
from benchmarks.tag_methods import METHODS, Fold, most_frequent
from benchmarks.tag_tables import Table
from benchmarks.tag_words import word_rates, words_table
from services.reason.tags.builder import build_vocabulary
from services.reason.tags.examples import Example
from services.reason.tags.passages import Passage

COLOURS = ("black", "white", "red")


def example(at, *, text=None, **stated):
    colour = COLOURS[at % 3]
    body = text or f"A cup in {colour}, number {at}."
    pairs = frozenset({("colour", colour), *stated.items()})
    return Example(f"p{at}", (Passage("descriptions.en", body),), ("Cups",), pairs)


def table(count=30):
    examples = [example(at, rare=f"value {at}") if at == 5 else example(at) for at in range(count)]
    return Table("toy", "en", examples, folds=3)


def test_every_method_tags_every_product_once(capsys):
    measured = tags.measure(table())
    assert set(measured.counts) == set(METHODS)
    assert (measured.products, measured.stated) == (
        30,
        30,
    )  # one product's own key is no vocabulary
    for counts in measured.counts.values():
        assert len(counts.right) == 30
        assert sum(counts.right) + sum(counts.missed) == 30
    assert sum(measured.counts["exact match"].right) == 30
    assert sum(measured.counts["ours"].right) == 30
    assert sum(measured.counts["most frequent of the category"].right) <= 30
    text = tags.section([measured], "points")
    assert "| exact match | 1.000 | 1.000 | 1.000 |" in text
    assert "colour (30)" in text
    capsys.readouterr()


def test_a_value_that_no_other_product_states_is_missed(capsys):
    examples = [example(at) for at in range(30)]
    odd = Example("odd", examples[0].passages, ("Cups",), frozenset({("colour", "puce")}))
    measured = tags.measure(Table("toy", "en", [*examples, odd], folds=3))
    assert all(sum(counts.missed) >= 1 for counts in measured.counts.values())
    capsys.readouterr()


def test_what_a_held_out_product_states_is_not_seen():
    train = [example(at) for at in range(12)]
    fold = Fold(train, [example(0)], build_vocabulary(train))
    hidden = Fold(train, [Example("h", (), ("Cups",), frozenset())], fold.vocabulary)
    assert np.array_equal(most_frequent(fold).shares, most_frequent(hidden).shares)


def test_calibration_error_is_the_mean_gap():
    told = np.array([0.25, 0.25, 0.75, 0.75])
    bins = tags.reliability(told, np.array([0.0, 0.0, 1.0, 0.0]))
    assert [count for count, _, _ in bins if count] == [2, 2]
    assert tags.calibration_error(bins) == pytest.approx(0.25)


def test_a_difference_has_an_interval():
    better = tags.Counts([2] * 40, [0] * 40, [0] * 40, {})
    worse = tags.Counts([1] * 40, [1] * 40, [1] * 40, {})
    assert tags.difference(better, worse) == pytest.approx((0.5, 0.5, 0.5))
    gap, low, high = tags.difference(better, better)
    assert (gap, low, high) == (0, 0, 0)


def test_words_are_judged_where_the_key_is_stated():
    named = example(0)  # black
    other = example(0, text="Goes with white cups.")
    without = Example("n", named.passages, (), frozenset({("style", "x")}))
    rates, told = word_rates(Table("toy", "en", [named, other, without]))
    assert rates["description"] == (2, 0.5)
    assert rates["title"] == (0, 0.0)
    assert told == pytest.approx(0.75, abs=0.01)
    assert "| toy |  | 0.500 (2) |  |  | 0.500 | 0.750 |" in words_table([("toy", (rates, told))])
