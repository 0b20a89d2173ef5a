"""Whether an arm differs from control, told so that one may look at any time.

Each user counts once for a metric, when they first click, buy and so on. If the arms do not differ,
each such user is of the treatment with the probability of its share, whatever the metric's rate is
and however it changes over days: how users of both arms convert is the same, and who is in which
arm was drawn. So among converted users the arm is a coin of known odds, and the mixture likelihood
ratio over a Beta prior is a martingale with mean 1 under the null hypothesis. By Ville's inequality
it ever exceeds 1 / alpha with a probability of at most alpha, at no matter how many looks.

Sources: Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of
Mathematical Statistics 41, 1970, for the mixture; Johari, Koomen, Pekelis and Walsh, "Always valid
inference: continuous monitoring of A/B tests", Operations Research 70, 2022, for mixture sequential
tests of experiments; Lindon and Malek, "Anytime-valid inference for multinomial count data",
NeurIPS 2022, for counts of conversions; Ramdas et al., "Game-theoretic statistics and safe anytime-
valid inference", Statistical Science 38, 2023, for e-values and confidence sequences.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, lgamma, log
from typing import Final

PRIOR_STRENGTH: Final = 100.0
"""Of the Beta prior around the null, in users: most sensitive to shares that differ by about
1 / sqrt(PRIOR_STRENGTH) standard deviations, which is a lift of a tenth or two."""
_MOST_EXPONENT: Final = 700.0
_STEPS: Final = 80


@dataclass(frozen=True, slots=True)
class Verdict:
    """What conversions say of a treatment against control."""

    lift: float
    """Rate of the treatment over control's, as a ratio; 1 is no difference."""
    low: float
    high: float
    """Confidence sequence of the lift: holds at all times at once with probability 1 - alpha."""
    e_value: float
    """Evidence against no difference: how much a gambler who bet on one would have."""

    @property
    def p_value(self) -> float:
        """Always-valid p-value of this moment; the least of all moments is one as well."""
        return min(1.0, 1.0 / self.e_value) if self.e_value > 0 else 1.0


def compare(treated: int, controls: int, share: float, alpha: float) -> Verdict:
    """Compares conversions.

    Args:
        treated: Users of the treatment who converted.
        controls: Users of control who did.
        share: Of the treatment among users of both, above 0 and below 1.
        alpha: One minus the confidence, above 0.

    Returns:
        The verdict; with no conversions it says nothing.
    """
    odds = (1.0 - share) / share
    e_value = exp(min(_log_evidence(treated, controls, share, share), _MOST_EXPONENT))
    lift = 1.0
    if treated or controls:
        lift = treated / controls * odds if controls else inf
    best = treated / (treated + controls) if treated + controls else share
    threshold = log(1.0 / alpha)

    def refuted(null: float) -> bool:
        return _log_evidence(treated, controls, share, null) >= threshold

    low, high = _edge(best, 0.0, refuted), _edge(best, 1.0, refuted)
    return Verdict(
        lift=lift,
        low=low / (1.0 - low) * odds if low < 1.0 else inf,
        high=high / (1.0 - high) * odds if high < 1.0 else inf,
        e_value=e_value,
    )


def _log_evidence(treated: int, controls: int, share: float, null: float) -> float:
    """Log of the mixture over the likelihood at `null`; the mixture is centred at `share`."""
    a, b = PRIOR_STRENGTH * share, PRIOR_STRENGTH * (1.0 - share)
    mixture = _log_beta(a + treated, b + controls) - _log_beta(a, b)
    if (treated and null <= 0.0) or (controls and null >= 1.0):
        return inf
    likelihood = (treated * log(null) if treated else 0.0) + (
        controls * log(1.0 - null) if controls else 0.0
    )
    return mixture - likelihood


def _edge(best: float, end: float, refuted: Callable[[float], bool]) -> float:
    """Returns where, from the best estimate towards an end, nulls begin to be refuted.

    The likelihood falls from its best value on both sides, so the edge is found by halving.
    """
    if not refuted(end):
        return end
    inside, outside = best, end
    for _ in range(_STEPS):
        middle = (inside + outside) / 2.0
        if refuted(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
