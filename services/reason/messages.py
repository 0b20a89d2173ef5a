"""Reasons: proto <-> domain."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.reason.disclosures import CODES as DISCLOSURES
from services.reason.explainer import ExplainInput, Item, WrittenReason
from services.reason.facts import Claim, Fact
from wherefore.reason.v1 import reason_service_pb2 as pb
from wherefore.reason.v1.reason_pb2 import (
    GENERATOR_MODEL,
    GENERATOR_TEMPLATE,
    Clause,
    Reason,
)

NO_EVIDENCE: Final = "no_evidence"


def page_of(request: pb.ExplainRequest) -> ExplainInput:
    """Returns the page that is to be explained."""
    return ExplainInput(
        items=[
            Item(
                item.product,
                tuple(item.anchor_product_ids),
                item.relations,
                item.price_standing if item.HasField("price_standing") else None,
                item.legs,
                item.result.contributions,
                item.disclosure if item.HasField("disclosure") else None,
            )
            for item in request.items
        ],
        query=request.query if request.HasField("query") else None,
        user=request.user if request.HasField("user") else None,
        language=request.language_code,
        max_clauses=request.max_clauses,
    )


def write_reason(into: Reason, reason: WrittenReason) -> None:
    """Writes a reason in the contract's form, with evidence ids from e1 on.

    Args:
        into: An empty message, in its place in the answer: one that is put there later is copied.
        reason: The reason.
    """
    ids = evidence_ids(reason.facts)
    into.product_id, into.text = reason.product_id, reason.text
    into.language_code = reason.language
    for claim in reason.claims:
        write_clause(into.clauses.add(), claim, ids)
    for fact, evidence_id in ids.items():
        evidence = into.evidence.add()  # its fields as arguments of `add` take twice as long
        evidence.id, evidence.code, evidence.source = evidence_id, fact.code, fact.source
        evidence.value, evidence.meets, evidence.strength = fact.value, fact.meets, fact.strength
    codes = dict.fromkeys(claim.code for claim in reason.claims)
    shop = [code for code in DISCLOSURES if code in codes]
    into.codes.extend([*shop, *(code for code in codes if code not in shop)] or [NO_EVIDENCE])
    into.generator = GENERATOR_MODEL if reason.by_model else GENERATOR_TEMPLATE
    into.generator_version, into.cached = reason.generator, reason.cached


def write_clause(into: Clause, claim: Claim, ids: Mapping[Fact, str]) -> None:
    """Writes a clause into an empty message; `ids` are those of its facts."""
    into.text, into.code = claim.text, claim.code
    for fact in claim.facts:
        into.evidence_ids.append(ids[fact])


def evidence_ids(facts: Sequence[Fact]) -> dict[Fact, str]:
    """Returns the id of every fact: "e1", "e2" and so on, in their order."""
    return {fact: f"e{number}" for number, fact in enumerate(facts, start=1)}
