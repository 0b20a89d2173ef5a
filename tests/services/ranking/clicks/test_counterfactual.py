from itertools import permutations

import numpy as np
import pytest

from services.ranking.clicks.counterfactual import DR, IPS, LOGGED, SNIPS, evaluate_logs
from services.ranking.clicks.page_log import LoggedPage, PageLogError
from services.ranking.features import FEATURES

CANDIDATES, PLACES, LOOKED = 4, 3, np.array([1.0, 0.6, 0.3])
ORDERS = np.array(list(permutations(range(CANDIDATES), PLACES)))


class Shop:
    """A shop of which everything is known: what attracts, and how likely each order is."""

    def __init__(self, seed: int, queries: int = 60) -> None:
        self.random = np.random.default_rng(seed)
        self.features = np.zeros((queries, CANDIDATES, len(FEATURES)))
        self.features[:, :, :2] = self.random.random((queries, CANDIDATES, 2))
        # The logged ranker goes by the second feature, shoppers by the first (not in a line).
        self.attracts = 0.1 + 0.8 * self.features[:, :, 0] ** 2
        weights = np.exp(2.0 * self.features[:, :, 1])
        self.orders = np.array([[self.likely(w, order) for order in ORDERS] for w in weights])

    def likely(self, weights: np.ndarray, order: np.ndarray) -> float:
        """Plackett-Luce."""
        left, found = weights.sum(), 1.0
        for item in order:
            found *= weights[item] / left
            left -= weights[item]
        return found

    def log(self, pages: int) -> list[LoggedPage]:
        found = []
        for query in range(len(self.features)):
            for number in self.random.choice(len(ORDERS), pages, p=self.orders[query]):
                shown = ORDERS[number]
                propensities = np.array(
                    [
                        self.orders[query][ORDERS[:, place] == shown[place]].sum()
                        for place in range(PLACES)
                    ]
                )
                clicked = self.random.random(PLACES) < LOOKED * self.attracts[query][shown]
                found.append(
                    LoggedPage(f"q{query}", self.features[query], shown, propensities, clicked)
                )
        return found

    def value(self, scorer) -> float:
        best = [np.argsort(-scorer(f), kind="stable")[:PLACES] for f in self.features]
        return float(np.mean([LOOKED @ self.attracts[q][order] for q, order in enumerate(best)]))

    def logged_value(self) -> float:
        by_order = [self.attracts[q][ORDERS] @ LOOKED for q in range(len(self.features))]
        return float(np.mean([p @ v for p, v in zip(self.orders, by_order, strict=True)]))


def better(features):
    return features[:, 0]


def test_estimates_are_unbiased_and_the_robust_one_varies_least():
    errors: dict[str, list[float]] = {IPS: [], SNIPS: [], DR: []}
    for seed in range(12):
        shop = Shop(seed)
        found = evaluate_logs(shop.log(30), better)
        for name, values in errors.items():
            values.append(found.estimates[name].value.mean - shop.value(better))
    for values in errors.values():
        standard_error = np.std(values, ddof=1) / len(values) ** 0.5
        assert abs(np.mean(values)) < 4 * standard_error
    assert np.std(errors[DR]) < np.std(errors[IPS])


def test_a_better_ranker_is_seen_to_be_better_than_what_was_logged():
    shop = Shop(1)
    found = evaluate_logs(shop.log(60), better)
    assert shop.value(better) > shop.logged_value()
    for name in (IPS, SNIPS, DR):
        estimate = found.estimates[name]
        assert estimate.value.low < shop.value(better) < estimate.value.high
        assert estimate.gain.low > 0
    logged = found.estimates[LOGGED]
    assert logged.value.mean == pytest.approx(shop.logged_value(), abs=0.05)
    assert logged.gain == type(logged.gain)(0.0, 0.0, 0.0)
    assert found.mean_weight == pytest.approx(1.0, abs=0.1)
    assert (found.pages, found.queries, found.clipped) == (3_600, 60, 0.0)
    assert 0 < found.effective_results < 3_600 * PLACES * found.agreement + 1


def test_wrong_propensities_show_in_the_mean_weight():
    pages = [
        LoggedPage(p.query, p.features, p.shown, p.propensities / 3, p.clicked)
        for p in Shop(2).log(20)
    ]
    assert evaluate_logs(pages, better).mean_weight > 2.5


def test_large_weights_are_cut_and_counted():
    found = evaluate_logs(Shop(3).log(10), better, largest_weight=1.5)
    assert 0 < found.clipped < 1


def test_the_same_ranker_that_always_shows_one_order_earns_what_was_logged():
    random = np.random.default_rng(0)
    pages = []
    for query in range(20):
        features = np.zeros((3, len(FEATURES)))
        features[:, 0] = [0.9, 0.5, 0.1]
        clicked = random.random(3) < 0.5
        pages.append(LoggedPage(f"q{query}", features, np.arange(3), np.ones(3), clicked))
    found = evaluate_logs(pages, better)
    for name in (IPS, SNIPS, DR):
        assert found.estimates[name].value.mean == pytest.approx(found.estimates[LOGGED].value.mean)
    assert (found.agreement, found.mean_weight) == (1.0, 1.0)


def test_one_query_is_too_few():
    with pytest.raises(PageLogError, match="two queries"):
        evaluate_logs(Shop(0, queries=1).log(5), better)
