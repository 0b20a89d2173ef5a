"""The auction: generalised second price over relevance x bid.

Edelman, Ostrovsky and Schwarz, "Internet advertising and the generalized second-price auction"
(American Economic Review 97, 2007). Who has the highest product of bid and relevance has the first
slot, and pays for a click the least bid that would have kept it. With one slot that is Vickrey's
auction, in which nobody gains by bidding anything but what a click is worth to them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bid:
    """What a campaign bids for a product.

    Attributes:
        campaign_id: The campaign.
        product_id: The product.
        bid: Most that a click may cost, in micros of the currency.
        relevance: Probability that the product is relevant, above 0, at most 1.
    """

    campaign_id: str
    product_id: str
    bid: int
    relevance: float

    @property
    def score(self) -> float:
        """What slots are given by."""
        return self.bid * self.relevance


@dataclass(frozen=True, slots=True)
class Won:
    """A slot that was won.

    Attributes:
        bid: Who won it.
        price: Of a click, in micros.
        slot: From 1.
    """

    bid: Bid
    price: int
    slot: int


def run_auction(bids: Sequence[Bid], slots: int, reserve: int) -> list[Won]:
    """Gives slots to bids, the first slot first.

    A campaign has one slot at most, for its most relevant product, and a product has one slot. Who
    is left without a slot sets the price of the last one that is given.

    Args:
        bids: Of all who take part.
        slots: How many there are.
        reserve: Least price of a click, in micros; lower bids take no part.
    """
    best: dict[str, Bid] = {}
    for bid in bids:
        if bid.bid < reserve:
            continue
        known = best.get(bid.campaign_id)
        if known is None or _place(bid) < _place(known):
            best[bid.campaign_id] = bid
    order = sorted(best.values(), key=_place)
    won: list[Won] = []
    taken: set[str] = set()
    for at, bid in enumerate(order):
        if len(won) == slots:
            break
        if bid.product_id in taken:
            continue
        # Whom a lower bid would lose the slot to: another campaign for the very product, too.
        rivals = (each.score for each in order[at + 1 :] if each.product_id not in taken)
        # Up to the next micro, but for what rounding adds to the very bid.
        least = min(math.ceil(next(rivals, 0.0) / bid.relevance), bid.bid)
        won.append(Won(bid, max(least, reserve), len(won) + 1))
        taken.add(bid.product_id)
    return won


def _place(bid: Bid) -> tuple[float, str, str]:
    return -bid.score, bid.campaign_id, bid.product_id
