"""Facets by the prices of an account, over the best candidates of a query.

The index holds the catalogue's prices. So the candidates are read and priced one by one; what is
not about the price is then counted by retrieval over those that meet the account's conditions.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.terms.applied import READ
from services.orchestrator.terms.contract import Contract
from services.orchestrator.terms.price_check import PriceCheck, without_prices
from shared.errors import FailedPreconditionError
from shared.filter_syntax import join_and, quote
from shared.number_intervals import DEFAULT_INTERVALS, Interval, balanced, condition_of
from shared.own_conditions import own_condition_dropped
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1 import facet_pb2 as pb
from wherefore.retrieval.v1.retrieval_service_pb2 import FacetsRequest, RetrieveRequest

PRICE: Final = "price"
_COUNTED: Final = 300
"""Candidates that are counted over, as retrieval itself does."""
_LOOKED_AT: Final = 1_000
"""Candidates of which some may not meet a condition on the price."""
_LONGEST_NAMED: Final = 19_000
"""Characters of a filter that names products."""


async def count_by_account(
    clients: Clients,
    contract: Contract,
    request: FacetsRequest,
    understanding: QueryUnderstanding,
    rules: str,
) -> list[pb.Facet]:
    """Counts facets as retrieval counts them over candidates, but by an account's prices.

    Args:
        clients: Retrieval is asked.
        contract: Prices products.
        request: What is to be counted; its `filter` is the caller's own, its `fixed_filter` what
            the account may see. The query's vector is absent where the index has those of another
            model.
        understanding: The query with what it demands of prices.
        rules: Filter of the shop's rules.

    Returns:
        In the order of the request.

    Raises:
        FailedPreconditionError: Ids are so long that retrieval cannot be told of the products.
        WhereforeError: Retrieval does not answer.
    """
    texts = [own_condition_dropped(request.filter, spec.key) for spec in request.facets]
    by_text: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        by_text.setdefault(text, []).append(number)

    async def of_text(text: str, numbers: Sequence[int]) -> list[pb.Facet]:
        check = PriceCheck.of(contract, text, understanding, rules)
        fixed = join_and(rules if check is None else check.rules, request.fixed_filter)
        products = await _products(clients, request, check, join_and(text, fixed), fixed)
        return await _count(clients, contract, products, [request.facets[n] for n in numbers])

    found = await asyncio.gather(*(of_text(*each) for each in by_text.items()))
    facets: dict[int, pb.Facet] = {}
    for numbers, counted in zip(by_text.values(), found, strict=True):
        facets.update(zip(numbers, counted, strict=True))
    for number, facet in facets.items():
        facet.own_condition_left_out = texts[number] != request.filter
    return [facets[number] for number in range(len(texts))]


async def _products(
    clients: Clients, request: FacetsRequest, check: PriceCheck | None, plain: str, fixed: str
) -> list[Product]:
    """Returns the best candidates that meet a filter by the account's prices.

    Args:
        clients: Retrieval is asked.
        request: The query.
        check: The conditions on prices, and what else the caller asks for.
        plain: The whole filter where there are none.
        fixed: What products must meet besides.
    """
    asked = RetrieveRequest(
        query=request.query if check is None else without_prices(request.query),
        filter=plain if check is None else join_and(check.asked, fixed),
        limit=_COUNTED if check is None else _LOOKED_AT,
        read_mask=FieldMask(paths=("id", *READ)),
    )
    response = await clients.retrieve(asked, stage_timeout(clients.settings.budgets.facets))
    products = [candidate.product for candidate in response.candidates]
    if check is not None:
        kept = await check.kept(clients, products)
        products = [product for product in products if product.id in kept]
    return products[:_COUNTED]


async def _count(
    clients: Clients,
    contract: Contract,
    products: Sequence[Product],
    specs: Sequence[pb.FacetSpec],
) -> list[pb.Facet]:
    others = [spec for spec in specs if spec.key != PRICE]
    counted: list[pb.Facet] = []
    if others and products:
        names = f"id: ({' OR '.join(quote(product.id) for product in products)})"
        if len(names) > _LONGEST_NAMED:
            raise FailedPreconditionError("the ids of the products are too long")
        response = await clients.facets(
            FacetsRequest(filter=names, facets=others, scope=pb.FACET_SCOPE_FILTER),
            stage_timeout(clients.settings.budgets.facets),
        )
        counted = list(response.facets)
    elif others:
        counted = [pb.Facet(key=spec.key) for spec in others]
    rest = iter(counted)
    return [
        price_facet(contract, products, spec) if spec.key == PRICE else next(rest) for spec in specs
    ]


def price_facet(contract: Contract, products: Sequence[Product], spec: pb.FacetSpec) -> pb.Facet:
    """Counts products by intervals of what an account is asked for them.

    Args:
        contract: Prices them.
        products: As the catalogue has them.
        spec: Its intervals; without any they are made, about as many products in each.
    """
    offers = (contract.offer(product) for product in products)
    amounts = [offer.amount for offer in offers if offer.amount is not None]
    intervals = [
        Interval(
            each.min if each.HasField("min") else None, each.max if each.HasField("max") else None
        )
        for each in spec.intervals
    ]
    if not intervals and amounts:

        def below(bound: float) -> int:
            return sum(amount < bound for amount in amounts)

        intervals = balanced(len(amounts), below, spec.limit or DEFAULT_INTERVALS)
    if spec.limit:
        intervals = intervals[: spec.limit]
    values = [
        pb.FacetValue(
            count=sum(_holds(each, amount) for amount in amounts),
            filter=condition_of(spec.key, each),
            interval=pb.Interval(min=each.low, max=each.high),
        )
        for each in intervals
    ]
    return pb.Facet(
        key=spec.key, values=values, value_count=len(values), counted_products=len(products)
    )


def _holds(interval: Interval, amount: float) -> bool:
    return (interval.low is None or amount >= interval.low) and (
        interval.high is None or amount < interval.high
    )
