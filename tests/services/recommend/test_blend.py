import numpy as np
import pytest

from services.recommend.blend import Blend, reciprocal_ranks, standardised
from services.recommend.ranking import mean_ndcg
from services.recommend.split import Held

ITEMS, USERS = 60, 400


def array(*values):
    return np.array(values, dtype=np.int32)


class ByRow:
    """Scores in the order of the users; histories carry the user's number by identity."""

    def __init__(self, scores, held):
        self.table = scores.astype(np.float32)
        self.rows = {id(history): row for row, history in enumerate(held.histories)}

    def fit(self, sequences):
        raise AssertionError

    def scores(self, histories):
        return self.table[[self.rows[id(history)] for history in histories]].copy()


@pytest.fixture
def held():
    rng = np.random.default_rng(6)
    targets = rng.integers(2, ITEMS, size=USERS).astype(np.int32)
    histories = tuple(array(0, 1)[: 1 + user % 2] for user in range(USERS))
    histories = tuple(history.copy() for history in histories)
    return Held(np.arange(USERS), histories, targets, 0)


def noisy(held, strength, seed):
    scores = np.random.default_rng(seed).normal(size=(USERS, ITEMS))
    scores[np.arange(USERS), held.targets] += strength
    return ByRow(scores, held)


def test_a_blend_of_two_halves_of_the_truth_beats_both(held):
    models = {"one": noisy(held, 2.0, 1), "other": noisy(held, 2.0, 2), "noise": noisy(held, 0, 3)}
    blend = Blend(models)
    figures = blend.fit_weights(held)
    own = mean_ndcg(blend, held)
    assert own > 1.1 * max(mean_ndcg(model, held) for model in models.values())
    assert figures[blend.settings] == max(figures.values())
    assert blend.weights["one"][0] > 2 * abs(blend.weights["noise"][0])


def test_combined_scores_are_the_blend_s_and_leave_out_what_was_seen(held):
    models = {"one": noisy(held, 2.0, 1), "other": noisy(held, 1.0, 2)}
    blend = Blend(models)
    blend.fit_weights(held)
    histories = held.histories[:6]
    given = {name: model.scores(histories) for name, model in models.items()}
    combined = blend.combine(given, histories)
    assert np.allclose(combined, blend.scores(histories), equal_nan=True)
    assert np.isneginf(combined[:, 0]).all()
    assert np.isfinite(combined[:, 2:]).all()


def test_standardised_scores_ignore_what_was_barred():
    scores = np.array([[1, 2, 3, -np.inf], [5, 5, 5, 5]], dtype=np.float32)
    found = standardised(scores)
    unit = np.sqrt(1.5)
    expected = [np.arcsinh(-unit), 0, np.arcsinh(unit), np.arcsinh(-unit)]
    assert found[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert found[1].tolist() == [0, 0, 0, 0]


def test_ranks_of_what_a_model_knows_nothing_of_are_none():
    ranks = reciprocal_ranks(np.array([[0, 3, 0, 1], [2, 2, 2, 2]], dtype=np.float32))
    assert ranks[0].tolist() == pytest.approx([0, 1, 0, 5 / 6])
    assert ranks[1].tolist() == [0, 0, 0, 0]
