"""Messages of retrieval to the values of its domain, checked, and back."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from services.retrieval.blobs import check_mask
from services.retrieval.drafts import Draft, unit_vector
from services.retrieval.facets import Facet, FacetSpec
from services.retrieval.neighbours import SimilarQuery
from services.retrieval.search import LEGS, Found, SearchQuery
from shared.errors import InvalidArgumentError, entry_path
from shared.number_intervals import Interval
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_UNAVAILABLE, Degradation
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.retrieval.v1 import facet_pb2
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore

MAX_BATCH = 512
MAX_IDS = 1_000
MAX_SEEDS = 50
MAX_RESULTS = 1_000
DEFAULT_RESULTS = 100
DEFAULT_PAGE = 50
MAX_INCLUDED = 100
MAX_FILTERS = 100
MAX_FACETS = 20
MAX_VALUES = 1_000
MAX_INTERVALS = 50
MAX_PREFIX = 200


def drafts_of(request: pb.IndexRequest, seen: int) -> list[Draft]:
    """Returns the products of a message of an import.

    Args:
        request: As it came.
        seen: Products of the messages before it.

    Raises:
        InvalidArgumentError: It holds too many.
    """
    check_count("documents", len(request.documents), 0, MAX_BATCH)
    return [
        Draft(
            row=document.row or seen + position,
            product=document.product,
            vector=document.vector if document.HasField("vector") else None,
            vector_source=document.vector_source,
            picture=document.picture_vector if document.HasField("picture_vector") else None,
            picture_source=document.picture_source,
        )
        for position, document in enumerate(request.documents, start=1)
    ]


def search_query(
    request: pb.RetrieveRequest, dimension: int, picture_dimension: int
) -> SearchQuery:
    """Returns what is searched for.

    Args:
        request: As it came.
        dimension: Numbers of a vector.
        picture_dimension: Numbers of a vector of pictures.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    unknown = [leg for leg in request.legs if leg not in LEGS]
    if unknown:
        raise InvalidArgumentError.of("legs", f"no leg is called {unknown[0][:50]!r}")
    check_count("excluded_ids", len(request.excluded_ids), 0, MAX_IDS)
    check_count("included_ids", len(request.included_ids), 0, MAX_INCLUDED)
    query = request.query
    vector = picture = None
    if query.HasField("vector"):
        vector = _numbers(query.vector, "query.vector", dimension)
    if request.HasField("picture_vector"):
        picture = _numbers(request.picture_vector, "picture_vector", picture_dimension)
    for leg, weight in request.leg_weights.items():
        field = entry_path("leg_weights", leg)
        if leg not in LEGS:
            raise InvalidArgumentError.of(field, "there is no such leg")
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidArgumentError.of(field, "must be finite and at least 0")
    for index, each in enumerate(query.expansions):
        if not 0.0 <= each.weight <= 1.0:
            raise InvalidArgumentError.of(f"query.expansions[{index}].weight", "must be 0 to 1")
    return SearchQuery(
        text=query.search_text or query.query,
        expansions=[(each.expansion, each.weight) for each in query.expansions],
        vector=vector,
        picture=picture,
        picture_model=request.picture_vector.model,
        weights=dict(request.leg_weights),
        constraints=query.constraints,
        filter=request.filter,
        excluded_ids=request.excluded_ids,
        included_ids=request.included_ids,
        legs=request.legs or LEGS,
        limit=page_limit("limit", request.limit, DEFAULT_RESULTS),
        exact=request.exact,
        mask=check_mask(request.read_mask),
    )


def _numbers(vector: Vector, field: str, dimension: int) -> NDArray[np.float32]:
    values = unit_vector(vector)
    if len(values) != dimension or not all(map(math.isfinite, values)):
        raise InvalidArgumentError.of(f"{field}.values", f"must be {dimension} finite numbers")
    return values


