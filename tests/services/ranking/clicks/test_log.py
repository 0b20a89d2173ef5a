import numpy as np
import pytest

from services.ranking.clicks.behaviour import PositionBased
from services.ranking.clicks.log import NOT_SHOWN, ClickLog, simulate


def test_counts_are_by_row_and_place_and_leave_out_empty_places():
    log = ClickLog(
        3,
        np.array([[0, 2], [2, NOT_SHOWN], [0, 2]]),
        np.array([[True, False], [True, False], [False, True]]),
    )
    views, clicks = log.counts()
    assert views.tolist() == [[2, 0], [0, 0], [1, 2]]
    assert clicks.tolist() == [[1, 0], [0, 0], [1, 1]]


def test_pages_hold_rows_of_their_query_only_each_once():
    query = np.array([0, 0, 0, 1, 1])
    log = simulate(
        np.arange(5.0),
        np.full(5, 0.5),
        query,
        PositionBased(),
        np.random.default_rng(0),
        pages=20,
        places=4,
        temperature=1.0,
    )
    assert log.shown.shape == (40, 4)
    for page in log.shown[:20]:
        assert sorted(page) == [NOT_SHOWN, 0, 1, 2]
    assert set(log.shown[20:].ravel()) == {NOT_SHOWN, 3, 4}
    assert not log.clicked[log.shown == NOT_SHOWN].any()


@pytest.mark.parametrize(("temperature", "orders"), [(0.0, 1), (1.0, 6)])
def test_temperature_varies_the_order(temperature, orders):
    log = simulate(
        np.array([3.0, 2.0, 1.0]),
        np.ones(3),
        np.zeros(3, dtype=np.int64),
        PositionBased(),
        np.random.default_rng(0),
        pages=500,
        places=3,
        temperature=temperature,
    )
    seen = {tuple(page) for page in log.shown.tolist()}
    assert len(seen) == orders
    most = max(seen, key=lambda order: (log.shown == order).all(axis=1).sum())
    assert most == (0, 1, 2)
