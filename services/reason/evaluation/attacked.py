"""The verifier under attack with claims of pages that a suite answered, each made false."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.evaluation.attacks import attacks
from services.reason.facts import Claim, Fact, PagePrices, Scene
from services.reason.verify import Verifier
from shared.category_path import category_text
from shared.evaluation.claims import Record, Seen
from shared.evaluation.reasons.collect import BESIDE, GivenReason, ReasonPage
from shared.evaluation.reasons.falsified import Noticed
from shared.text.document import title_of
from wherefore.common.v1.user_profile_pb2 import RecentProduct, UserProfile
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

_ROWS: Final = 3
"""Products of a page that are attacked."""
_OTHERS: Final = 3
"""Pages that lend their first product's evidence."""


def attack_pages(pages: Sequence[ReasonPage], *, every: int = 4) -> Noticed:
    """Attacks the verifier.

    Args:
        pages: See `shared.evaluation.reasons.collect`.
        every: Of the pages, one in so many is attacked.

    Returns:
        False claims by kind of attack, with those that were rejected.
    """
    verifier = Verifier(DEFAULT_BANNED_WORDS)
    noticed = Noticed()
    with_reasons = [page for page in _known(pages) if page.reasons]
    for number, page in enumerate(with_reasons[::every]):
        others = [scene_of(other, other.reasons[0]) for other in with_reasons[number + 1 :: 7]]
        for given in page.reasons[:_ROWS]:
            scene, language = scene_of(page, given), given.reason.language_code or "en"
            said = [claim for claim in said_claims(given) if verifier.check(claim, scene).holds]
            for attack in attacks(scene, others[:_OTHERS], language, said):
                claim = attack.claim
                rejected = not verifier.check(claim, attack.scene).holds
                noticed.note(attack.kind, f"{claim.text} ({claim.code})", rejected=rejected)
    return noticed


def refused(pages: Sequence[ReasonPage]) -> tuple[int, int]:
    """Returns how many claims the pages make, and how many of them the verifier refuses.

    A verifier that refuses everything withstands any attack; what was served it must let stand.
    """
    verifier = Verifier(DEFAULT_BANNED_WORDS)
    verdicts = [
        verifier.check(claim, scene_of(page, given)).holds
        for page in _known(pages)
        for given in page.reasons
        for claim in said_claims(given)
    ]
    return len(verdicts), verdicts.count(False)


def _known(pages: Sequence[ReasonPage]) -> list[ReasonPage]:
    """Pages whose scenes can be told again: what ties a product to another is not in the answer."""
    return [page for page in pages if page.kind not in BESIDE]


def said_claims(given: GivenReason) -> list[Claim]:
    """Returns the claims of a reason in the words that were served, the model's among them."""
    facts = {
        each.id: Fact(each.code, each.source, each.value, each.meets, each.strength)
        for each in given.reason.evidence
    }
    return [
        Claim(clause.text, clause.code, tuple(facts[i] for i in clause.evidence_ids))
        for clause in given.reason.clauses
    ]


def scene_of(page: ReasonPage, given: GivenReason) -> Scene:
    """Returns what the service knew when it wrote a reason, from the records of the page."""
    seen = page.history
    user = UserProfile(
        recent_products=[
            RecentProduct(
                product_id=each.product.id,
                action="purchase" if each.bought else "click",
                title=title_of(each.product, given.reason.language_code),
            )
            for each in seen
        ],
        brand_affinities={each.product.brand.lower(): 1.0 for each in seen},
        category_affinities={category_text(each.product.category_path): 1.0 for each in seen},
        typical_prices=_usual_prices(seen),
    )
    return Scene(
        given.record.product,
        page.understanding,
        user if seen else None,
        PagePrices.of([each.record.product for each in page.reasons]),
        tuple(each.product.id for each in seen),
        given.record.now,
        price_standing=_standing(given.record),
        legs=given.legs,
        contributions=given.contributions,
    )


def _usual_prices(seen: Sequence[Seen]) -> Mapping[str, float]:
    """Median price of what was bought, by currency."""
    paid: defaultdict[str, list[float]] = defaultdict(list)
    for each in seen:
        if each.bought and each.product.HasField("price"):
            paid[each.product.price.currency_code].append(each.product.price.amount)
    return {currency: median(amounts) for currency, amounts in paid.items()}


def _standing(record: Record) -> PriceStanding | None:
    product, prices = record.product, record.rival_prices
    if not prices:
        return None
    return PriceStanding(
        category=product.category_path[-1],
        currency_code=product.price.currency_code,
        compared_count=len(prices),
        dearer_count=sum(price > product.price.amount for price in prices),
    )
