"""Messages of retrieval to the values of its domain, checked, and back."""

import math

from services.retrieval.blobs import check_mask
from services.retrieval.drafts import unit_vector
from services.retrieval.search import LEGS, Found, SearchQuery
from services.retrieval.statistics import Counts
from shared.errors import InvalidArgumentError
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore

MAX_BATCH = 512
MAX_IDS = 1_000
MAX_SEEDS = 50
MAX_RESULTS = 1_000
DEFAULT_RESULTS = 100
DEFAULT_PAGE = 50


def search_query(request: pb.RetrieveRequest, dimension: int) -> SearchQuery:
    """Returns what is searched for.

    Args:
        request: As it came.
        dimension: Numbers of a vector.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    unknown = [leg for leg in request.legs if leg not in LEGS]
    if unknown:
        raise InvalidArgumentError.of("legs", f"no leg is called {unknown[0][:50]!r}")
    check_count("excluded_ids", len(request.excluded_ids), 0, MAX_IDS)
    query = request.query
    vector = None
    if query.HasField("vector"):
        vector = unit_vector(query.vector)
        if len(vector) != dimension or not all(map(math.isfinite, vector)):
            raise InvalidArgumentError.of(
                "query.vector.values",
                f"must be {dimension} finite numbers",
            )
    return SearchQuery(
        text=query.search_text or query.query,
        expansions=[(each.expansion, each.weight) for each in query.expansions],
        vector=vector,
        constraints=query.constraints,
        filter=request.filter,
        excluded_ids=request.excluded_ids,
        legs=request.legs or LEGS,
        limit=page_limit("limit", request.limit, DEFAULT_RESULTS),
        exact=request.exact,
        mask=check_mask(request.read_mask),
    )


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


def term_counts(counts: Counts) -> list[pb.TermCount]:
    """Returns counts as the contract has them."""
    return [pb.TermCount(term=term, count=count) for term, count in counts]


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
