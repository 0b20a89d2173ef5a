"""Claims by kind, and how sure a count of none is."""

import pytest

from shared.evaluation.claims import CheckedClaim
from shared.evaluation.reasons.faithfulness import OF_NO_CLAUSE, by_kind, tally, upper_bound
from wherefore.reason.v1.reason_pb2 import Clause, Reason


def test_claims_are_of_the_clause_that_they_stand_in() -> None:
    reason = Reason(
        text="Good news: black, as you asked; rated 4.6, by 12 buyers.",
        clauses=[
            Clause(text="black, as you asked", code="attribute_match"),
            Clause(text="rated 4.6, by 12 buyers", code="well_reviewed"),
        ],
    )
    claims = [
        CheckedClaim("Good news", ("word",)),
        CheckedClaim("black", ()),
        CheckedClaim("as you asked", ()),
        CheckedClaim("rated 4.6", ()),
        CheckedClaim("by 12 buyers", ("reviews",)),
    ]
    assert [kind for kind, _ in by_kind(reason, claims)] == [
        OF_NO_CLAUSE,
        "attribute_match",
        "attribute_match",
        "well_reviewed",
        "well_reviewed",
    ]
    assert tally(claims).faithfulness == pytest.approx(3 / 5)


def test_no_claims_are_faithful() -> None:
    assert tally([]).faithfulness == 1.0


@pytest.mark.parametrize(
    ("failures", "trials", "bound"),
    # As scipy.stats.beta.ppf(0.95, failures + 1, trials - failures) gives them.
    [(0, 1000, 0.002991), (0, 20, 0.139108), (3, 1000, 0.007737), (2, 10, 0.506901)],
)
def test_the_bound_is_clopper_s_and_pearson_s(failures: int, trials: int, bound: float) -> None:
    assert upper_bound(failures, trials) == pytest.approx(bound, abs=1e-5)


def test_nothing_is_known_of_nothing() -> None:
    assert upper_bound(0, 0) == upper_bound(4, 4) == 1.0
