"""Counts of what people chose together."""

import random
from collections import defaultdict

import pytest

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.found import Tie

DAY = 86_400.0


def counts(window: float = DAY, back: int = 50) -> CoOccurrence:
    return CoOccurrence(Tie.BOUGHT_TOGETHER, window, back)


def told(together: CoOccurrence, product: str) -> dict[str, int]:
    return {f.product_id: f.evidence[0].customers for f in together.beside(product, 100)}


def test_one_actor_alone_says_nothing() -> None:
    together = counts()
    for at in range(5):
        together.count("u:1", ["a", "b"], at * 10 * DAY)
    assert told(together, "a") == {}
    together.count("u:2", ["b", "a"], 0.0)
    assert told(together, "a") == {"b": 2}
    assert told(together, "b") == {"a": 2}


def test_what_lies_apart_in_time_is_not_together() -> None:
    together = counts()
    for actor in ("u:1", "u:2"):
        together.count(actor, ["a"], 0.0)
        together.count(actor, ["b"], 2 * DAY)
        together.count(actor, ["c"], 2.5 * DAY)
    assert told(together, "a") == {}
    assert told(together, "b") == {"c": 2}


def test_events_may_come_in_any_order() -> None:
    forward, backward = counts(), counts()
    events = [("u:1", ["a"], 1.0), ("u:1", ["b"], 2.0), ("u:2", ["b"], 1.0), ("u:2", ["a"], 2.0)]
    for event in events:
        forward.count(*event)
    for event in reversed(events):
        backward.count(*event)
    assert told(forward, "a") == told(backward, "a") == {"b": 2}


def test_what_is_bought_with_everything_ranks_below_what_belongs() -> None:
    together = counts()
    for n in range(20):
        together.count(f"u:{n}", ["bag", f"x{n}"], 0.0)
    for n in range(20, 26):
        together.count(f"u:{n}", ["printer", "ink", "bag"], 0.0)
    found = together.beside("printer", 10)
    assert [f.product_id for f in found] == ["ink", "bag"]
    assert found[0].score > 2 * found[1].score
    assert [f.product_id for f in together.beside("printer", 1)] == ["ink"]


def test_what_meets_less_than_by_chance_is_left_out() -> None:
    together = counts()
    for n in range(30):
        together.count(f"u:{n}", ["tea"], 0.0)
        together.count(f"v:{n}", ["coffee"], 0.0)
    for n in range(2):
        together.count(f"w:{n}", ["tea", "coffee"], 0.0)
    assert told(together, "tea") == {}


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_distinct_actors(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    together = counts(window=1e9, back=1_000)
    had: defaultdict[str, set[str]] = defaultdict(set)
    for at in range(400):
        actor = f"u:{chance.randrange(12)}"
        products = [f"p{chance.randrange(8)}" for _ in range(chance.randrange(1, 4))]
        together.count(actor, products, float(at))
        had[actor] |= set(products)
    for one in range(8):
        for other, customers in told(together, f"p{one}").items():
            assert customers == sum({f"p{one}", other} <= some for some in had.values())


def test_links_are_the_pairs_that_say_something() -> None:
    together = counts()
    together.count("u:1", ["a", "b", "c"], 0.0)
    assert (together.links(), together.link_count) == ([], 0)
    together.count("u:2", ["a", "b"], 0.0)
    assert sorted(together.links()) == [("a", "b"), ("b", "a")]
    assert together.link_count == 2


def test_one_product_of_many_neighbours_keeps_the_most_frequent() -> None:
    together = counts()
    for n in range(2_200):
        together.count(f"u:{n}", ["hub", f"p{n}", "often" if n % 10 == 0 else f"q{n}"], 0.0)
    assert told(together, "hub")["often"] > 100


@pytest.mark.parametrize("seed", range(5))
def test_who_is_forgotten_might_never_have_been(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    events = [
        (f"u:{chance.randrange(6)}", chance.sample("abcdefgh", 2), chance.random() * 3 * DAY)
        for _ in range(120)
    ]
    everyone, others = counts(), counts()
    for event in events:
        everyone.count(*event)
        if event[0] != "u:3":
            others.count(*event)
    everyone.forget("u:3")
    everyone.forget("u:nobody")
    for product in "abcdefgh":
        assert told(everyone, product) == told(others, product)
        assert everyone.actors(product) == others.actors(product)
        assert everyone.beside(product, 9) == others.beside(product, 9)
    assert sorted(everyone.links()) == sorted(others.links())
