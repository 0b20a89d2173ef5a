"""Claims that hold over claims, by what they are about, with how sure a count of none is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shared.evaluation.claims import CheckedClaim
from wherefore.reason.v1.reason_pb2 import Reason

OF_NO_CLAUSE = "between clauses"
"""Kind of what stands in a sentence and in none of its clauses."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Claims, and those that the records do not support."""

    claims: int
    unsupported: int

    @property
    def faithfulness(self) -> float:
        """Share of the claims that are supported, 0 to 1; 1 when there are none."""
        return 1 - self.unsupported / self.claims if self.claims else 1.0

    def as_json(self) -> dict[str, float]:
        """The figures by name."""
        return {
            "claims": self.claims,
            "unsupported": self.unsupported,
            "faithfulness": self.faithfulness,
            "unsupported_at_most": upper_bound(self.unsupported, self.claims),
        }


def tally(claims: Sequence[CheckedClaim]) -> Tally:
    """Counts claims."""
    return Tally(len(claims), sum(not claim.supported for claim in claims))


def by_kind(reason: Reason, claims: Sequence[CheckedClaim]) -> Iterator[tuple[str, CheckedClaim]]:
    """Yields claims with the code of the clause that they stand in.

    The checker knows no clauses: it cuts the sentence at its separators, so one clause may make
    several claims, and a claim belongs where its first character stands.
    """
    ends: list[tuple[int, str]] = []
    at = 0
    for clause in reason.clauses:
        found = reason.text.find(clause.text, at)
        if found >= 0:
            at = found + len(clause.text)
            ends += [(found, OF_NO_CLAUSE), (at, clause.code)]
    at = 0
    for claim in claims:
        start = max(reason.text.find(claim.text, at), at)
        at = start + len(claim.text)
        yield next((code for end, code in ends if start < end), OF_NO_CLAUSE), claim


def upper_bound(failures: int, trials: int, *, doubt: float = 0.05) -> float:
    """Returns the highest share that a count does not rule out: Clopper and Pearson (1934).

    Args:
        failures: Counted.
        trials: Of so many independent ones.
        doubt: Chance that the true share lies above; one-sided.
    """
    if failures >= trials:
        return 1.0
    return _root(lambda share: _at_most(failures, trials, share) - doubt)


def _at_most(failures: int, trials: int, share: float) -> float:
    """The chance of so many failures or fewer."""
    return sum(
        math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(count + 1)
            - math.lgamma(trials - count + 1)
            + count * math.log(share)
            + (trials - count) * math.log1p(-share)
        )
        for count in range(failures + 1)
    )


def _root(falling: Callable[[float], float]) -> float:
    low, high = 1e-12, 1 - 1e-12
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high
