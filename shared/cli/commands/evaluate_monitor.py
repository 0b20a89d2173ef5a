"""`wherefore eval monitor`: how soon and how truly surges of negatives are told, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from services.insight.evaluation.run import MonitorEvaluation


def monitor(
    *,
    reviews: Annotated[
        Path,
        Parameter(
            help="JSON lines with cat, label (1 praises, 0 blames) and review; .gz or plain. "
            "Not what the model of opinions has learnt from."
        ),
    ],
    seed: Annotated[tuple[int, ...], Parameter(help="Of the streams, one each.", negative="")] = (
        11,
    ),
    model: Annotated[
        Path | None, Parameter(help="Model of opinions; that of the repository when absent.")
    ] = None,
    json: Json = False,
) -> int:
    """Measure how well opinion monitoring tells of surges, offline.

    Needs no service. Each stream plays real reviews over two days: products of unlike
    volume, hours of the day, sales, late texts; and 30 surges of 10 to 30 minutes that
    add 8 to 24 negatives a minute about one topic of one product.

    recall: part of the surges that an alert was told of. precision: part of the alerts
    that are of a surge, each surge once. delay: minutes of event time from the beginning
    of a surge to its alert. phrases: part of the found surges whose driving phrases hold
    a word of their topic.

    Beside it stand two fixed thresholds over five minutes, the number of negatives and
    their share. They are chosen on streams of seeds 1 to 3, made of every other review;
    the streams that are measured are made of the rest.

    For example:

        wherefore eval monitor --reviews reviews_zh/dev.jsonl.gz

        wherefore eval monitor --reviews reviews.jsonl --seed 11 --seed 12 --json
    """
    from services.insight.config import OPINION_MODEL
    from services.insight.evaluation.run import MonitorTrial
    from services.insight.evaluation.stream import ReviewsError
    from services.insight.opinion_model import OpinionModelError
    from shared.cli.evaluation_progress import text_progress

    try:
        trial = MonitorTrial(reviews, model or OPINION_MODEL, seed)
    except (ReviewsError, OpinionModelError, OSError, ValueError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    with text_progress(trial.texts) as on_texts:
        found = trial.measure(on_texts)
    if json:
        output.print_json(found.as_json())
    else:
        output.console().print(_table(found))
    return failures.OK


def _table(found: MonitorEvaluation) -> Table:
    from rich.table import Table

    table = Table(title=f"{len(found.streams)} streams, {found.texts:,} texts")
    for name in ("", "surges", "alerts", "found", "recall", "precision", "delay p50", "p95, min"):
        table.add_column(name, justify="left" if not name else "right")
    for name, score in found.scores.items():
        table.add_row(
            name,
            str(score.surges),
            str(score.alerts),
            str(score.found),
            f"{score.recall:.3f}",
            f"{score.precision:.3f}",
            *(f"{score.delay(part):.2f}" for part in (50, 95)),
        )
    return table
