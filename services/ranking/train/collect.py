"""Asks a running suite for the candidates of judged queries."""

from collections.abc import Callable, Sequence

import grpc

from services.ranking.train.dataset import Page
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

CANDIDATES = 100
"""As many as the orchestrator ranks at a time."""
_SECONDS = 30.0


def collect_pages(
    queries: Sequence[str],
    nlu_target: str,
    retrieval_target: str,
    on_query: Callable[[], object] = lambda: None,
) -> dict[str, Page]:
    """Parses and retrieves every query.

    Args:
        queries: As typed.
        nlu_target: HOST:PORT of the NLU.
        retrieval_target: HOST:PORT of retrieval, which holds the judged catalogue.
        on_query: Called after each, for progress.

    Raises:
        grpc.RpcError: A service does not answer.
    """
    pages: dict[str, Page] = {}
    with (
        grpc.insecure_channel(nlu_target) as to_nlu,
        grpc.insecure_channel(retrieval_target) as to_retrieval,
    ):
        nlu, retrieval = NluServiceStub(to_nlu), RetrievalServiceStub(to_retrieval)
        for text in queries:
            parsed = nlu.Parse(ParseRequest(query=text), timeout=_SECONDS)
            request = RetrieveRequest(query=parsed.understanding, limit=CANDIDATES)
            found = retrieval.Retrieve(request, timeout=_SECONDS)
            pages[text] = (parsed.understanding, list(found.candidates))
            on_query()
    return pages
