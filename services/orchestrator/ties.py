"""What the knowledge graph ties the products of a search page to, for their reasons.

Asked only where there is something to be tied to: products that the user dealt with, or a model
that the query names, which may be a product of the same page. Without an answer the reasons do
without.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.search_query import Work
from shared.errors import WhereforeError
from shared.text.document import title_of
from shared.text.product_values import squeeze
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.nlu.v1.query_understanding_pb2 import ENTITY_TYPE_MODEL, QueryUnderstanding
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1.relation_pb2 import RELATION_KIND_FITS, Relation

STAGE: Final = "ties"
MOST_OTHERS: Final = 20
"""Products of a history that are looked at; what was bought first, then the latest."""
Ties = Mapping[str, Sequence[Relation]]
"""By id of the product that is shown."""


async def graph_ties(
    clients: Clients, work: Work, understanding: QueryUnderstanding, product_ids: Sequence[str]
) -> Ties:
    """Returns the ties of a page; none where nothing is asked or known.

    Args:
        clients: The services.
        work: The search.
        understanding: What its query means.
        product_ids: Of the page.
    """
    recent = work.profile.recent_products if work.profile is not None else ()
    named = {each.product_id: each.title for each in recent if each.title}
    bought = [each.product_id for each in recent if each.action == "purchase"]
    others = [each for each in dict.fromkeys((*bought, *named)) if each in named][:MOST_OTHERS]
    of_page = product_ids if _models(understanding) else ()
    if not product_ids or not (others or of_page):
        return {}
    request = pb.RelateRequest(
        product_ids=product_ids,
        beside_product_ids=dict.fromkeys((*others, *of_page)),
        # By the pseudonym; nobody where the user refuses to be known.
        user=UserContext(user_id=work.profile.user_id if work.profile is not None else ""),
    )
    started = work.timer.elapsed_nanos()
    try:
        with work.timer.stage(STAGE):
            response = await clients.relate(request, stage_timeout(clients.settings.budgets.ties))
    except WhereforeError as error:
        work.degradations.note(STAGE, error)
        return {}
    work.timer.merge((t for t in response.timings if t.stage != "recommend"), started)
    found: dict[str, Sequence[Relation]] = {}
    for product in response.products:
        for relation in product.relations:
            relation.product_title = named.get(relation.product_id, "")
        found[product.product_id] = list(product.relations)
    return found


def nameable(
    ties: Ties,
    understanding: QueryUnderstanding | None,
    page: Mapping[str, Product],
    language_code: str,
) -> Ties:
    """Returns the ties whose other product has a title, with it.

    Args:
        ties: As `graph_ties` found them.
        understanding: What the query means.
        page: Products of the page by id. One is named where it carries a model of the query and
            the product at hand fits it: so much of a page goes with the rest of it.
        language_code: Of the reasons.
    """
    models = _models(understanding)
    titles = {
        each.id: title_of(each, language_code)
        for each in page.values()
        if any(model in squeeze(title) for title in each.titles.values() for model in models)
    }
    found: dict[str, Sequence[Relation]] = {}
    for product_id, relations in ties.items():
        for relation in relations:
            if not relation.product_title and relation.kind == RELATION_KIND_FITS:
                relation.product_title = titles.get(relation.product_id, "")
        if kept := [relation for relation in relations if relation.product_title]:
            found[product_id] = kept
    return found


def _models(understanding: QueryUnderstanding | None) -> list[str]:
    """Models that the query names, squeezed."""
    if understanding is None:
        return []
    return [
        squeeze(entity.text)
        for entity in understanding.entities
        if entity.type == ENTITY_TYPE_MODEL and not entity.negated and squeeze(entity.text)
    ]
