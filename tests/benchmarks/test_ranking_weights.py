import numpy as np
import pytest

from benchmarks import ranking_weights as rw
from services.ranking.features import FEATURES
from services.ranking.query import QueryView
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.candidate_pb2 import Candidate


def page(scores, cross):
    table = np.zeros((len(scores), len(FEATURES)))
    table[:, FEATURES.index("fused_score")] = scores
    ids = [f"p{n}" for n in range(len(scores))]
    return rw.Page(ids, table, [Candidate(product=Product(id=i)) for i in ids], cross)


def weights(**named):
    return np.array([named.get(name, 0.0) for name in FEATURES])


def test_the_cross_encoder_has_a_say_among_the_first_alone(monkeypatch):
    monkeypatch.setattr(rw, "CROSS_READ", 2)
    shown = page([0.9, 0.8, 0.7], [0.1, 0.9, 0.99])
    query = rw.Query(QueryView(), {}, shown, shown)
    given = weights(fused_score=1.0, cross_score=1.0)
    assert rw.ranked(query, shown, given, precise=False) == ["p0", "p1", "p2"]
    assert rw.ranked(query, shown, given, precise=True) == ["p1", "p0", "p2"]


def test_both_figures_of_a_query():
    shown = page([0.9, 0.8], [0.5, 0.5])
    query = rw.Query(QueryView(), {"p1": 3}, shown, shown)
    figures = rw.measure([query], weights(fused_score=1.0), precise=False)
    assert figures == pytest.approx(np.array([[1 / np.log2(3)], [1.0]]))


def test_left_out_queries_are_ranked_by_what_was_best_on_the_others():
    # The first setting is best on every query but by little; the second shines on one alone.
    figures = np.full((2, 2, 10), 0.8)
    figures[0] += 0.01
    figures[1, :, 3] = 0.83
    means, spread = rw.out_of_fold(figures)
    assert means == pytest.approx([0.81, 0.81])
    assert spread == pytest.approx([0.0, 0.0], abs=1e-12)
