import math

import numpy as np
import pytest

from services.recommend.content import Content, ContentSettings
from services.recommend.factorisation import Als, AlsSettings, Bpr, BprSettings
from services.recommend.item_knn import ItemKnn, ItemKnnSettings
from services.recommend.popularity import Popularity
from services.recommend.ranking import top, without_seen
from services.recommend.sequences import Attributes

COSINE = ItemKnnSettings(nearness=1, backward=1, user_power=0, target_power=0.5, recency=1)


def array(*values):
    return np.array(values, dtype=np.int32)


def test_popularity_counts():
    model = Popularity(4)
    model.fit([array(0, 1), array(1, 2), array(1)])
    assert model.scores([array(0), array(3)]).tolist() == [[1, 3, 1, 0]] * 2


def test_neighbours_are_cosines_without_weights():
    model = ItemKnn(4, COSINE)
    model.fit([array(0, 1), array(2, 0), array(1, 2), array(0, 1, 3)])
    expected = [0, 2 / math.sqrt(3 * 3), 1 / math.sqrt(3 * 2), 1 / math.sqrt(3)]
    assert model.scores([array(0)])[0].tolist() == pytest.approx(expected)
    both = model.scores([array(0, 2)])[0]
    assert both[1] == pytest.approx(2 / 3 + 1 / math.sqrt(2 * 3))


def test_neighbours_weigh_distance_order_users_and_age():
    settings = ItemKnnSettings(
        nearness=0.5, backward=0.25, user_power=1, target_power=0.5, recency=0.5
    )
    model = ItemKnn(3, settings)
    model.fit([array(0, 1, 2)])
    assert model.scores([array(0)])[0].tolist() == pytest.approx([0, 1 / 3, 1 / 6])
    assert model.scores([array(2)])[0].tolist() == pytest.approx([1 / 24, 1 / 12, 0])
    assert model.scores([array(0, 1)])[0].tolist() == pytest.approx([1 / 12, 1 / 6, 1 / 12 + 1 / 3])


def test_neighbours_without_pairs_score_nothing():
    model = ItemKnn(3)
    model.fit([array(0), array(2)])
    assert model.scores([array(0)]).tolist() == [[0, 0, 0]]


def test_content_finds_what_shares_the_rare_attribute():
    # Items 0-3 share "common"; 0 and 3 also share "rare"; 4 has none.
    attributes = Attributes(("common", "rare"), array(0, 0, 1, 2, 3, 3), array(0, 1, 0, 0, 0, 1))
    model = Content(5, attributes, ContentSettings(recency=1.0))
    model.fit([])
    scores = model.scores([array(0), array(4)])
    assert scores[0, 3] == pytest.approx(1.0)
    assert 0 < scores[0, 1] == scores[0, 2] < 1
    assert scores[0, 4] == 0
    assert scores[1].tolist() == [0] * 5


@pytest.fixture
def two_worlds():
    """Users have items of 0-9 or of 10-19, never of both."""
    rng = np.random.default_rng(4)
    return [(rng.permutation(10)[:5] + 10 * (user % 2)).astype(np.int32) for user in range(200)]


@pytest.mark.parametrize(
    "model",
    [
        Als(20, AlsSettings(factors=2)),
        Bpr(20, BprSettings(factors=8, iterations=60)),
        ItemKnn(20),
    ],
    ids=lambda model: type(model).__name__,
)
def test_collaborative_models_stay_in_the_user_s_world(model, two_worlds):
    model.fit(two_worlds)
    # Fitted users, and histories that were not fitted.
    histories = [*two_worlds[:40], array(0, 3, 7), array(11, 12, 19)]
    lists = top(without_seen(model.scores(histories), histories), 3)
    worlds = np.array([history[0] // 10 for history in histories])
    assert (lists // 10 == worlds[:, None]).mean() > 0.97


def test_factors_are_repeatable(two_worlds):
    for make in (lambda: Als(20), lambda: Bpr(20, BprSettings(iterations=5))):
        first, second = make(), make()
        first.fit(two_worlds)
        second.fit(two_worlds)
        one, other = first.scores(two_worlds[:5]), second.scores(two_worlds[:5])
        assert np.allclose(one, other, atol=1e-5)
