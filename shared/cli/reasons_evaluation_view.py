"""An evaluation of reasons, as a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from shared.cli import output

if TYPE_CHECKING:
    from shared.evaluation.reasons.score import ReasonEvaluation

SHOWN = 10
"""Unsupported claims that are printed."""


def table(evaluation: ReasonEvaluation) -> Table:
    """The figures."""
    document = evaluation.as_json()
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("Measure")
    shown.add_column("", justify="right")
    for label, value in (
        ("reasons", f"{len(evaluation.scored):,}"),
        ("claims", f"{evaluation.claims:,}"),
        ("unsupported claims", f"{evaluation.unsupported:,}"),
        ("written by the model", f"{evaluation.model_share:.1%}"),
        ("words of the query taken up", f"{document['query_coverage']:.3f}"),
        ("different sentences on a page", f"{document['distinct_on_page']:.3f}"),
        ("most often on one page", f"{evaluation.most_repeated}"),
        ("distinct-1, distinct-2", f"{document['distinct_1']:.3f}, {document['distinct_2']:.3f}"),
        ("pages that name the history there is", f"{document['history_named']:.1%}"),
        ("pages that name one there is not", f"{document['history_named_to_strangers']:.1%}"),
    ):
        shown.add_row(label, value)
    return shown


def unsupported(evaluation: ReasonEvaluation) -> Iterator[str]:
    """The first unsupported claims, a line each."""
    for each in evaluation.scored:
        for claim in each.checked.unsupported:
            product_id = each.given.record.product.id
            yield output.clean(
                f"unsupported ({', '.join(claim.causes)}): {claim.text}"
                f" - “{each.checked.text}”, product {product_id}"
            )


def notes(evaluation: ReasonEvaluation) -> Iterator[str]:
    """What the reader must know to trust the figures."""
    if evaluation.empty:
        yield f"{evaluation.empty} results have no reason: no evidence spoke for them"
    degraded = sum(bool(page.degraded) for page in evaluation.pages)
    if degraded:
        yield f"{degraded} of {len(evaluation.pages)} pages were answered only in part"
