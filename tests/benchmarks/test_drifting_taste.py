import numpy as np
import pytest

from benchmarks import drifting_services, drifting_taste
from benchmarks.drifting_shop import (
    FIRST_TASTE,
    PLACES,
    SEVERITY,
    Shop,
    attraction,
    tastes,
    worth,
)
from benchmarks.drifting_taste import FROZEN, ONLINE, Simulation
from services.ranking.clicks.behaviour import PositionBased
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.ranker import Ranker
from services.ranking.weights import load_weights
from wherefore.orchestrator.v1.experiment_service_pb2 import ArmReport, ExperimentReport


def test_the_best_order_is_never_beaten():
    random = np.random.default_rng(1)
    shop = Shop(Ranker(load_weights(DEFAULT_WEIGHTS), 100), random)
    (taste,) = tastes(1, shop.brands, random, drifts=False)
    for search in shop.searches[:5]:
        attracts = attraction(search, taste)
        best = worth(np.argsort(-attracts).tolist(), attracts)
        for _ in range(20):
            assert worth(random.permutation(len(attracts)).tolist(), attracts) <= best


def test_taste_wanders_and_then_turns_from_one_page_to_the_next():
    found = np.array([t.wants for t in tastes(300, 5, np.random.default_rng(2), drifts=True)])
    assert found[0].tolist() == FIRST_TASTE.tolist()
    steps = np.abs(np.diff(found, axis=0)).max(axis=1)
    assert steps.argmax() == 199
    assert steps[199] > 10 * np.delete(steps, 199).max()
    stays = tastes(300, 5, np.random.default_rng(2), drifts=False)
    assert all(each is stays[0] for each in stays)


def test_the_same_seed_gives_all_systems_the_same_shoppers_and_itself_the_same_run():
    def run(system: str) -> np.ndarray:
        return Simulation(3, system, PositionBased(SEVERITY), 200, drifts=True).run()

    frozen, online = run(FROZEN), run(ONLINE)
    assert frozen[:, 1].tolist() == online[:, 1].tolist()
    # Alike until enough was learnt to serve, and another order afterwards.
    assert frozen[0, 0] == online[0, 0]
    assert frozen[-20:, 0].tolist() != online[-20:, 0].tolist()
    assert online.tolist() == run(ONLINE).tolist()


def test_the_table_compares_with_the_frozen_weights():
    random = np.random.default_rng(4)
    found = {FROZEN: [random.random(5) for _ in range(4)]}
    found[ONLINE] = [run + 0.1 for run in found[FROZEN]]
    rows = drifting_taste.rows_of("taste", found)
    assert rows[0][3:] == ["", "", ""]
    assert rows[1][3].startswith("+0.100")
    assert rows[1][5] == "4 of 4"


def test_the_served_section_names_arms_and_lifts():
    arms = [ArmReport(arm="weights"), ArmReport(arm="online")]
    for arm in arms:
        arm.metrics.add(metric="click", converted_users=3, lift=1.5, lift_low=0.5, lift_high=2.5)
    body = drifting_services.section(
        {"weights": [1.0] * 6, "online": [2.0] * 6}, ExperimentReport(arms=arms), "m+online@9"
    )
    assert "| online | 6 | 2.00 (2.00 to 2.00) |" in body
    assert "1.50 (0.50 to 2.50)" in body
    assert "m+online@9" in body


def test_likes_of_the_served_shop_follow_the_search():
    shoppers = drifting_services.Shoppers(np.random.default_rng(5))
    query = shoppers.queries[0]
    ids = list(shoppers.number)
    likes = shoppers.likes(query, ids, 0.5)
    inside = np.array([shoppers._leaf[shoppers.number[i]] == query for i in ids])
    assert inside.sum() >= 2 * PLACES
    assert likes[inside].mean() > 1.5 * likes[~inside].mean()
    assert shoppers.likes(query, ids[:9], 0.0) != pytest.approx(shoppers.likes(query, ids[:9], 1.0))
