"""The nouns of the service: what is known when a reason is written, and a fact found in it."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.ranking.v1.ranked_result_pb2 import Contribution
from wherefore.reason.v1.disclosure_pb2 import Disclosure
from wherefore.recommend.v1.relation_pb2 import Relation
from wherefore.retrieval.v1.candidate_pb2 import LegScore
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

TIES: Final = frozenset(
    {
        "because_you_viewed",
        "because_you_bought",
        "fits",
        "fits_yours",
        "fitted_by",
        "compatible_with",
        "goes_with",
        "similar_to",
        "same_brand",
    }
)
"""Codes that tie a product to another one, which a clause names by its title."""
OF_THE_USER: Final = frozenset(
    {
        "because_you_viewed",
        "because_you_bought",
        "fits_yours",
        "brand_affinity",
        "category_affinity",
        "seen_before",
        "price_like_yours",
        "bought_before",
        "bought_often",
        "due_for_reorder",
    }
)
"""Codes that name what the user, or their account, did."""


class Fact(NamedTuple):
    """One fact that speaks for a product; becomes `Evidence` under an id.

    `value` and `meets` have one form per code, given in docs/reasons.md, so that whoever verifies a
    claim can read them back. A tuple, as a page makes and looks up hundreds.
    """

    code: str
    source: str
    value: str
    meets: str
    strength: float


@dataclass(frozen=True, slots=True)
class PagePrices:
    """Prices of the page by currency, for comparisons.

    Only goods that meet the same need may be compared (Directive 2006/114/EC, article 4): a
    currency whose products are of several categories, or of none, has no prices here.
    """

    by_currency: dict[str, tuple[float, ...]]
    """Ascending."""

    @classmethod
    def of(cls, products: Sequence[Product]) -> "PagePrices":
        """Reads the prices of the products that have one."""
        found: dict[str, list[float]] = defaultdict(list)
        kinds: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for product in products:
            price = product.price
            if (amount := price.amount) > 0:  # 0 where there is none
                currency = price.currency_code
                found[currency].append(amount)
                kinds[currency].add(tuple(product.category_path))
        return cls(
            {
                currency: tuple(sorted(amounts))
                for currency, amounts in found.items()
                if len(kinds[currency]) == 1 and () not in kinds[currency]
            }
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a claim about one product may rest on."""

    product: Product
    query: QueryUnderstanding | None
    user: UserProfile | None
    page: PagePrices
    anchors: Sequence[str] = ()
    """Products of the user's history that this one was recommended for."""
    now: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    relations: Sequence[Relation] = ()
    """What ties the product to others or to the user, as the recommendation found."""
    price_standing: PriceStanding | None = None
    """Where its price stands in its category, as retrieval counted."""
    legs: Sequence[LegScore] = ()
    """Where each leg of the search placed it."""
    contributions: Sequence[Contribution] = ()
    """What features added to its score; of those that lifted it at least what a reason may tell."""
    disclosure: Disclosure | None = None
    """What the shop did to its place."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One clause and the facts that it rests on."""

    text: str
    code: str
    facts: tuple[Fact, ...]

    def __hash__(self) -> int:
        """Of the words, which hold the values."""
        return hash(self.text)


def facts_of(claims: Sequence[Claim]) -> list[Fact]:
    """Returns the facts that claims rest on, without repeats."""
    return list(dict.fromkeys(fact for claim in claims for fact in claim.facts))
