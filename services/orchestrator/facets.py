"""Facets of a search: asked of retrieval while the page is filled."""

from collections.abc import Sequence

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.terms.contract import Contract
from services.orchestrator.terms.price_check import FACETS
from services.orchestrator.terms.price_conditions import PRICES
from shared.errors import FailedPreconditionError, InvalidArgumentError, WhereforeError
from shared.timing import StageTimer
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.facet_pb2 import Facet, FacetScope, FacetSpec
from wherefore.retrieval.v1.retrieval_service_pb2 import FacetsRequest

STAGE = "facets"


async def read_facets(
    clients: Clients,
    *,
    specs: Sequence[FacetSpec],
    scope: "FacetScope.ValueType",
    query: QueryUnderstanding,
    filter_text: str,
    by_other_prices: bool,
    contract: Contract | None,
    timer: StageTimer,
    degradations: Degradations,
) -> list[Facet]:
    """Returns the facets asked for; none, and a degradation, when retrieval does not count them.

    It counts by the prices of the catalogue. Where an account has others, that is a degradation
    too: of facets of the price, and of all where the filter or the query has conditions on it.

    Raises:
        InvalidArgumentError: For a field that has no facets; it names `facets[n].key`.
    """
    if not specs:
        return []
    request = FacetsRequest(query=query, filter=filter_text, facets=specs, scope=scope)
    if "retrieval.dense" in degradations:
        request.query.ClearField("vector")
    started = timer.elapsed_nanos()
    try:
        with timer.stage(STAGE):
            response = await clients.facets(request, stage_timeout(clients.settings.budgets.facets))
    except InvalidArgumentError:
        raise
    except WhereforeError as error:
        degradations.note(STAGE, error)
        return []
    priced = contract is not None and contract.changes_prices
    if by_other_prices or (priced and any(spec.key in PRICES for spec in specs)):
        degradations.note(FACETS, FailedPreconditionError("the index has no prices of accounts"))
    # The legs ran before, for the ranking: told twice they would be taken for one.
    timer.merge((t for t in response.timings if t.stage == "retrieval.facets"), started)
    return list(response.facets)
