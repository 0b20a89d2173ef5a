"""What each word of a query and of a product did to the cross-encoder's score.

One product after another, as each takes dozens of forward passes: when the time runs out, those
that are done are told and the rest is a degradation.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.search_query import Work
from services.orchestrator.stage_budgets import StageBudget
from shared.errors import WhereforeError
from shared.text.document import embedding_text
from wherefore.nlu.v1.nlu_service_pb2 import AttributeMatchRequest, TextPair
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.explanation_service_pb2 import CrossReading
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest

STAGE: Final = "explanation.readings"
_BUDGET: Final = StageBudget(seconds=10.0, reserve=0.1)
"""Of one product; the caller's deadline bounds all of them."""
_TEXTS: Final = FieldMask(
    paths=["id", "titles", "brand", "descriptions", "category_path", "attributes"]
)
_LONGEST: Final = 10_000  # what the NLU takes


async def cross_readings(
    clients: Clients, understanding: QueryUnderstanding, product_ids: Sequence[str], work: Work
) -> Mapping[str, CrossReading]:
    """Attributes the words of products, by id, as far as the time goes.

    Args:
        clients: Who is asked.
        understanding: The query, of which the cross-encoder reads the same text.
        product_ids: Products that it read, the first ones first.
        work: Takes the stage's time and what was lost.
    """
    made: dict[str, CrossReading] = {}
    if not product_ids:
        return made
    words = understanding.search_text or understanding.query
    try:
        with work.timer.stage(STAGE):
            texts = await _texts(clients, product_ids)
            for product_id in product_ids:
                text = texts.get(product_id, "").strip()[:_LONGEST]
                if not text:  # it is gone by now
                    continue
                request = AttributeMatchRequest(pairs=[TextPair(left=words, right=text)])
                response = await clients.attribute_match(request, stage_timeout(_BUDGET))
                made[product_id] = CrossReading(
                    query_text=words, product_text=text, attribution=response.attributions[0]
                )
    except WhereforeError as error:
        done = f"{len(made)} of {len(product_ids)} products: {error.message}"
        work.degradations.note(STAGE, error, done[:500])
    return made


async def _texts(clients: Clients, product_ids: Sequence[str]) -> Mapping[str, str]:
    request = GetProductsRequest(product_ids=product_ids, read_mask=_TEXTS)
    ask = partial(clients.get_products, request)
    response = await ask_again(ask, clients.settings.budgets.products)
    return {product.id: embedding_text(product) for product in response.products}
