import numpy as np

from services.ranking.clicks.behaviour import CART, PURCHASE, follow_through


def test_carts_and_purchases_are_part_of_clicks_and_grow_with_the_attraction():
    clicked = np.random.default_rng(0).random((40_000, 2)) < 0.5
    attraction = np.broadcast_to([1.0, 0.2], clicked.shape)
    carted, bought = follow_through(clicked, attraction, np.random.default_rng(1))
    assert not (carted & ~clicked).any()
    assert not (bought & ~carted).any()
    shares = carted.sum(axis=0) / clicked.sum(axis=0)
    np.testing.assert_allclose(shares, [CART, CART * 0.2], atol=0.01)
    assert abs(bought[:, 0].sum() / carted[:, 0].sum() - PURCHASE) < 0.03
