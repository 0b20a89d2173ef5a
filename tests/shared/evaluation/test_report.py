import pytest

from shared.evaluation import report
from shared.evaluation.report import Ranking

JUDGMENTS = {"one": {"a": 3, "b": 0}, "two": {"c": 1}, "none": {"d": 0}}


def test_undefined_queries_are_left_out_of_the_averages():
    rankings = {
        "one": Ranking(["a"], ["a", "b"]),
        "two": Ranking(["x", "c"], ["c"]),
        "none": Ranking(["d"], ["d"]),
    }
    means = report.score(rankings, JUDGMENTS).means()
    assert means[report.NDCG] == pytest.approx((1 + 1 / 1.584962500721156) / 2)
    assert means[report.NDCG_JUDGED_ONLY] == 1.0
    assert means[report.MRR] == pytest.approx(0.75)
    assert means[report.RECALL] == 1.0
    # judged@10 needs no relevant product: all three queries count.
    assert means[report.JUDGED] == pytest.approx((1 + 0.5 + 1) / 3)


def test_a_query_without_a_ranking_scores_nothing():
    means = report.score({"one": Ranking(["a"], ["a"])}, JUDGMENTS).means()
    assert means[report.NDCG] == 0.5
    assert means[report.RECALL] == 0.5


def test_unjudged_products_take_no_place_among_the_judged():
    rankings = {"one": Ranking(["x", "y", "a"], ["x", "a"])}
    scored = report.score(rankings, {"one": JUDGMENTS["one"]})
    assert scored.by_query[report.NDCG_JUDGED_ONLY]["one"] == 1.0
    assert scored.by_query[report.NDCG]["one"] == 0.5


def test_a_measure_that_no_query_defines_has_no_average():
    means = report.score({}, {"none": {"d": 0}}).means()
    assert means[report.NDCG] is None
    assert means[report.JUDGED] == 0.0


def test_queries_without_relevant_are_named():
    assert report.queries_without_relevant(JUDGMENTS) == ["none"]


def test_every_measure_says_what_it_means():
    assert set(report.score({}, JUDGMENTS).by_query) <= set(report.CONVENTIONS)
