"""Sells slots of a ranking: who takes part, the auction, and where the sponsored results go."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from services.orchestrator.fallback import Degradations
from services.orchestrator.sponsored.auction import Bid, Won, run_auction
from services.orchestrator.sponsored.campaigns import (
    MICROS,
    Campaign,
    Campaigns,
    read_campaigns,
)
from services.orchestrator.sponsored.ledger import Ledger
from services.orchestrator.sponsored.offers import Offer, product_mark
from services.orchestrator.sponsored.pacing import DAY_SECONDS, Pacer
from services.orchestrator.sponsored.settings import SponsoredSettings
from services.orchestrator.watched_book import WatchedBook
from shared.yaml_file import YamlFileError
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.candidate_pb2 import Candidate

STAGE: Final = "sponsored"
_DRAWS: Final = 2**64


class Seller:
    """Keeps the campaigns in force and sells slots. One for the process.

    Args:
        settings: Which file.
        ledger: Knows what is spent; open while there is a file.
        clock: Seconds since 1970.
    """

    def __init__(
        self, settings: SponsoredSettings, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._pacers: dict[str, Pacer] = {}
        self.book: WatchedBook[Campaigns] = WatchedBook(
            settings.campaigns_file,
            read_campaigns,
            YamlFileError,
            poll_seconds=settings.poll_seconds,
            stage=STAGE,
            what="campaigns",
        )

    def sells(self, serving_config: str) -> bool:
        """Whether rankings of a serving config may hold sponsored results."""
        found = self.book.content
        return found is not None and serving_config in found.file.serving_configs

    def place(
        self,
        serving_config: str,
        ranking_id: str,
        candidates: Sequence[Candidate],
        results: Sequence[Result],
        degradations: Degradations,
        *,
        kept: Collection[str] = (),
    ) -> list[Result]:
        """Returns results with those that won a slot at its place, marked and priced.

        Only what the ranking holds anyway takes part, so that filters, blocks and stock hold for
        what is sponsored too.

        Args:
            serving_config: By its public name.
            ranking_id: Decides who is throttled, so that one ranking stays as it is.
            candidates: The products of the results.
            results: Best first, the first of their ranking.
            degradations: Told when the file of campaigns is refused.
            kept: Products that the shop put at a place itself: these are not sold.
        """
        if self.book.problem is not None:
            degradations.pass_on([self.book.problem])
        found = self.book.content
        if found is None or serving_config not in found.file.serving_configs:
            return list(results)
        sold_out = {
            each.product.id
            for each in candidates
            if each.product.stock.availability == AVAILABILITY_OUT_OF_STOCK
        }
        bids = list(self._bids(found, ranking_id, results, sold_out.union(kept)))
        won = run_auction(bids, len(found.file.positions), found.file.reserve_micros)
        return _placed(results, won, found) if won else list(results)

    def _bids(
        self,
        campaigns: Campaigns,
        ranking_id: str,
        results: Sequence[Result],
        left_out: Collection[str],
    ) -> Iterator[Bid]:
        file = campaigns.file
        now = self._clock()
        for result in results[file.positions[0] :]:  # what stands above needs no slot
            product_id, relevance = result.product.id, result.confidence
            if product_id in left_out or relevance < file.min_confidence:
                continue
            for campaign in campaigns.of(product_id):
                if self._takes_part(campaign, ranking_id, now, paced=file.pacing == "even"):
                    yield Bid(campaign.id, product_id, campaign.bid_micros, relevance)

    def _takes_part(self, campaign: Campaign, ranking_id: str, now: float, *, paced: bool) -> bool:
        if not campaign.in_time(datetime.fromtimestamp(now, UTC)):
            return False
        spent = self._ledger.spent(campaign.id, int(now // DAY_SECONDS))
        if spent >= campaign.budget_micros:
            return False
        if not paced:
            return True
        pacer = self._pacers.setdefault(campaign.id, Pacer())
        rate = pacer.step(now, spent, campaign.budget_micros)
        drawn = hashlib.blake2b(f"{ranking_id}/{campaign.id}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn, "big") / _DRAWS < rate


def offers_of(page: Sequence[Result]) -> list[Offer]:
    """Returns what was sold on a page."""
    return [
        Offer(
            product_mark(result.product.id),
            result.sponsored.campaign_id,
            round(result.sponsored.price.amount * MICROS),
        )
        for result in page
        if result.HasField("sponsored")
    ]


def _placed(results: Sequence[Result], won: Sequence[Won], found: Campaigns) -> list[Result]:
    by_id = {result.product.id: (place, result) for place, result in enumerate(results)}
    sold = {each.bid.product_id for each in won}
    order = [result for result in results if result.product.id not in sold]
    for each in won:
        place, result = by_id[each.bid.product_id]
        result.sponsored.campaign_id, result.sponsored.slot = each.bid.campaign_id, each.slot
        price = result.sponsored.price
        price.currency_code, price.amount = found.file.currency, each.price / MICROS
        # Nobody pays to stand lower than without.
        order.insert(min(found.file.positions[each.slot - 1] - 1, place), result)
    return order
