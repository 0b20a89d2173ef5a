"""The reason service in small."""

import asyncio
from typing import Any

import grpc

from services.ranking.server import RankingServer
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.ranking.v1 import ranking_service_pb2
from wherefore.reason.v1 import reason_service_pb2, reason_service_pb2_grpc
from wherefore.reason.v1.reason_pb2 import Clause, Evidence, Generator, Reason, ReasonClause
from wherefore.reason.v1.summary_pb2 import (
    SUMMARY_STYLE_REWRITTEN,
    SummariseResponse,
    SummarySentence,
)

BROKEN_OFF = 3
"""Reasons of a stream before it breaks."""


class FakeReasons(reason_service_pb2_grpc.ReasonServiceServicer):
    """Part of `Backends`, whose faults it has."""

    code: grpc.StatusCode
    broken: set[str]
    slow: set[str]
    ranking: RankingServer

    def __init__(self) -> None:
        self.summary: SummariseResponse | None = None
        """What to say of every product, where it is not to be made of the texts."""
        self.reasons_by_place: dict[int, dict[str, Any]] = {}
        """Fields that the reason of a place on the page has otherwise."""
        self.reason_losses: list[Degradation] = []
        """What every page of reasons is told to have been written without."""
        self.explained: list[reason_service_pb2.ExplainRequest] = []
        """Pages of reasons that were asked for."""
        self.streams_ended = 0
        """Streams of reasons that were read to the end or given up."""

    async def Summarise(self, request, context):  # noqa: N802
        await self.gate("reason", context)
        if self.summary is not None:
            return self.summary
        if request.max_words == 9:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "max_words: must be 10 to 500")
        return SummariseResponse(
            sentences=[SummarySentence(text=r.text, review_id=r.id) for r in request.reviews],
            overview=" ".join(f"{k}={v}" for k, v in sorted(request.descriptions.items())),
            language_code=request.language_code,
            review_count=len(request.reviews),
            rewritten="new words" if request.style == SUMMARY_STYLE_REWRITTEN else "",
        )

    async def Explain(self, request, context):  # noqa: N802
        # Ranking and reason both have a method of this name.
        if isinstance(request, ranking_service_pb2.ExplainRequest):
            await self.gate("ranking", context)
            return await self.ranking.Explain(request, context)
        self.explained.append(request)
        await self.gate("reason", context)
        return reason_service_pb2.ExplainResponse(
            reasons=self._reasons_of(request), degraded=self.reason_losses
        )

    async def ExplainStream(self, request, context):  # noqa: N802
        await self.gate("reason", context)
        try:
            for number, reason in enumerate(reversed(self._reasons_of(request.request))):
                if number == BROKEN_OFF and "reason.stream" in self.broken:
                    await context.abort(self.code, "gone")
                if request.by_clause:
                    clause = ReasonClause(
                        product_id=reason.product_id,
                        text=reason.clauses[0].text,
                        clause=reason.clauses[0],
                    )
                    yield reason_service_pb2.ExplainStreamResponse(clause=clause)
                yield reason_service_pb2.ExplainStreamResponse(reason=reason)
                for _ in range(600):
                    if "reason.stream" not in self.slow:
                        break
                    if "reason.wait" in self.broken:
                        await context.abort(self.code, "gone while others waited")
                    await asyncio.sleep(0.05)
            if self.reason_losses:
                yield reason_service_pb2.ExplainStreamResponse(degraded=self.reason_losses)
        finally:
            self.streams_ended += 1

    def _reasons_of(self, request) -> list[Reason]:
        reasons = reasons_of(request)
        for place, fields in self.reasons_by_place.items():
            for name, value in fields.items():
                setattr(reasons[place], name, value)
        return reasons


def reasons_of(request) -> list[Reason]:
    known = " ".join(recent.product_id for recent in request.user.recent_products)
    return [
        Reason(
            product_id=item.product.id,
            text=f"Made of steel. Known: {known}. Like: {item.anchor_product_ids}.",
            language_code="en",
            clauses=[Clause(text="Made of steel", code="attribute_match", evidence_ids=["e1"])],
            evidence=[Evidence(id="e1", source="attributes.material", value="steel", strength=0.9)],
            generator=Generator.GENERATOR_MODEL,
            generator_version="reason_small@1",
        )
        for item in request.items
    ]
