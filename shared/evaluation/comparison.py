"""How much each system differs from a baseline, measure by measure, and whether by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.evaluation import report
from shared.evaluation.report import SystemReport
from shared.evaluation.significance import (
    Difference,
    Interval,
    bootstrap_interval,
    paired_bootstrap,
    paired_randomisation,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of one system, beside the baseline's."""

    interval: Interval
    """Of the system's own mean, percentile bootstrap over queries, 95 %."""
    difference: Difference
    """Baseline - system, paired bootstrap over the queries that both have, 95 %."""
    p_randomisation: float
    """Of the same difference, by the paired randomisation test, two-sided."""


Comparisons = Mapping[str, Mapping[str, Comparison]]
"""By measure, by system; a measure that no query defines is absent."""


def compare(systems: Mapping[str, SystemReport], baseline: str) -> Comparisons:
    """Compare every system with one of them, which is compared with itself too.

    Raises:
        KeyError: There is no such baseline.
    """
    theirs = systems[baseline].by_query
    compared: dict[str, dict[str, Comparison]] = {}
    for name, system in systems.items():
        compared[name] = {}
        for measure, values in system.by_query.items():
            shared = [query for query in theirs[measure] if query in values]
            if not shared:
                continue
            first = [theirs[measure][query] for query in shared]
            second = [values[query] for query in shared]
            compared[name][measure] = Comparison(
                bootstrap_interval(list(values.values())),
                paired_bootstrap(first, second),
                paired_randomisation(first, second),
            )
    return compared


def as_json(
    compared: Comparisons, systems: Mapping[str, SystemReport], baseline: str
) -> dict[str, object]:
    """Intervals, differences and the queries' own nDCG@10, as a JSON report holds them."""
    return {
        "confidence_intervals": {
            name: {measure: [one.interval.low, one.interval.high] for measure, one in by.items()}
            for name, by in compared.items()
        },
        f"{baseline}_against": {
            name: {
                measure: {
                    "difference": one.difference.interval.mean,
                    "low": one.difference.interval.low,
                    "high": one.difference.interval.high,
                    "p_bootstrap": one.difference.p,
                    "p_randomisation": one.p_randomisation,
                }
                for measure, one in by.items()
            }
            for name, by in compared.items()
            if name != baseline
        },
        f"{report.NDCG}_by_query": {
            query: {name: systems[name].by_query[report.NDCG].get(query) for name in systems}
            for query in systems[baseline].by_query[report.NDCG]
        },
    }
