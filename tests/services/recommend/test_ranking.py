import math

import numpy as np
import pytest

from services.recommend.ranking import mean_ndcg, measure_lists, top, user_shares, without_seen
from services.recommend.split import leave_one_out


def array(*values):
    return np.array(values, dtype=np.int32)


def test_figures_by_hand():
    lists = np.array([[3, 1, 2], [0, 1, 4], [0, 1, -1]], dtype=np.int32)
    shares = np.array([0.5, 0.25, 0.5, 0.125, 1.0, 0.5])
    measured = measure_lists(lists, array(3, 4, 5), shares)
    assert measured.ndcg.tolist() == pytest.approx([1.0, 1 / math.log2(4), 0.0])
    assert measured.hits.tolist() == [True, True, False]
    assert measured.coverage == pytest.approx(5 / 6)
    assert measured.novelty == pytest.approx((3 + 2 + 1 + 1 + 2 + 0 + 1 + 2) / 8)
    assert measured.means()["hr@10"] == pytest.approx(2 / 3)


def test_the_first_ten_of_all_items_are_listed_best_first():
    scores = np.random.default_rng(1).random((5, 200)).astype(np.float32)
    assert top(scores).tolist() == np.argsort(-scores, axis=1)[:, :10].tolist()


def test_what_was_seen_is_never_listed_even_when_little_is_left():
    scores = np.arange(6, dtype=np.float32)[None].repeat(2, axis=0)
    lists = top(without_seen(scores, [array(5, 4), array(0, 1, 2, 3, 4)]))
    assert lists.tolist() == [[3, 2, 1, 0, -1, -1], [5, -1, -1, -1, -1, -1]]


def test_ties_fall_to_the_lower_number():
    assert top(np.zeros((1, 4), dtype=np.float32), 4).tolist() == [[0, 1, 2, 3]]


def test_shares_count_users_once():
    shares = user_shares([array(0, 0, 1), array(1, 2)], 4)
    assert shares.tolist() == [0.5, 1.0, 0.5, 0.5]


def test_a_model_sees_histories_and_never_targets():
    class Spy:
        def __init__(self):
            self.seen = []

        def fit(self, sequences):
            raise AssertionError

        def scores(self, histories):
            self.seen += [list(map(int, history)) for history in histories]
            return np.zeros((len(histories), 9), dtype=np.float32)

    held = leave_one_out([array(0, 1, 2, 3), array(4, 5, 6, 7, 8)]).test
    spy = Spy()
    mean_ndcg(spy, held)
    assert spy.seen == [[0, 1, 2], [4, 5, 6, 7]]
