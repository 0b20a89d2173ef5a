"""Better ones of a kind, for an account: dearer than the products at hand, but within its reach.

They were found by the catalogue's prices. What an account's price alone brings within reach is not
among them; what it takes out of reach, or makes cheaper than the product at hand, is left out.
"""

from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.terms.applied import READ
from services.orchestrator.terms.contract import Contract, Offer
from shared.reach import DEAREST
from shared.timing import StageTimer
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest


async def within_reach(
    contract: Contract | None,
    clients: Clients,
    product_ids: Sequence[str],
    candidates: list[Candidate],
    timer: StageTimer,
) -> list[Candidate]:
    """Returns the candidates that are a step up from a product at hand by the account's prices.

    Args:
        contract: Of the account; all candidates stay without one, and where it changes no price.
        clients: Retrieval is asked for the products at hand.
        product_ids: Products at hand.
        candidates: Better ones, with the catalogue's prices.
        timer: Takes the time.

    Raises:
        UnavailableError: Retrieval does not answer.
    """
    if contract is None or not contract.changes_prices or not candidates:
        return candidates
    request = GetProductsRequest(product_ids=product_ids, read_mask=FieldMask(paths=("id", *READ)))
    with timer.stage("retrieval.products"):
        response = await clients.get_products(
            request, stage_timeout(clients.settings.budgets.products)
        )
    at_hand = [contract.offer(product) for product in response.products]
    return [
        candidate
        for candidate in candidates
        if any(_is_step_up(contract.offer(candidate.product), offer) for offer in at_hand)
    ]


def _is_step_up(offer: Offer, other: Offer) -> bool:
    if offer.amount is None or other.amount is None or offer.currency != other.currency:
        return False
    return other.amount < offer.amount <= DEAREST * other.amount
