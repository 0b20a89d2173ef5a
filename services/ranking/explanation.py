"""Explanations of a ranking: contributions in groups, and what would have put a product first.

Shapley values add up (Lundberg and Lee, "A unified approach to interpreting model predictions",
2017), so the value of a group is the sum of its features', and groups sum to the score as well.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.ranking.explain import FeatureContribution
from services.ranking.explanation_words import (
    CHANGEABLE,
    STOCK_LATER,
    Language,
    feature_label,
    first_if,
    group_of,
)
from services.ranking.ranker import Placed, Ranking
from shared.errors import InvalidArgumentError

MAX_EXPLAINED: Final = 20
# The needed value is rounded outwards to what is shown, so that what is said is true as written.
_STEP: Final = 0.001
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class GroupContribution:
    """What features of one kind added together."""

    group: str
    label: str
    contribution: float
    parts: Sequence[FeatureContribution]


@dataclass(frozen=True, slots=True)
class CounterFactual:
    """The smallest change of one feature that would have given the highest score."""

    feature: str
    value: float
    needed: float
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one product has its score."""

    placed: Placed
    groups: Sequence[GroupContribution]
    counter_factual: CounterFactual | None


@dataclass(frozen=True, slots=True)
class _Slope:
    """How a linear model weighs one feature, as the candidates' contributions tell."""

    weight: float
    low: float
    high: float


def explain_ranking(
    ranking: Ranking, product_ids: Sequence[str], language: Language
) -> list[Explanation]:
    """Explains products of a ranking.

    Args:
        ranking: All candidates, with their contributions.
        product_ids: Which to explain; the first MAX_EXPLAINED when empty.
        language: Of the words.

    Returns:
        In the order of the ranking.

    Raises:
        InvalidArgumentError: Too many products, one twice, or one that is no candidate.
    """
    wanted = _wanted(ranking, product_ids)
    slopes = _slopes(ranking.results) if ranking.linear else {}
    best = max(placed.score for placed in ranking.results)
    return [
        Explanation(
            placed,
            _groups(placed.contributions, language),
            _counter_factual(placed, best, slopes, language),
        )
        for placed in ranking.results
        if placed.product_id in wanted
    ]


def _wanted(ranking: Ranking, product_ids: Sequence[str]) -> Collection[str]:
    if not product_ids:
        return {placed.product_id for placed in ranking.results[:MAX_EXPLAINED]}
    if len(product_ids) > MAX_EXPLAINED:
        raise InvalidArgumentError.of(
            "product_ids", f"at most {MAX_EXPLAINED}, not {len(product_ids)}"
        )
    known = {placed.product_id for placed in ranking.results}
    for index, product_id in enumerate(product_ids):
        if product_id not in known:
            raise InvalidArgumentError.of(f"product_ids[{index}]", "is none of the candidates")
        if product_id in product_ids[:index]:
            raise InvalidArgumentError.of(f"product_ids[{index}]", "is there twice")
    return set(product_ids)


def _groups(
    contributions: Sequence[FeatureContribution], language: Language
) -> list[GroupContribution]:
    parts: dict[str, list[FeatureContribution]] = {}
    for part in contributions:
        label = feature_label(part.feature, part.contribution, language)
        parts.setdefault(group_of(part.feature).key, []).append(replace(part, label=label))
    groups: list[GroupContribution] = []
    for key, members in parts.items():
        total = sum(part.contribution for part in members)
        label = group_of(members[0].feature).label(total, language)
        groups.append(GroupContribution(key, label, total, members))
    return sorted(groups, key=lambda group: -abs(group.contribution))


def _slopes(results: Sequence[Placed]) -> dict[str, _Slope]:
    """Reads the weight of each changeable feature off the contributions, w (x - mean x)."""
    seen: dict[str, list[tuple[float, float]]] = {}
    for placed in results:
        for part in placed.contributions:
            if part.feature in CHANGEABLE:
                seen.setdefault(part.feature, []).append((part.value, part.contribution))
    slopes: dict[str, _Slope] = {}
    for feature, pairs in seen.items():
        values, contributions = np.array(pairs).T
        low, high = int(values.argmin()), int(values.argmax())
        if values[high] - values[low] < _STEP:
            continue
        weight = (contributions[high] - contributions[low]) / (values[high] - values[low])
        line = contributions[low] + weight * (values - values[low])
        if np.allclose(line, contributions, rtol=0.0, atol=_TOLERANCE):
            slopes[feature] = _Slope(float(weight), float(values[low]), float(values[high]))
    return slopes


def _counter_factual(
    placed: Placed, best: float, slopes: dict[str, _Slope], language: Language
) -> CounterFactual | None:
    """Looks among values that other candidates have: what nobody has may not be possible."""
    gap = best - placed.score
    if gap <= 0.0:
        return None
    found: CounterFactual | None = None
    for part in placed.contributions:
        slope = slopes.get(part.feature)
        if slope is None or slope.weight == 0.0:
            continue
        exact = part.value + gap / slope.weight
        # One step past it, as an equal score is not the highest.
        steps = exact / _STEP
        steps = math.floor(steps) + 1 if slope.weight > 0 else math.ceil(steps) - 1
        needed = round(steps * _STEP, 3)
        if part.feature == "stock" and 0.0 <= needed <= 1.0:
            needed = 1.0 if needed > STOCK_LATER else STOCK_LATER
        if not slope.low <= needed <= slope.high:
            continue
        if found is None or abs(needed - part.value) < abs(found.needed - found.value):
            text = first_if(part.feature, part.value, needed, language)
            found = CounterFactual(part.feature, part.value, needed, text)
    return found
