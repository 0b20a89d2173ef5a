"""Evidence of what lifted a product in the ranking."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.reason.clauses import say
from services.reason.facts import Claim, Fact, Scene
from services.reason.ranking_facts import ranking_facts
from services.reason.recheck import RECHECKS
from services.reason.verify import Verifier
from tests.services.reason.conftest import (
    build_contributions,
    build_known_scene,
    build_paying_scene,
    build_scene,
)

FACTS = [
    (build_known_scene, "seen_before", ("ranking.user_recency", "3")),
    (build_paying_scene, "price_like_yours", ("ranking.price_affinity", "299.0 CNY")),
    (build_scene, "rating_counted", ("ranking.rating", "4.65 1320")),
    (build_scene, "sales_counted", ("ranking.popularity", "120")),
]


def found(scene: Scene) -> dict[str, Fact]:
    return {fact.code: fact for fact in ranking_facts(scene)}


@pytest.mark.parametrize(("build", "code", "told"), FACTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_lifted_a_product_is_evidence_that_stands(
    build: Callable[[], Scene], code: str, told: tuple[str, str], language: str, verifier: Verifier
) -> None:
    scene = build()
    fact = found(scene)[code]
    assert (fact.source, fact.value) == told
    assert 0.0 < fact.strength < 1.0
    claim = Claim(say(fact, language, "p1"), code, (fact,))
    assert verifier.check(claim, scene, language).holds


@pytest.mark.parametrize(("build", "code", "told"), FACTS)
def test_without_its_contribution_nothing_is_said_and_nothing_stands(
    build: Callable[[], Scene], code: str, told: tuple[str, str]
) -> None:
    scene = build()
    fact = found(scene)[code]
    lowered = build_contributions(told[0].partition(".")[2])
    lowered[0].contribution = -0.02
    for contributions in ((), lowered):
        unlifted = replace(scene, contributions=contributions)
        assert code not in found(unlifted)
        assert not RECHECKS[code](fact, unlifted)
    other = fact.value.replace("1", "2").replace("3", "4").replace("9", "8")
    for wrong in (fact._replace(source="ranking.stock"), fact._replace(value=other)):
        assert not RECHECKS[code](wrong, scene)


def test_what_was_bought_or_long_ago_was_not_looked_at() -> None:
    assert found(build_known_scene("purchase")) == {}
    old = build_known_scene()
    assert old.user is not None
    old.user.recent_products[0].age_seconds = 90 * 86_400
    assert found(old) == {}


@pytest.mark.parametrize(("usual", "told"), [(240.0, True), (373.0, True), (230.0, False)])
def test_prices_are_alike_within_a_fifth(usual: float, told: bool) -> None:
    assert ("price_like_yours" in found(build_paying_scene(usual))) is told


def test_the_price_of_the_very_product_is_not_compared_with_itself() -> None:
    scene = build_paying_scene()
    fact = found(scene)["price_like_yours"]
    assert scene.user is not None
    scene.user.recent_products[0].product_id = scene.product.id
    assert found(scene) == {}
    assert not RECHECKS["price_like_yours"](fact, scene)


def test_views_are_no_sales() -> None:
    scene = build_scene()
    fact = found(scene)["sales_counted"]
    scene.product.statistics.view_count = 5_000
    assert "sales_counted" not in found(scene)
    assert not RECHECKS["sales_counted"](fact, scene)


def test_a_cause_is_given_of_the_choice_alone(verifier: Verifier) -> None:
    scene = build_scene()
    (history,) = (f for f in scene.user.recent_products) if scene.user else ()
    fact = Fact("because_you_viewed", "profile", history.title, history.product_id, 0.7)

    def cause(text: str) -> str:
        return verifier.check(Claim(text, fact.code, (fact,)), scene).cause

    assert not cause('it is here because you looked at "Trail pack 20 l"')
    assert not cause("因您看过“Trail pack 20 l”而推荐")
    assert not cause("您看过“Trail pack 20 l”，所以推荐它")
    assert cause('because you looked at "Trail pack 20 l"') == "cause"
    assert cause("因为您看过“Trail pack 20 l”") == "cause"
    price = Fact("discount", "price.list_amount", "25%", "", 0.45)
    for text in ("25% off because it is here", "所以推荐，比原价低25%"):
        assert verifier.check(Claim(text, "discount", (price,)), scene).cause == "cause"
