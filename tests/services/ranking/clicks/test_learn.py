import numpy as np
import pytest

from services.ranking.clicks.behaviour import PositionBased, attraction, examination
from services.ranking.clicks.learn import fit_clicks, relevance
from services.ranking.clicks.log import ClickLog, simulate
from services.ranking.clicks.propensity import estimate_propensities

pytest.importorskip("lightgbm")


def test_a_click_where_few_look_stands_for_many():
    shown = np.tile([[0, 1]], (1_000, 1))
    clicked = np.zeros((1_000, 2), dtype=np.bool_)
    clicked[:400, 0] = True
    clicked[:200, 1] = True
    log = ClickLog(3, shown, clicked)
    assert relevance(log, np.ones(2))[:2] == pytest.approx([0.4, 0.2], abs=0.001)
    assert relevance(log, np.array([1.0, 0.5]))[:2] == pytest.approx([0.4, 0.4], abs=0.001)
    assert np.isnan(relevance(log, np.ones(2))[2])


def worth(random: np.random.Generator, queries: int):
    features = random.random((queries * 20, 4))
    score = features[:, 0] - features[:, 1] + random.normal(0, 0.1, len(features))
    ratings = np.digitize(score, np.quantile(score, [0.6, 0.8, 0.93]))
    return features, ratings, np.repeat(np.arange(queries), 20)


def mean_rating_of_the_first_three(trees, features, ratings, query) -> float:
    scores = np.asarray(trees.predict(features))
    found = []
    for number in np.unique(query):
        rows = np.flatnonzero(query == number)
        found.append(ratings[rows[np.argsort(-scores[rows])[:3]]].mean())
    return float(np.mean(found))


def test_weighted_clicks_teach_more_of_the_truth_than_clicks_as_they_are():
    random = np.random.default_rng(5)
    features, ratings, query = worth(random, 60)
    unseen = worth(random, 100)
    # The pages came from a ranker that goes by a feature without meaning.
    log = simulate(
        features[:, 2], attraction(ratings, 3), query, PositionBased(1.5), random, temperature=0.3
    )
    estimated = estimate_propensities(log).places
    assert estimated == pytest.approx(examination(10, 1.5), abs=0.1)
    naive = fit_clicks(features, relevance(log, np.ones(10)), query)
    weighted = fit_clicks(features, relevance(log, estimated), query)
    gain = mean_rating_of_the_first_three(weighted, *unseen) - mean_rating_of_the_first_three(
        naive, *unseen
    )
    assert gain > 0.1
