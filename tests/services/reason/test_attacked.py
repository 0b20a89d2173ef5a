"""Attacks on claims of served pages: words of a model are attacked too, and must hold before."""

from services.reason.evaluation.attacked import attack_pages, refused, said_claims
from shared.evaluation.claims import Record, Seen
from shared.evaluation.reasons.collect import GivenReason, ReasonPage
from tests.services.reason.conftest import build_product, build_scene
from wherefore.ranking.v1.ranked_result_pb2 import Contribution
from wherefore.reason.v1.reason_pb2 import Clause, Evidence, Reason


def page(clause: str) -> ReasonPage:
    """One product of a page, and a sentence on its rating."""
    product = build_product("p1", 299.0)
    summary = product.review_summary
    rating = f"{summary.average_rating!r} {summary.rating_count}"
    scene = build_scene("en")
    assert scene.query is not None
    reason = Reason(
        product_id="p1",
        text=f"{clause}.",
        language_code="en",
        clauses=[Clause(text=clause, code="well_reviewed", evidence_ids=["e1"])],
        evidence=[
            Evidence(
                id="e1",
                code="well_reviewed",
                source="review_summary.average_rating",
                value=rating,
                strength=0.5,
            )
        ],
    )
    record = Record(product, scene.query.query, [product], [Seen(product, bought=False)])
    return ReasonPage(record.query, [GivenReason(reason, record)], record.history, (), scene.query)


def test_words_of_a_model_are_attacked() -> None:
    words = f"buyers give it {build_product('p1', 1.0).review_summary.average_rating:g} stars"
    told = page(words)
    assert [claim.text for claim in said_claims(told.reasons[0])] == [words]
    assert refused([told]) == (1, 0)
    alone = attack_pages([page("no such words, 99 stars")], every=1)
    both = attack_pages([told], every=1)
    assert both.made["superlative"] == alone.made["superlative"] + 1
    assert both.share == 1.0


def test_what_the_verifier_refuses_is_counted() -> None:
    assert refused([page("99 stars")]) == (1, 1)


def test_what_was_paid_is_read_again() -> None:
    """A claim on the user's usual price holds for who bought something near it, and no one else."""
    product, other = build_product("p1", 299.0), build_product("p2", 280.0)
    words = "priced like what you bought or put in your cart"
    clause = Clause(text=words, code="price_like_yours", evidence_ids=["e1"])
    said = Evidence(
        id="e1",
        code="price_like_yours",
        source="ranking.price_affinity",
        value=f"{product.price.amount!r} {product.price.currency_code}",
        meets="280.0",
        strength=0.35,
    )
    reason = Reason(
        product_id="p1",
        text=f"{clause.text}.",
        language_code="en",
        clauses=[clause],
        evidence=[said],
    )
    lifted = (Contribution(feature="price_affinity", contribution=0.1),)

    def of(*history: Seen) -> ReasonPage:
        record = Record(product, "", [product], history)
        return ReasonPage("", [GivenReason(reason, record, (), lifted)], history)

    assert refused([of(Seen(other, bought=True))]) == (1, 0)
    assert refused([of(Seen(other, bought=False))]) == (1, 1)
    assert refused([of()]) == (1, 1)
