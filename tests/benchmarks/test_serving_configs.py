"""Tests of what the benchmark of serving configs counts and lets nobody know."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.cross_recommendation import KINDS, Shop
from benchmarks.served_shop import Answer
from benchmarks.serving_configs import (
    CONFIGS,
    FOUND,
    GRAPH_ALONE,
    NO_GRAPH,
    SERVED,
    SIMILAR,
    TEXT_ALONE,
    TOGETHER,
    Asked,
    by_legs,
    events_of_others,
    found_order,
    kept_apart,
    measure_kind,
    section,
    served_folds,
    served_order,
    without_graph,
)
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.candidate_pb2 import LegScore

IDS = [f"p{number:02}" for number in range(40)]


@pytest.fixture
def shop() -> Shop:
    cosines = np.eye(len(IDS), dtype=np.float32)
    links = {
        "crosssell": [("p00", "p01"), ("p02", "p03"), ("p03", "p02"), ("p04", "p05")],
        "upsell": list(pairwise(IDS)),
        "related": [("p01", "p00"), ("p06", "p07")],
    }
    return Shop([Product(id=each) for each in IDS], links, dict.fromkeys(KINDS, 0), cosines)


def result(product_id: str, fused: float, *legs: tuple[str, int]) -> Result:
    made = Result(fused_score=fused, legs=[LegScore(leg=leg, rank=rank) for leg, rank in legs])
    made.product.id = product_id
    return made


def answer(*results: Result) -> Answer:
    return Answer(results, "any")


def test_no_event_joins_a_seed_with_what_it_is_measured_by(shop: Shop) -> None:
    for seed in IDS:
        bought = [
            {detail.product_id for detail in event.products}
            for event in events_of_others(shop, frozenset([seed]))
            if event.type == USER_EVENT_TYPE_PURCHASE
        ]
        answers = [set(link) for links in shop.links.values() for link in links if link[0] == seed]
        assert not [basket for basket in bought if basket in answers]
    without_p02 = events_of_others(shop, frozenset(["p02"]))
    # The way back of a held link tells as much as the way there.
    assert not any("p03" in {d.product_id for d in event.products} for event in without_p02)


def test_two_customers_follow_each_link_of_others(shop: Shop) -> None:
    events = events_of_others(shop, frozenset(["p20"]))
    users = [event.user_id for event in events]
    assert users.count("crosssell-p04-p05-0") == users.count("crosssell-p04-p05-1") == 1
    assert users.count("related-p06-p07-1") == 2  # one look a product
    assert len(set(users)) == 2 * (4 + 2)


def test_folds_hold_every_product_once_and_half_are_kept_apart(shop: Shop) -> None:
    folds = served_folds(shop)
    assert sorted(each for fold in folds for each in fold) == IDS
    apart = kept_apart(shop)
    assert len(apart) == len(IDS) // 2
    assert all(len(fold & apart) == len(fold) // 2 for fold in folds)


def test_orders_are_read_from_the_answer() -> None:
    page = answer(
        result("a", 0.1, ("similar", 1)),
        result("b", 0.3, ("complement", 2)),
        result("c", 0.2, ("complement", 1), ("bought_together", 1)),
    )
    assert served_order(page) == ["a", "b", "c"]
    assert found_order(page) == ["b", "c", "a"]
    assert by_legs(page, frozenset({"complement"})) == ["c", "b"]
    assert by_legs(page, frozenset({"step_up"})) == []
    similar = answer(result("d", 0.5, ("similar", 1)), result("c", 0.4, ("similar", 2)))
    assert without_graph(page, answer(), similar) == ["c", "d"]
    together = answer(result("e", 0.5, ("bought_together", 1)))
    assert without_graph(answer(), together, similar) == ["e", "d", "c"]


def test_recall_counts_what_was_found_and_the_section_tells_it(shop: Shop) -> None:
    asked = Asked()
    for kind, config in CONFIGS.items():
        for seed, other in shop.links[kind]:
            hit = answer(result(other, 1.0, ("step_up", 1)))
            asked.cold[config, seed] = answer()
            asked.warm[config, seed] = hit
            asked.warm[SIMILAR, seed] = asked.warm[TOGETHER, seed] = answer()
    recalls = {kind: measure_kind(shop, kind, asked) for kind in KINDS}
    up_sell = recalls["upsell"]
    assert set(up_sell[SERVED].values()) == set(up_sell[FOUND].values()) == {1.0}
    assert set(up_sell[NO_GRAPH].values()) == set(up_sell[GRAPH_ALONE].values()) == {0.0}
    assert up_sell[TEXT_ALONE]["p00"] == 1.0  # equal texts: the first ten by id
    assert up_sell[TEXT_ALONE]["p30"] == 0.0
    told = section(shop, dict.fromkeys(KINDS, up_sell))
    assert "39 seeds" in told
    assert "| **as served, with events** | 1.000 | 1.000 |" in told
