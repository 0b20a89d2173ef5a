"""What each part of search is worth: the ablations that `benchmarks.relevance` measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import report
from shared.evaluation import report as scoring
from shared.evaluation.rankers import PATH
from shared.evaluation.report import SystemReport
from shared.evaluation.search_evaluation import SearchEvaluation
from shared.evaluation.significance import paired_bootstrap, paired_randomisation

HEADINGS = (
    "left out",
    "nDCG@10",
    "less than the path by",
    "p, bootstrap",
    "p, randomisation",
    "judged only: less by",
    "p, bootstrap",
    "Chinese: less by",
    "p, bootstrap",
)
NOTES = """\
The path without one part at a time, query by query, in the run of the section on relevance; above
0 the part helps. Intervals (95 %) and p (two-sided) by paired bootstrap over queries, and p by
paired randomisation. `precise` is the path with the cross-encoder on top. Features are left out
by weights of 0; what the groups hold stands in docs/explanations.md, `types` are `type_modifier`
and `type_match`. With {count} rows, one falls below 0.05 by chance alone. The
judged queries have no user and hardly a condition, and the products neither ratings, stock nor
purchases, so taste, wishes, constraints and what others choose cannot show here what they are
worth."""


def section(english: SearchEvaluation, chinese: SearchEvaluation, products: int) -> str:
    """The section of RESULTS.md.

    Args:
        english: With ablations.
        chinese: The same queries in Chinese, with the same ablations.
        products: In the catalogue.
    """
    left_out = ["fused", "precise", *english.ablations]
    titles = {"fused": "without ranking", "precise": "nothing; `precise` instead"}
    rows = [
        [titles.get(name, name), *_row(english.systems, chinese.systems, name)] for name in left_out
    ]
    return "\n".join(
        [
            "## What each part of search is worth",
            "",
            report.provenance(
                "python -m benchmarks.relevance",
                f"icecat, {products:,} products, {len(english.judgments)} judged queries (dev), "
                f"{len(chinese.judgments)} of them in Chinese too",
            ),
            "",
            report.table(HEADINGS, rows),
            "",
            NOTES.format(count=len(rows)),
        ]
    )


def _row(
    english: Mapping[str, SystemReport], chinese: Mapping[str, SystemReport], name: str
) -> Sequence[str]:
    first, second = _pairs(english, name, scoring.NDCG)
    return (
        f"{sum(second) / len(second):.3f}",
        *_difference(english, name, scoring.NDCG),
        f"{paired_randomisation(first, second):.4f}",
        *_difference(english, name, scoring.NDCG_JUDGED_ONLY),
        *_difference(chinese, name, scoring.NDCG),
    )


def _difference(systems: Mapping[str, SystemReport], name: str, measure: str) -> tuple[str, str]:
    away = paired_bootstrap(*_pairs(systems, name, measure))
    shown = away.interval
    return f"{shown.mean:+.3f} ({shown.low:+.3f} to {shown.high:+.3f})", f"{away.p:.4f}"


def _pairs(
    systems: Mapping[str, SystemReport], name: str, measure: str
) -> tuple[list[float], list[float]]:
    path, other = systems[PATH].by_query[measure], systems[name].by_query[measure]
    return list(path.values()), [other[query] for query in path]
