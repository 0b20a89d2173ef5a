"""Classifications: domain -> proto."""

from services.reason.classify.result import Abstention, Outcome, Result, Verdict
from services.reason.classify.weights import Calibration
from wherefore.reason.v1 import classification_pb2 as pb

_OUTCOMES = {
    Outcome.CATEGORY: pb.CLASSIFICATION_OUTCOME_CATEGORY,
    Outcome.PARTIAL: pb.CLASSIFICATION_OUTCOME_PARTIAL,
    Outcome.ABSTAINED: pb.CLASSIFICATION_OUTCOME_ABSTAINED,
}
_REASONS = {
    None: pb.ABSTENTION_REASON_UNSPECIFIED,
    Abstention.BELOW_THRESHOLD: pb.ABSTENTION_REASON_BELOW_THRESHOLD,
    Abstention.NOT_OF_TAXONOMY: pb.ABSTENTION_REASON_NOT_OF_TAXONOMY,
}
_VERDICTS = {
    None: pb.STATED_CATEGORY_VERDICT_UNSPECIFIED,
    Verdict.AGREES: pb.STATED_CATEGORY_VERDICT_AGREES,
    Verdict.DOUBTED: pb.STATED_CATEGORY_VERDICT_DOUBTED,
    Verdict.UNSURE: pb.STATED_CATEGORY_VERDICT_UNSURE,
    Verdict.UNKNOWN: pb.STATED_CATEGORY_VERDICT_UNKNOWN,
    Verdict.LEARNT: pb.STATED_CATEGORY_VERDICT_LEARNT,
}


def classification_proto(result: Result) -> pb.Classification:
    """Returns the contract's form of a result."""
    answer = result.answer
    return pb.Classification(
        product_id=result.product_id,
        outcome=_OUTCOMES[answer.outcome],
        category_path=answer.path,
        probability=answer.probability,
        abstention_reason=_REASONS[answer.why],
        alternatives=[
            pb.CategoryAlternative(
                category_path=each.path, probability=each.probability, in_prediction_set=each.in_set
            )
            for each in result.alternatives
        ],
        evidence=[
            pb.CategoryEvidence(
                text=each.text,
                field=each.field,
                language_code=each.language,
                start=each.start,
                end=each.end,
                contribution=each.contribution,
            )
            for each in result.evidence
        ],
        other_contribution=result.other,
        bias=result.bias,
        score=result.score,
        known_share=result.known_share,
        stated=pb.StatedCategory(
            verdict=_VERDICTS[result.verdict], probability=result.stated_probability
        ),
    )


def model_proto(name: str, categories: int, calibration: Calibration) -> pb.CategoryModel:
    """Returns what the contract says of a model."""
    return pb.CategoryModel(
        name=name,
        category_count=categories,
        promised_precision=calibration.promised_precision,
        category_threshold=calibration.category_threshold,
        parent_threshold=calibration.parent_threshold,
        set_coverage=calibration.set_coverage,
    )
