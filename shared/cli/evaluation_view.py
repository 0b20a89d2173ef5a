"""An evaluation as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from shared.evaluation import report
from shared.evaluation.rankers import LEGS, PATH

if TYPE_CHECKING:
    from shared.evaluation.search_evaluation import SearchEvaluation

MEASURES = (
    report.NDCG,
    report.NDCG_JUDGED_ONLY,
    report.JUDGED,
    report.MRR,
    report.RECALL,
)


def table(evaluation: SearchEvaluation) -> Table:
    """Systems by measures."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("System")
    for measure in MEASURES:
        shown.add_column(measure.replace("_", " "), justify="right")
    for name in (*LEGS, PATH, *evaluation.ablations):
        means: Mapping[str, float | None] = evaluation.systems[name].means()
        cells = [means[measure] for measure in MEASURES]
        shown.add_row(name, *("–" if cell is None else f"{cell:.3f}" for cell in cells))
    return shown


def comparison_table(evaluation: SearchEvaluation) -> Table:
    """How far the whole path is above each other system in nDCG@10."""
    from shared.evaluation.comparison import compare

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("nDCG@10, path less")
    for heading in ("difference", "95 %", "p, bootstrap", "p, randomisation"):
        shown.add_column(heading, justify="right")
    compared = compare(evaluation.systems, PATH)
    for name in (name for name in compared if name != PATH):
        one = compared[name].get(report.NDCG)
        if one is None:
            shown.add_row(name, *("–",) * 4)
            continue
        away = one.difference.interval
        shown.add_row(
            name,
            f"{away.mean:+.3f}",
            f"{away.low:+.3f} to {away.high:+.3f}",
            f"{one.difference.p:.4f}",
            f"{one.p_randomisation:.4f}",
        )
    return shown


def notes(evaluation: SearchEvaluation) -> Iterator[str]:
    """What the reader must know to trust the figures."""
    without = len(report.queries_without_relevant(evaluation.judgments))
    yield (
        f"{len(evaluation.judgments)} queries, {without} of them without any relevant product "
        f"(left out of nDCG, MRR and recall); relevant means rated {report.RELEVANT_RATING} or more"
    )
    if evaluation.missing_products:
        yield f"{evaluation.missing_products} judged products are not in the catalogue"
    for stage, count in evaluation.degraded_queries.items():
        yield f"{count} queries were answered without {stage}: the path's figures are too low"
    if evaluation.condensed_queries:
        yield (
            f"{evaluation.condensed_queries} queries have too many judged products for a filter; "
            "theirs alone were taken out of a deep ranking"
        )
