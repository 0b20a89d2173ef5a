"""Bounds of an evaluation: the strictest without options, and those that are set."""

import pytest

from shared.evaluation.reasons.bounds import Bounds
from shared.evaluation.reasons.falsified import Noticed
from shared.evaluation.reasons.score import score
from tests.shared.evaluation.reasons.test_score import page

TRUE, FALSE = "Black, as you asked.", "White, as you asked."


@pytest.mark.parametrize(
    ("bounds", "texts", "broken"),
    [
        (Bounds(), [TRUE], 0),
        (Bounds(), [TRUE, FALSE], 1),
        (Bounds(max_unsupported=1), [TRUE, FALSE], 0),
        (Bounds(max_unsupported=1), [FALSE, FALSE], 1),
        (Bounds(fail_under=0.75), [TRUE, FALSE], 0),
        (Bounds(fail_under=0.8), [TRUE, FALSE], 1),
        (Bounds(max_unsupported=0, fail_under=0.8), [TRUE, FALSE], 2),
        (Bounds(), [], 1),
    ],
)
def test_unsupported_claims(bounds: Bounds, texts: list[str], broken: int) -> None:
    assert len(bounds.broken(score([page(texts)]))) == broken


@pytest.mark.parametrize(("passed", "least", "broken"), [(1, 0.99, 0), (2, 0.99, 1), (2, 0.9, 0)])
def test_what_the_verifier_lets_pass(passed: int, least: float, broken: int) -> None:
    noticed = Noticed()
    for at in range(100):
        noticed.note("superlative", "the best", rejected=at >= passed)
    found = score([page([TRUE])], verifier=noticed)
    assert len(Bounds(min_rejected=least).broken(found)) == broken
