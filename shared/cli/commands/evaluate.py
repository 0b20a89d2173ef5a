"""`wherefore eval`: the suite against human judgements."""

from __future__ import annotations

import asyncio
import json as json_module
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.commands.evaluate_crossmodal import crossmodal
from shared.cli.commands.evaluate_federated import federated
from shared.cli.commands.evaluate_logs import ranking_logs
from shared.cli.commands.evaluate_monitor import monitor
from shared.cli.commands.evaluate_nlu import nlu
from shared.cli.commands.evaluate_reasons import reasons
from shared.cli.commands.evaluate_recommend import recommend
from shared.cli.commands.evaluate_support import support
from shared.cli.commands.evaluate_uplift import uplift
from shared.cli.commands.import_ import CatalogueFormat
from shared.cli.options import Json, NoTriton

if TYPE_CHECKING:
    from shared.cli.catalogue_import import ImportOutcome
    from shared.evaluation.judgments import Judgments
    from shared.evaluation.search_evaluation import SearchEvaluation

app = App(name="eval", help="Measure the suite against human judgements.")
app.command(nlu)
app.command(recommend)
app.command(reasons)
app.command(ranking_logs)
app.command(uplift)
app.command(monitor)
app.command(support)
app.command(federated)
app.command(crossmodal)


@app.command
def search(
    *,
    catalogue: Annotated[Path, Parameter(help="The catalogue to search in.")],
    judgments: Annotated[
        Path, Parameter(help="CSV with the columns query, docid and rating (0 and up).")
    ],
    format: Annotated[  # noqa: A002 - the option is called --format
        CatalogueFormat | None, Parameter(help="Of the catalogue; guessed when absent.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="Write the JSON report to this file too.")] = None,
    html: Annotated[
        Path | None,
        Parameter(help="Write a report to this file, with charts and the worst queries."),
    ] = None,
    keep_suite: Annotated[
        Path | None,
        Parameter(
            help="Folder for the suite's data and logs, kept afterwards; temporary if absent."
        ),
    ] = None,
    ablations: Annotated[
        bool, Parameter(negative=(), help="Rank without each part of the path besides.")
    ] = False,
    no_triton: NoTriton = False,
    json: Json = False,
) -> int:
    """Measure how well search ranks, against human judgements.

    Starts a suite of its own beside any other, imports the catalogue into it, and ranks every query
    with each retrieval leg alone, with both fused, and along the whole path.

    nDCG@10 has the gain 2^rating - 1, ranks the full catalogue and counts an unjudged product as 0.
    nDCG@10 judged only ranks the judged products alone, by the same system under a filter on their
    ids. For MRR@10 and recall@100, relevant means rated 1 or more. A query without any relevant
    product is left out of nDCG, MRR and recall.

    With --ablations it ranks every query without each part of the path, too: a leg, the expansion
    of the query, its constraints, its entities, variety, and each group of ranking's features.

    For example:

        wherefore eval search --catalogue products.jsonl.gz --judgments judgments.csv

        wherefore eval search --catalogue shop.csv --judgments judged.csv --json > report.json

        wherefore eval search --catalogue shop.csv --judgments judged.csv --ablations
    """
    from shared.evaluation.judgments import JudgmentsError, read_judgments

    for written in (out, html):
        if written and not written.parent.is_dir():
            raise failures.CommandError(f"no folder {written.parent}", code=failures.USAGE)
    try:
        judged = read_judgments(judgments)
    except JudgmentsError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    outcome, evaluation = asyncio.run(
        _evaluate(catalogue, judged, format, keep_suite, triton=not no_triton, ablations=ablations)
    )
    from shared.cli import evaluation_view, import_view

    imported = import_view.summary(outcome.progress, [])
    document = evaluation.as_json() | {"catalogue": imported}
    if out:
        out.write_text(
            json_module.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
    if html:
        from shared.evaluation.html_report import render

        notes = list(evaluation_view.notes(evaluation))
        html.write_text(render(evaluation, catalogue=catalogue.name, notes=notes), encoding="utf-8")
    if json:
        output.print_json(document)
    else:
        output.console().print(evaluation_view.table(evaluation))
        output.console().print(evaluation_view.comparison_table(evaluation))
    for note in evaluation_view.notes(evaluation):
        failures.say(note)
    for query, error in evaluation.failures.items():
        described = failures.describe(error)
        reason = described.message if described else f"{type(error).__name__}: {error}"
        failures.say(output.clean(f"error: query “{query}” failed: {reason}"))
    return failures.FAILED if evaluation.failures else failures.OK


async def _evaluate(
    catalogue: Path,
    judgments: Judgments,
    format: str | None,  # noqa: A002 - named as the option
    home: Path | None,
    *,
    triton: bool,
    ablations: bool,
) -> tuple[ImportOutcome, SearchEvaluation]:
    from shared.cli.catalogue_import import import_whole
    from shared.cli.connection import connect
    from shared.cli.evaluation_parts import Parts, search_parts
    from shared.cli.evaluation_progress import query_progress
    from shared.cli.private_suite import private_suite
    from shared.evaluation.search_evaluation import evaluate_search

    with search_parts() if ablations else nullcontext(Parts({}, {})) as parts:
        async with private_suite(home, triton=triton, variables=parts.variables) as own:
            target = own.targets.orchestrator
            async with connect(target, retry=False) as channel:
                outcome = await import_whole(channel, catalogue, format, target=target)
            with query_progress(len(judgments)) as on_query:
                evaluation = await evaluate_search(
                    own.targets, judgments, ablations=parts.ablations, on_query=on_query
                )
    return outcome, evaluation
