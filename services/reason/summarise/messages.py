"""Summaries: proto <-> domain."""

from collections.abc import Sequence

from services.reason.summarise.points import Point
from services.reason.summarise.rewrite import Rewritten
from services.reason.summarise.sentences import Text
from services.reason.summarise.summariser import Summary, SummaryInput
from services.reason.summarise.verify import Claim
from shared.timing import StageTimer
from wherefore.reason.v1 import summary_pb2 as pb
from wherefore.reason.v1.reason_pb2 import Generator


def from_request(request: pb.SummariseRequest) -> SummaryInput:
    """Returns what is asked for."""
    return SummaryInput(
        reviews=[Text(review.id, review.text, review.rating) for review in request.reviews],
        descriptions=dict(request.descriptions),
        language=request.language_code,
        max_words=request.max_words,
        max_points=request.max_points,
        style=request.style,
    )


def to_response(summary: Summary, timer: StageTimer) -> pb.SummariseResponse:
    """Returns the contract's form of a summary."""
    rewritten = summary.rewritten or Rewritten("")
    return pb.SummariseResponse(
        sentences=[
            pb.SummarySentence(
                text=quoted.sentence.text,
                review_id=quoted.review_id,
                start=quoted.sentence.start,
                end=quoted.sentence.end,
                centrality=quoted.centrality,
            )
            for quoted in summary.quoted
        ],
        pros=_points(summary.pros, summary.language),
        cons=_points(summary.cons, summary.language),
        overview=summary.overview,
        language_code=summary.language,
        review_count=summary.reviews,
        duplicate_count=summary.duplicates,
        method=summary.method,
        timings=timer.timings(),
        degraded=summary.degraded,
        rewritten=rewritten.text,
        claims=[
            pb.SummaryClaim(
                text=claim.text,
                aspect=claim.aspect,
                praises=claim.praises and bool(claim.aspect),
                review_count=claim.count,
                speaking_count=claim.speaking,
                review_ids=claim.review_ids,
                generator=_generator(claim),
            )
            for claim in rewritten.claims
        ],
        rejected_claim_count=len(rewritten.rejected),
        generator_version=rewritten.version,
    )


def _generator(claim: Claim) -> Generator.ValueType:
    if not claim.aspect:
        return Generator.GENERATOR_UNSPECIFIED
    return Generator.GENERATOR_MODEL if claim.by_model else Generator.GENERATOR_TEMPLATE


def _points(points: Sequence[Point], language: str) -> list[pb.ReviewPoint]:
    return [
        pb.ReviewPoint(
            aspect=point.aspect.code,
            label=point.aspect.labels[language],
            review_count=point.reviews,
            opposing_count=point.opposing,
            examples=[
                pb.PointExample(text=m.text, review_id=m.review_id, start=m.start, end=m.end)
                for m in point.mentions
            ],
        )
        for point in points
    ]
