"""Tags: domain -> proto."""

from services.reason.tags.passages import Evidence
from services.reason.tags.proposals import Proposal
from services.reason.tags.tagger import Method, Tag
from wherefore.reason.v1 import tag_pb2 as pb

_METHODS = {
    Method.WORDS: pb.TAG_METHOD_WORDS,
    Method.MODEL: pb.TAG_METHOD_MODEL,
    Method.REVIEWS: pb.TAG_METHOD_REVIEWS,
}


def tag_proto(tag: Tag) -> pb.Tag:
    """Returns the contract's form of a tag."""
    selling = tag.term.is_selling_point
    return pb.Tag(
        kind=pb.TAG_KIND_SELLING_POINT if selling else pb.TAG_KIND_ATTRIBUTE,
        key=tag.term.key,
        value=tag.term.value,
        label=tag.label,
        confidence=tag.confidence,
        method=_METHODS[tag.method],
        evidence=[evidence_proto(evidence) for evidence in tag.evidence],
        stated=tag.stated,
        review_count=tag.reviews,
        opposing_count=tag.opposing,
    )


def evidence_proto(evidence: Evidence) -> pb.TagEvidence:
    """Returns the contract's form of evidence."""
    return pb.TagEvidence(
        source=evidence.source,
        review_id=evidence.review_id,
        start=evidence.start,
        end=evidence.end,
        text=evidence.text,
    )


def proposal_proto(proposal: Proposal) -> pb.TagProposal:
    """Returns the contract's form of a proposal."""
    return pb.TagProposal(
        phrase=proposal.phrase,
        category_path=proposal.path,
        product_count=proposal.products,
        strength=proposal.strength,
        examples=[
            pb.TagProposalExample(product_id=product_id, evidence=evidence_proto(evidence))
            for product_id, evidence in proposal.examples
        ],
    )
