"""Products that are like those at hand, and what is told of the one that they are like."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.neighbours import Neighbours, find_neighbours, is_alike
from shared.errors import WhereforeError
from shared.text.analysis import terms
from shared.text.document import title_of
from shared.text.normalise import fold
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK, Product
from wherefore.recommend.v1.relation_pb2 import RELATION_KIND_SIMILAR, Relation
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, SimilarRequest

_FIELDS: Final = ("titles", "brand", "category_path", "variant_group_id")
_MOST_SEEDS: Final = 5
"""Products at hand that neighbours are looked for round, one by one."""


@dataclass(frozen=True, slots=True)
class AlikeQuery:
    """What to find."""

    product_ids: Sequence[str]
    """Those at hand, most important first."""
    filter: str
    hidden_groups: Collection[str]
    """Groups of variants that are not to be shown; those of the products at hand never are."""
    language_code: str
    """Of the titles that reasons name."""
    wanted: int
    """Products of a page."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What was found; may be nothing."""

    candidates: list[Candidate]
    """Best first."""
    anchors: Mapping[str, str]
    """Id of the product at hand that a candidate is like, by the candidate's id; of those that are
    like it enough to say so."""
    relations: Mapping[str, Sequence[Relation]] = field(
        default_factory=dict[str, "Sequence[Relation]"]
    )
    """The same as evidence of reasons."""


async def find_alike(
    clients: Clients, query: AlikeQuery, timer: StageTimer, degradations: Degradations
) -> Alike:
    """Returns products that are like any of those at hand, one of each group of variants.

    Raises:
        InvalidArgumentError: For a filter of unknown fields.
        NotFoundError: None of the products at hand is in the catalogue.
        UnavailableError: Retrieval does not answer.
    """
    near, seeds = await asyncio.gather(
        _near(clients, query, timer), _read_seeds(clients, query.product_ids, degradations)
    )
    groups = {seed.variant_group_id for seed in seeds.values()}
    kept = distinct(near.candidates, groups.union(query.hidden_groups))
    # Ranking looks at quality too, so what is hardly alike would come to stand above what is: no
    # more of it than a page lacks, of the departments of the products at hand before others.
    alike = [each for each in kept if is_alike(each)]
    roots = {tuple(seed.category_path[:1]) for seed in seeds.values()}
    others = sorted(
        (each for each in kept if not is_alike(each)),
        key=lambda each: tuple(each.product.category_path[:1]) not in roots,
    )
    candidates = [*alike, *others[: max(0, query.wanted - len(alike))]]
    return Alike(
        candidates, near.anchors, likeness(alike, near.anchors, seeds, query.language_code)
    )


async def _near(clients: Clients, query: AlikeQuery, timer: StageTimer) -> Neighbours:
    ids = query.product_ids
    if len(ids) > 1:
        weights = dict.fromkeys(ids[:_MOST_SEEDS], 1.0)
        found = await find_neighbours(clients, weights, ids, query.filter, timer)
        if found.candidates:
            return found
    request = SimilarRequest(
        product_ids=ids, filter=query.filter, limit=clients.settings.candidates
    )
    started = timer.elapsed_nanos()
    with timer.stage("retrieval"):
        response = await ask_again(
            partial(clients.similar, request), clients.settings.budgets.retrieval
        )
    timer.merge((t for t in response.timings if t.stage != "retrieval"), started)
    # What was found from several products at once follows from no single one.
    like = (each.product.id for each in response.candidates if len(ids) == 1 and is_alike(each))
    return Neighbours(list(response.candidates), dict.fromkeys(like, ids[0]))


async def _read_seeds(
    clients: Clients, ids: Sequence[str], degradations: Degradations
) -> Mapping[str, Product]:
    """Returns what is told of products at hand, by id; of those that could be read."""
    request = GetProductsRequest(product_ids=ids, read_mask=FieldMask(paths=_FIELDS))
    try:
        response = await clients.get_products(
            request, stage_timeout(clients.settings.budgets.profile)
        )
    except WhereforeError as error:
        degradations.note("profile", error, "the products at hand")
        return {}
    return {product.id: product for product in response.products}


def likeness(
    candidates: Sequence[Candidate],
    anchors: Mapping[str, str],
    seeds: Mapping[str, Product],
    language: str,
) -> dict[str, list[Relation]]:
    """Returns what ties candidates to the products that they are like, by id.

    A keyboard may be near a laptop, but it is not similar to it: both must be in one category, or
    share a word of their titles where neither is in any.

    Args:
        candidates: Found by their likeness.
        anchors: Id of the product that each is like, by its id.
        seeds: Those products by id, with the fields that are read of them; a candidate that is like
            none of them gets nothing.
        language: Of the titles; empty is English.
    """
    found: dict[str, list[Relation]] = {}
    for candidate in candidates:
        product = candidate.product
        seed = seeds.get(anchors.get(product.id, ""))
        if seed is None or not _of_one_category(product, seed):
            continue
        if title := title_of(seed, language):
            of_brand = bool(seed.brand) and fold(product.brand) == fold(seed.brand)
            relation = Relation(
                kind=RELATION_KIND_SIMILAR,
                product_id=seed.id,
                product_title=title,
                evidence=seed.brand if of_brand else "",
            )
            found[product.id] = [relation]
    return found


def _of_one_category(product: Product, other: Product) -> bool:
    own, others = product.category_path, other.category_path
    if own or others:
        return list(own) == list(others)
    # Without categories a word of the titles must show what they have in common.
    return bool(_named(product) & _named(other))


_SHORT: Final = 2


def _named(product: Product) -> set[str]:
    """Words of the titles, without those of the brand, models and short ones."""
    found = {term for title in product.titles.values() for term in terms(title)}
    brand = set(terms(product.brand))
    return {
        term
        for term in found - brand
        if term.isalpha() and (len(term) > _SHORT or not term.isascii())
    }


def distinct(candidates: Sequence[Candidate], hidden_groups: Collection[str]) -> list[Candidate]:
    """Returns the first candidate in stock of each group of variants, in their order.

    Args:
        candidates: Best first; those without variants all stay.
        hidden_groups: Groups of which nothing is shown: a shopper has one of their variants, or
            chooses between them on the page.
    """
    hidden = set(hidden_groups) - {""}
    kept: list[Candidate] = []
    for candidate in candidates:
        group = candidate.product.variant_group_id
        if group in hidden:
            continue
        if group and candidate.product.stock.availability != AVAILABILITY_OUT_OF_STOCK:
            hidden.add(group)
        kept.append(candidate)
    return kept
