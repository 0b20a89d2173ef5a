import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evaluation import metrics

RATINGS = {"a": 3, "b": 2, "c": 0, "d": 1}


def test_dcg_matches_the_hand_computation():
    # Gains 7, 3, 1 at ranks 1, 2, 3 with discounts 1, log2(3), 2.
    assert metrics.dcg([3, 2, 1]) == pytest.approx(7 + 3 / math.log2(3) + 1 / 2)


def test_dcg_of_nothing_is_zero():
    assert metrics.dcg([]) == 0.0


def test_ndcg_matches_the_hand_computation():
    ideal = 7 + 3 / math.log2(3) + 1 / 2
    # "x" was not judged: it takes a rank and gains nothing.
    found = 3 + 0 / math.log2(3) + 7 / 2
    assert metrics.ndcg(["b", "x", "a"], RATINGS) == pytest.approx(found / ideal)


def test_ndcg_cuts_the_ranking_and_the_ideal_at_k():
    assert metrics.ndcg(["b", "a"], RATINGS, k=1) == pytest.approx(3 / 7)


def test_ndcg_without_any_relevant_product_is_undefined():
    assert metrics.ndcg(["a"], {"a": 0}) is None
    assert metrics.ndcg(["a"], {}) is None


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [(["c", "d", "a"], 1 / 2), (["a"], 1.0), (["c", "x"], 0.0), ([], 0.0)],
)
def test_reciprocal_rank(ranking, expected):
    assert metrics.reciprocal_rank(ranking, RATINGS) == pytest.approx(expected)


def test_reciprocal_rank_stops_at_k_and_minds_the_threshold():
    assert metrics.reciprocal_rank(["c", "a"], RATINGS, k=1) == 0.0
    assert metrics.reciprocal_rank(["d", "a"], RATINGS, relevant_rating=2) == 0.5
    assert metrics.reciprocal_rank(["a"], {"a": 0}) is None


def test_recall_counts_relevant_products_within_k():
    assert metrics.recall(["a", "c", "d"], RATINGS) == pytest.approx(2 / 3)
    assert metrics.recall(["c", "a"], RATINGS, k=1) == 0.0
    assert metrics.recall(["a"], {"a": 0}) is None


def test_judged_divides_by_what_was_returned():
    assert metrics.judged(["a", "x", "c"], RATINGS) == pytest.approx(2 / 3)
    assert metrics.judged(["x", "a"], RATINGS, k=1) == 0.0
    assert metrics.judged([], RATINGS) == 0.0


def test_condensed_drops_the_unjudged_and_keeps_the_order():
    assert metrics.condensed(["x", "b", "y", "a"], RATINGS) == ["b", "a"]


@pytest.mark.parametrize(
    "measure", [metrics.ndcg, metrics.reciprocal_rank, metrics.recall, metrics.judged]
)
def test_a_repeated_product_is_refused(measure):
    with pytest.raises(ValueError, match="twice"):
        measure(["a", "a"], RATINGS)


ids = st.text("abcdefghij", min_size=1, max_size=3)
judgements = st.dictionaries(ids, st.integers(0, 3), min_size=1, max_size=25)
rankings = st.lists(ids, unique=True, max_size=30)


@given(rankings, judgements)
def test_every_measure_lies_between_zero_and_one(ranking, ratings):
    for measure in (metrics.ndcg, metrics.reciprocal_rank, metrics.recall, metrics.judged):
        value = measure(ranking, ratings)
        assert value is None or 0.0 <= value <= 1.0


@given(judgements)
def test_the_order_of_the_ratings_is_perfect(ratings):
    best_first = sorted(ratings, key=lambda product_id: -ratings[product_id])
    value = metrics.ndcg(best_first, ratings)
    assert value is None if not any(ratings.values()) else value == pytest.approx(1.0)


@given(rankings, judgements, st.randoms(use_true_random=False))
def test_the_order_of_the_judgements_does_not_matter(ranking, ratings, random):
    items = list(ratings.items())
    random.shuffle(items)
    for measure in (metrics.ndcg, metrics.reciprocal_rank, metrics.recall, metrics.judged):
        assert measure(ranking, ratings) == measure(ranking, dict(items))


@given(rankings, judgements, st.randoms(use_true_random=False))
def test_what_lies_beyond_k_does_not_matter(ranking, ratings, random):
    head, tail = ranking[:10], ranking[10:]
    random.shuffle(tail)
    assert metrics.ndcg(ranking, ratings, 10) == metrics.ndcg(head + tail, ratings, 10)


@given(rankings, judgements)
def test_a_better_rated_product_first_never_lowers_ndcg(ranking, ratings):
    for upper in range(min(len(ranking) - 1, 9)):
        swapped = list(ranking)
        swapped[upper], swapped[upper + 1] = swapped[upper + 1], swapped[upper]
        before, after = metrics.ndcg(ranking, ratings), metrics.ndcg(swapped, ratings)
        if before is None or after is None:
            return
        if ratings.get(swapped[upper], 0) >= ratings.get(swapped[upper + 1], 0):
            assert after >= before - 1e-12
