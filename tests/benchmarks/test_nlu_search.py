from benchmarks import nlu_search
from shared.evaluation import report as scoring
from shared.evaluation.report import Ranking

JUDGMENTS = {f"q{number}": {"a": 3, "b": 0} for number in range(6)}


def systems(order):
    ranked = {query: Ranking(order, order) for query in JUDGMENTS}
    return dict.fromkeys(nlu_search.WITH_VECTORS, scoring.score(ranked, JUDGMENTS))


def test_each_system_is_told_before_and_after():
    body = nlu_search.section(systems(["b", "a"]), systems(["a", "b"]), "some data")
    for name in ("**whole path**", "both legs fused", "dense leg"):
        assert f"| {name} | 0.631 | 1.000 | +0.369 |" in body


def test_the_same_ranking_makes_no_difference():
    body = nlu_search.section(systems(["a", "b"]), systems(["a", "b"]), "some data")
    assert "| dense leg | 1.000 | 1.000 | +0.000 | 1.000 | 1.000 | 1.000 |" in body
