import math

import numpy as np
import pytest

from services.recommend.graph.cross_ranker import CrossRanker, fit
from services.recommend.graph.link_statistics import LinkStatistics
from services.recommend.graph.pair_features import GRAPH, TEXT, PairReader

CATEGORIES = {"s1": "shirts", "s2": "shirts", "t1": "trousers", "t2": "trousers", "h": "hats"}


@pytest.fixture
def reader(graph, shop):
    return PairReader(graph, shop)


def row(reader, seed, other, **fields):
    (values,) = reader.features(seed, [other], GRAPH, **fields)
    return dict(zip(GRAPH, values, strict=True))


def test_links_say_where_links_lead():
    about = LinkStatistics(CATEGORIES, [("s1", "t1"), ("s1", "t2"), ("s1", "gone")]).about("s2")
    assert about.complement("t1") > 0 > about.complement("h")
    assert about.complement("t1") == about.complement("t2")
    assert about.popularity("t1") == 0.0


def test_without_links_all_is_neutral():
    about = LinkStatistics(CATEGORIES, []).about("s1")
    assert [about.complement("t1"), about.popularity("t1"), about.picked("t1")] == [0.0] * 3


@pytest.mark.parametrize("own", [[("s1", "t1")], [("h", "s1")], [("s1", "t1"), ("h", "s1")]])
def test_a_seed_never_sees_its_own_links(own):
    others = [("s2", "t1"), ("s2", "t2"), ("h", "t2")]
    seen, unseen = (
        LinkStatistics(CATEGORIES, links).about("s1") for links in ([*others, *own], others)
    )
    for product in CATEGORIES:
        assert seen.complement(product) == unseen.complement(product)
        assert seen.popularity(product) == unseen.popularity(product)
        assert seen.picked(product) == unseen.picked(product)


def test_a_popular_product():
    about = LinkStatistics(CATEGORIES, [("s1", "t1"), ("h", "t1")]).about("s2")
    assert about.popularity("t1") == pytest.approx(math.log(4 / 3))
    assert about.picked("t1") == pytest.approx(math.log(3 / 2.5))
    assert about.popularity("t2") < 0


def test_features_of_a_pair(reader):
    pair = row(reader, "hoodie", "tee")
    assert pair["same_category"] == 0.0
    assert pair["same_path"] == pytest.approx(2 / 3)
    assert pair["audience"] == 1.0
    assert pair["activity"] == 0.5
    assert pair["cheaper"] == pytest.approx(math.log(2))
    assert pair["dearer"] == pair["dearer_kind"] == pair["complement"] == 0.0


def test_dearer_of_its_kind(reader):
    pair = row(reader, "camera2", "camera")
    assert pair["same_category"] == pair["dearer_kind"] == 1.0
    assert pair["dearer"] == pytest.approx(math.log(4 / 3))
    assert row(reader, "camera", "camera2")["cheaper_kind"] == 1.0


def test_compatible_and_unknown(reader):
    assert row(reader, "camera", "ink")["compatible"] == 1.0
    assert row(reader, "ink", "camera")["compatible"] == 1.0
    assert set(row(reader, "pin", "mat").values()) == {0.0}


def test_learnt_features_and_text(reader, links):
    statistics = LinkStatistics(reader.categories(), links)
    assert row(reader, "tee", "tights", links=statistics)["complement"] > 0
    values = reader.features("tee", ["mat", "pin"], [TEXT], texts={"mat": 0.5, "pin": -0.1})
    assert values.tolist() == [[0.5], [-0.1]]
    with pytest.raises(KeyError):
        reader.features("tee", ["gone"], GRAPH)


def test_a_ranker_says_what_each_feature_adds():
    ranker = CrossRanker(("a", "b"), (2.0, -1.0), 0.5)
    assert ranker.scores(np.array([[1.0, 1.0], [0.0, 3.0]])).tolist() == [1.5, -2.5]
    assert ranker.terms(np.array([1.0, 1.0])) == {"a": 2.0, "b": -1.0}
    with pytest.raises(ValueError, match="2 features"):
        ranker.scores(np.zeros((1, 3)))


def test_training_finds_the_feature_that_tells():
    pytest.importorskip("sklearn", reason="training needs scikit-learn, of the extra train")
    rng = np.random.default_rng(1)
    rows = np.hstack([rng.normal(size=(200, 2)), np.ones((200, 1))])
    ranker = fit(("tells", "noise", "constant"), rows, rows[:, 0] > 0)
    assert abs(ranker.weights[0]) > 5 * abs(ranker.weights[1])
    assert np.mean((ranker.scores(rows) > 0) == (rows[:, 0] > 0)) > 0.95


def test_training_needs_both_kinds_of_pairs():
    with pytest.raises(ValueError, match="pairs that are not"):
        fit(("a",), np.zeros((2, 1)), np.array([True, True]))
