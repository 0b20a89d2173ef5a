import pytest

from services.ranking.features import compute_features
from services.ranking.product_text import ProductTextCache
from services.ranking.query import QueryView
from wherefore.retrieval.v1.candidate_pb2 import LegScore


def features(candidates):
    return compute_features(QueryView(), candidates, None, ProductTextCache(10), 0.0)


def test_the_cosine_stays_as_it_is_and_what_the_leg_left_out_is_no_nearer(make_candidate):
    made = [make_candidate("a", dense=0.5), make_candidate("b", dense=0.4), make_candidate("c")]
    assert features(made).column("dense_similarity") == pytest.approx([0.5, 0.4, 0.4])
    assert features(made[2:]).column("dense_similarity") == pytest.approx([0.0])
    below = make_candidate("d", dense=-0.2)
    assert features([below]).column("dense_similarity") == pytest.approx([0.0])


def test_the_cross_encoder_counts_by_log_odds_and_the_unasked_stand_with_the_worst(make_candidate):
    made = [make_candidate(name) for name in "abcd"]
    for candidate, probability in zip(made, (0.5, 1.0, 0.0), strict=False):
        candidate.legs.append(LegScore(leg="cross", rank=1, score=probability))
    assert features(made).column("cross_score") == pytest.approx([0.5, 1.0, 0.0, 0.0])
    assert features(made[3:]).column("cross_score") == pytest.approx([0.0])


def test_pictures_count_by_how_near_they_come_on_the_page(make_candidate):
    made = [make_candidate(name) for name in "abc"]
    for candidate, cosine in zip(made, (0.9, 0.7), strict=False):
        candidate.legs.append(LegScore(leg="picture", rank=1, score=cosine))
    assert features(made).column("picture_cosine") == pytest.approx([1.0, 0.0, 0.0])
    assert features(made[2:]).column("picture_cosine") == pytest.approx([0.0])
