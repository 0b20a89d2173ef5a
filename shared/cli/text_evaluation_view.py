"""An evaluation of how texts are read, as a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from shared.cli import output

if TYPE_CHECKING:
    from shared.evaluation.text_evaluation import TextEvaluation


def table(evaluation: TextEvaluation) -> Table:
    """Labels by precision, recall and F1."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("Label")
    for heading in ("precision", "recall", "F1", "true", "found"):
        shown.add_column(heading, justify="right")
    for label, score in evaluation.by_label.items():
        shown.add_row(
            output.text(label),
            *(f"{value:.3f}" for value in (score.precision, score.recall, score.f1)),
            f"{score.support:,}",
            f"{score.predicted:,}",
        )
    return shown


def summary(evaluation: TextEvaluation) -> str:
    """The one figure in words."""
    measure = {"f1": "micro F1 of exact spans and types"}.get(evaluation.metric, evaluation.metric)
    return f"{evaluation.task}: {measure} {evaluation.value:.4f} over {evaluation.n:,} texts"


def notes(evaluation: TextEvaluation) -> Iterator[str]:
    """What the reader must know to trust the figure."""
    for model, count in evaluation.models.items():
        yield f"{count:,} texts were read by {output.clean(model) or 'a model without a name'}"
    if evaluation.empty:
        yield f"{evaluation.empty} texts are empty: they count as read without a result"
