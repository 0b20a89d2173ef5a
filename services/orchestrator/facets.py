"""Facets of a search: asked of retrieval while the page is filled."""

import asyncio
from collections.abc import Sequence

from services.orchestrator.asked_filters import asked_filters
from services.orchestrator.budget import stage_timeout
from services.orchestrator.cache import Ranking
from services.orchestrator.clients import Clients
from services.orchestrator.search_query import Work
from services.orchestrator.terms.account_facets import PRICE, count_by_account
from services.orchestrator.terms.price_check import FACETS
from services.orchestrator.terms.price_conditions import PRICES
from shared.errors import FailedPreconditionError, InvalidArgumentError, WhereforeError
from shared.filter_syntax import join_and
from wherefore.retrieval.v1.facet_pb2 import FACET_SCOPE_FILTER, Facet, FacetSpec
from wherefore.retrieval.v1.retrieval_service_pb2 import FacetsRequest

STAGE = "facets"


async def read_facets(clients: Clients, work: Work, ranking: Ranking) -> list[Facet]:
    """Returns the facets asked for; none, and a degradation, when retrieval does not count them.

    For an account with prices of its own, facets of the price are counted by these, and all are
    where the filter or the query has conditions on it. Where that cannot be done they are counted
    by the catalogue's prices, which is a degradation too.

    Args:
        clients: Retrieval is asked.
        work: The query.
        ranking: Of it.

    Raises:
        InvalidArgumentError: For a field that has no facets; it names `facets[n].key`.
    """
    specs = work.query.facets
    if not specs:
        return []
    asked, rules = asked_filters(ranking.check, work.query.filter, ranking.plan.filter)
    request = FacetsRequest(
        query=ranking.asked_understanding,
        filter=asked,
        fixed_filter=join_and(rules, ranking.fixed_filter),
        facets=specs,
        # What pictures alone find has no words to be counted by.
        scope=work.query.facet_scope if ranking.understanding.query else FACET_SCOPE_FILTER,
    )
    if "retrieval.dense" in work.degradations:
        request.query.ClearField("vector")
    priced = _priced(work, ranking, specs)
    counting = asyncio.create_task(_by_account(clients, work, ranking, request, priced))
    started = work.timer.elapsed_nanos()
    try:
        with work.timer.stage(STAGE):
            seconds = stage_timeout(clients.settings.budgets.facets)
            response = await clients.facets(request, seconds)
            facets = list(response.facets)
            for number, facet in zip(priced, await counting, strict=False):
                facets[number] = facet
    except InvalidArgumentError:
        raise
    except WhereforeError as error:
        work.degradations.note(STAGE, error)
        return []
    finally:
        counting.cancel()
    # The legs ran before, for the ranking: told twice they would be taken for one.
    work.timer.merge((t for t in response.timings if t.stage == "retrieval.facets"), started)
    return facets


def _priced(work: Work, ranking: Ranking, specs: Sequence[FacetSpec]) -> list[int]:
    """Returns the places of the facets that are others for the account that asks."""
    if work.contract is None or not work.contract.changes_prices:
        return []
    return [n for n, spec in enumerate(specs) if ranking.check is not None or spec.key in PRICES]


async def _by_account(
    clients: Clients, work: Work, ranking: Ranking, request: FacetsRequest, priced: Sequence[int]
) -> list[Facet]:
    """Returns these facets by the account's prices; none where they cannot be counted so."""
    if work.contract is None or not priced:
        return []
    specs = [request.facets[number] for number in priced]
    whole = any(spec.key in PRICES and spec.key != PRICE for spec in specs)
    try:
        if request.scope == FACET_SCOPE_FILTER or whole:
            # It would take the account's price of every product that there is.
            raise FailedPreconditionError("the index has no prices of accounts")
        asked = FacetsRequest(
            query=request.query,
            filter=work.query.filter,
            fixed_filter=ranking.fixed_filter,
            facets=specs,
        )
        return await count_by_account(
            clients, work.contract, asked, ranking.understanding, ranking.plan.filter
        )
    except InvalidArgumentError:
        return []  # the answer to the request itself says so, with the right number of the facet
    except WhereforeError as error:
        work.degradations.note(FACETS, error)
        return []
