"""What the shop did to a product's place: said of it whatever else is said, and never disguised.

That a place is paid for has to be said (Directive 2005/29/EC, annex I, 11a), and that something
runs low may only be said where it does (annex I, 7): by the units that the catalogue states, beside
the units that are expected to be sold.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from services.reason.clauses import say
from services.reason.facts import Claim, Fact, Scene
from services.reason.recheck_shop import LOW_DAYS, LOW_UNITS, SHOP_RECHECKS
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK

CODES: Final = ("sponsored", "overstock")
"""Of disclosures, which stand first of a reason's codes."""
_STRENGTH: Final = 1.0
_JOINED: Final = {"en": ("; ", "."), "zh": ("；", "。")}


def running_low(scene: Scene) -> Iterator[Fact]:
    """Yields that a product runs low, where it does and the shop lets reasons say so."""
    told, stock = scene.disclosure, scene.product.stock
    if told is None or not told.HasField("daily_demand") or told.daily_demand <= 0.0:
        return
    if stock.availability != AVAILABILITY_IN_STOCK or stock.quantity <= 0:
        return
    if stock.quantity <= min(LOW_DAYS * told.daily_demand, LOW_UNITS):
        yield Fact("running_low", "stock.quantity", f"{stock.quantity}", "", 0.38)


def disclosures(scene: Scene, language: str) -> list[Claim]:
    """Returns the claims that a reason must make, whatever words the shop never says."""
    told = scene.disclosure
    if told is None:
        return []
    facts: list[Fact] = []
    if told.sponsored:
        facts.append(Fact("sponsored", "disclosure.sponsored", "sponsored", "", _STRENGTH))
    if told.overstock:
        facts.append(Fact("overstock", "disclosure.overstock", "overstock", "", _STRENGTH))
    return [
        Claim(say(fact, language, scene.product.id), fact.code, (fact,))
        for fact in facts
        if SHOP_RECHECKS[fact.code](fact, scene)
    ]


def with_disclosures(text: str, claims: Sequence[Claim], language: str) -> str:
    """Returns a sentence with claims at its end: what was sent of it before stays as it is."""
    between, stop = _JOINED[language]
    if not text:
        joined = between.join(claim.text for claim in claims)
        return joined[:1].upper() + joined[1:] + stop
    return between.join([text.removesuffix(stop), *(claim.text for claim in claims)]) + stop
