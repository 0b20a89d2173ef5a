"""At most so many results of one variant group."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.terms.applied import READ
from services.orchestrator.terms.price_check import PriceCheck
from shared.errors import WhereforeError
from shared.filter_syntax import join_and, quote
from shared.timing import StageTimer
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.retrieval_service_pb2 import ListProductsRequest

MAX_LISTED: Final = 100
_PAGE: Final = 1_000
_MAX_PAGES: Final = 5
STAGE: Final = "variants"


@dataclass(slots=True)
class VariantGroups:
    """Which groups the results so far belong to."""

    shown: Counter[str] = field(default_factory=Counter[str])
    """Results by group."""
    first: dict[str, str] = field(default_factory=dict[str, str])
    """Group by the product that is its first result."""

    def keep(
        self,
        results: Sequence[Result],
        group_of: Mapping[str, str],
        limit: int,
        before: Collection[str] = (),
    ) -> list[Result]:
        """Returns the results without those that are too many of their group.

        Args:
            results: Further results, best first.
            group_of: Group by product; empty for a product without variants.
            limit: Results of one group.
            before: Products that stay whatever stands before them.
        """
        order = sorted(results, key=lambda result: result.product.id not in before)
        dropped: set[str] = set()
        for result in order:
            product_id = result.product.id
            group = group_of.get(product_id, "")
            if not group:
                continue
            if self.shown[group] >= limit and product_id not in before:
                dropped.add(product_id)
                continue
            if not self.shown[group]:
                self.first[product_id] = group
            self.shown[group] += 1
        return [result for result in results if result.product.id not in dropped]


async def other_variants(
    clients: Clients,
    *,
    groups: VariantGroups,
    results: Sequence[Result],
    known: Collection[str],
    filter_text: str,
    check: PriceCheck | None,
    timer: StageTimer,
    degradations: Degradations,
) -> Mapping[str, list[str]]:
    """Returns the other products of each group that meet a filter, by its first result.

    Args:
        clients: Retrieval is asked.
        groups: Of the ranking.
        results: Of the page.
        known: Products that are results of their own.
        filter_text: What products must meet.
        check: What their prices must meet besides.
        timer: Takes the time.
        degradations: Told when retrieval does not answer.
    """
    first = {
        groups.first[r.product.id]: r.product.id for r in results if r.product.id in groups.first
    }
    if not first:
        return {}
    others: dict[str, list[str]] = {product_id: [] for product_id in first.values()}
    needed = READ if check is not None else ()
    mask = FieldMask(paths=["variant_group_id", *needed])
    request = ListProductsRequest(page_size=_PAGE, read_mask=mask)
    try:
        names = " OR ".join(map(quote, first))
        request.filter = join_and(f"variant_group_id: ({names})", filter_text)
        with timer.stage(STAGE):
            for _ in range(_MAX_PAGES):
                response = await clients.list_products(
                    request, stage_timeout(clients.settings.budgets.products)
                )
                products = [each for each in response.products if each.id not in known]
                kept = {each.id for each in products}
                if check is not None:
                    kept = await check.kept(clients, products)
                for product in products:
                    if product.id in kept:
                        others[first[product.variant_group_id]].append(product.id)
                request.after_id = response.next_after_id
                if not request.after_id:
                    break
    except WhereforeError as error:
        degradations.note(STAGE, error)
        return {}
    return others