def similar_query(request: pb.SimilarRequest) -> SimilarQuery:
    """Returns what products are to be like.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    check_count("product_ids", len(request.product_ids), 1, MAX_SEEDS)
    check_count("excluded_ids", len(request.excluded_ids), 0, MAX_IDS)
    weights = list(request.weights) or [1.0] * len(request.product_ids)
    if len(weights) != len(request.product_ids):
        raise InvalidArgumentError.of("weights", "must be one for each product, or none at all")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise InvalidArgumentError.of("weights", "must be finite and at least 0")
    return SimilarQuery(
        product_ids=request.product_ids,
        weights=weights,
        filter=request.filter,
        excluded_ids=request.excluded_ids,
        limit=page_limit("limit", request.limit, DEFAULT_RESULTS),
        mask=check_mask(request.read_mask),
    )


def facet_specs(specs: Iterable[facet_pb2.FacetSpec]) -> list[FacetSpec]:
    """Returns what is to be counted.

    Raises:
        InvalidArgumentError: Names the field at fault. Whether there is such a key is not checked.
    """
    checked: list[FacetSpec] = []
    for number, spec in enumerate(specs):
        field = f"facets[{number}]"
        if spec.limit < 0:
            raise InvalidArgumentError.of(f"{field}.limit", "must not be negative")
        if len(spec.prefix) > MAX_PREFIX:
            raise InvalidArgumentError.of(f"{field}.prefix", f"at most {MAX_PREFIX} characters")
        check_count(f"{field}.intervals", len(spec.intervals), 0, MAX_INTERVALS)
        intervals = [
            _interval(interval, f"{field}.intervals[{index}]")
            for index, interval in enumerate(spec.intervals)
        ]
        limit = min(spec.limit, MAX_VALUES)
        checked.append(FacetSpec(spec.key, limit, spec.prefix, intervals))
    check_count("facets", len(checked), 1, MAX_FACETS)
    return checked


def is_over_filter(request: pb.FacetsRequest) -> bool:
    """Whether all that the filter lets through is counted, and not what the query finds.

    Raises:
        InvalidArgumentError: There is no such scope.
    """
    if request.scope not in facet_pb2.FacetScope.values():
        raise InvalidArgumentError.of("scope", f"{request.scope} is no scope")
    return request.scope == facet_pb2.FACET_SCOPE_FILTER


def facet_message(facet: Facet) -> facet_pb2.Facet:
    """Returns a facet as the contract has it."""
    message = facet_pb2.Facet(
        key=facet.key,
        value_count=facet.value_count,
        counted_products=facet.counted,
        own_condition_left_out=facet.own_condition_left_out,
    )
    for value in facet.values:
        added = message.values.add(
            value=value.value, label=value.label, count=value.count, filter=value.filter
        )
        if value.interval is not None:
            added.interval.CopyFrom(
                facet_pb2.Interval(min=value.interval.low, max=value.interval.high)
            )
    return message


def _interval(interval: facet_pb2.Interval, field: str) -> Interval:
    low = interval.min if interval.HasField("min") else None
    high = interval.max if interval.HasField("max") else None
    if low is None and high is None:
        raise InvalidArgumentError.of(field, "set min, max or both")
    if not all(math.isfinite(end) for end in (low, high) if end is not None):
        raise InvalidArgumentError.of(field, "must be finite numbers")
    if low is not None and high is not None and low >= high:
        raise InvalidArgumentError.of(field, "min must be below max")
    return Interval(low, high)


def candidate(found: Found) -> Candidate:
    """Returns a candidate as the contract has it."""
    return Candidate(
        product=found.product,
        legs=[
            LegScore(leg=leg, rank=placement.rank, score=placement.score)
            for leg, placement in found.placement.legs.items()
        ],
        fused_score=found.placement.score,
        fused_rank=found.rank,
    )


def skipped_leg(leg: str, reason: str) -> Degradation:
    """Returns what is told of a leg that did not search."""
    return Degradation(
        stage=f"retrieval.{leg}",
        cause=DEGRADATION_CAUSE_UNAVAILABLE,
        fallback="sparse retrieval only",
        detail=reason,
    )


def is_by_popularity(request: pb.ListProductsRequest) -> bool:
    """Whether products are listed by popularity, and not by id.

    Raises:
        InvalidArgumentError: There is no such order, or it does not go on after a product.
    """
    if request.order == pb.LIST_ORDER_POPULARITY:
        if request.after_id:
            raise InvalidArgumentError.of("after_id", "is not supported by popularity")
        return True
    if request.order != pb.LIST_ORDER_UNSPECIFIED:
        raise InvalidArgumentError.of("order", f"{request.order} is not an order")
    return False


def check_count(field: str, count: int, least: int, most: int) -> None:
    """Raises InvalidArgumentError unless a list holds `least` to `most` items."""
    if not least <= count <= most:
        raise InvalidArgumentError.of(field, f"must hold {least} to {most} items, not {count}")


def page_limit(field: str, value: int, default: int) -> int:
    """Returns a limit, or its default for 0.

    Raises:
        InvalidArgumentError: It is negative or too large.
    """
    if not 0 <= value <= MAX_RESULTS:
        raise InvalidArgumentError.of(field, f"must be 1 to {MAX_RESULTS}, or 0 for {default}")
    return value or default
