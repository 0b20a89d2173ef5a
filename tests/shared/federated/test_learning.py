"""What a shop learns, and what is made of what shops learnt."""

import numpy as np
import pytest

from shared.federated.learning import clipped, difference, norm, train, weighted_mean
from tests.shared.federated.made_up import TASK, intent_shop


def test_the_mean_is_weighted_by_hand() -> None:
    first = [np.array([[1.0, 2.0]]), np.array([4.0])]
    second = [np.array([[5.0, -2.0]]), np.array([0.0])]
    mean = weighted_mean([(first, 3.0), (second, 1.0)])
    np.testing.assert_allclose(mean[0], [[(3 * 1 + 5) / 4, (3 * 2 - 2) / 4]])
    np.testing.assert_allclose(mean[1], [3.0])


def test_a_long_update_is_cut_to_the_norm_and_a_short_one_stays() -> None:
    update = [np.array([3.0]), np.array([[4.0]])]
    assert norm(update) == 5.0
    short = clipped(update, 1.0)
    assert norm(short) == pytest.approx(1.0)
    np.testing.assert_allclose(short[1] / short[0], [[4.0 / 3.0]])
    assert [array.tolist() for array in clipped(update, 9.0)] == [[3.0], [[4.0]]]
    assert [array.tolist() for array in clipped([np.zeros(2)], 1.0)] == [[0.0, 0.0]]


def test_training_lowers_the_loss_and_leaves_what_it_began_with() -> None:
    model, rows = TASK.model(), intent_shop(60, seed=7)
    before = model.initial()
    after = train(
        model, before, rows, epochs=20, batch=8, learning_rate=0.5,
        random=np.random.default_rng(0),
    )  # fmt: skip
    assert norm(before) == 0.0
    assert model.loss(after, rows) < 0.5 * model.loss(before, rows)
    np.testing.assert_allclose(difference(after, before)[0], after[0])
