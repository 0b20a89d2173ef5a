"""Candidates of which the ids are known: retrieval is asked for nothing else."""

from collections.abc import Sequence
from typing import Final

from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest

MOST_BY_ID: Final = 100
"""As many as retrieval includes by id in one call."""


def request_by_id(product_ids: Sequence[str], condition: str) -> RetrieveRequest:
    """Returns a request for those of some products that are there and meet a filter."""
    return RetrieveRequest(
        query=QueryUnderstanding(),
        filter=condition,
        legs=["sparse"],  # which finds nothing for a query without words
        limit=1,
        included_ids=product_ids,
    )
