"""CompletionService: translates."""

from typing import Any, Final

import grpc.aio

from services.orchestrator import validation
from services.orchestrator.completion.completer import Completer
from shared.request_context import current_request_id
from shared.text.language import primary_language
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_UNAVAILABLE, Degradation
from wherefore.orchestrator.v1 import completion_service_pb2 as pb
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceServicer

MAX_PREFIX: Final = 100
DEFAULT_COMPLETIONS: Final = 8
MAX_COMPLETIONS: Final = 50


class CompletionServer(CompletionServiceServicer):
    """Serves completions."""

    def __init__(self, completer: Completer) -> None:
        self._completer = completer

    async def Complete(  # noqa: N802 # the contract's name
        self,
        request: pb.CompleteRequest,
        context: "grpc.aio.ServicerContext[Any, Any] | None" = None,
    ) -> pb.CompleteResponse:
        """See the contract."""
        found = validation.Violations()
        found.text("prefix", request.prefix, MAX_PREFIX, required=True)
        found.language("language_code", request.language_code)
        if request.limit < 0:
            found.add("limit", "must not be negative")
        found.raise_any()
        limit = min(request.limit, MAX_COMPLETIONS) or DEFAULT_COMPLETIONS
        language = primary_language(request.language_code)
        response = pb.CompleteResponse(request_id=current_request_id())
        for match in self._completer.complete(request.prefix.lstrip(), limit, language):
            response.completions.add(
                text=match.entry.text,
                source=pb.CompletionSource.ValueType(match.entry.source),
                score=match.entry.score,
                corrected=match.corrected,
                match_start=match.start,
                match_end=match.end,
            )
        if not self._completer.has_catalogue:
            response.degraded.append(
                Degradation(
                    stage="completion.catalogue",
                    cause=DEGRADATION_CAUSE_UNAVAILABLE,
                    fallback="searches of users only",
                    detail="no catalogue was read yet",
                )
            )
        return response
