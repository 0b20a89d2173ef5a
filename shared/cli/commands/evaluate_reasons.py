"""`wherefore eval reasons`: whether what the suite says is true, by a checker of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.commands.import_ import CatalogueFormat
from shared.cli.options import Json, NoTriton

if TYPE_CHECKING:
    from shared.evaluation.reasons.collect import ReasonPage


def reasons(
    *,
    catalogue: Annotated[Path, Parameter(help="The catalogue to search in.")],
    queries: Annotated[Path, Parameter(help="A text file, a query a line.")],
    format: Annotated[  # noqa: A002 - the option is called --format
        CatalogueFormat | None, Parameter(help="Of the catalogue; guessed when absent.")
    ] = None,
    html: Annotated[
        Path | None, Parameter(help="Write 100 samples to this file, for people to read.")
    ] = None,
    no_triton: NoTriton = False,
    json: Json = False,
) -> int:
    """Measure whether the reasons are true, fitting and varied.

    Starts a suite of its own beside any other, imports the catalogue, and searches each
    query twice: as a visitor nobody knows, and as a user who looked at (or bought) the
    first result.

    A checker that shares no code with the reason service reads each claim back out of the
    sentence and holds it against the catalogue, the query, the page and the history. What
    it cannot account for counts as unsupported. Exit code 1 when any claim is.

    For example:

        wherefore eval reasons --catalogue products.jsonl.gz --queries queries.txt

        wherefore eval reasons --catalogue shop.csv --queries queries.txt --html reasons.html
    """
    if html and not html.parent.is_dir():
        raise failures.CommandError(f"no folder {html.parent}", code=failures.USAGE)
    asked = _read_queries(queries)
    from shared.cli import reasons_evaluation_view as view
    from shared.evaluation.reasons.score import score

    evaluation = score(asyncio.run(pages_of_suite(catalogue, asked, format, triton=not no_triton)))

    if html:
        from shared.evaluation.reasons.html import render

        html.write_text(render(evaluation, catalogue=catalogue.name), encoding="utf-8")
    if json:
        output.print_json(evaluation.as_json())
    else:
        output.console().print(view.table(evaluation))
    for note in (*islice(view.unsupported(evaluation), view.SHOWN), *view.notes(evaluation)):
        failures.say(note)
    return failures.FAILED if evaluation.unsupported else failures.OK


def _read_queries(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise failures.CommandError(f"{path}: {error}", code=failures.USAGE) from error
    queries = [line.strip() for line in lines if line.strip()]
    if not queries:
        raise failures.CommandError(f"{path} holds no query", code=failures.USAGE)
    return queries


async def pages_of_suite(
    catalogue: Path,
    queries: Sequence[str],
    format: str | None,  # noqa: A002 - named as the option
    *,
    triton: bool = True,
) -> list[ReasonPage]:
    """Search a catalogue in a suite of its own, each query twice; see `collect_pages`."""
    from shared.channel import open_channel
    from shared.cli.catalogue_import import import_whole
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import query_progress
    from shared.cli.private_suite import private_suite
    from shared.evaluation.reasons.collect import collect_pages

    async with private_suite(triton=triton) as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, catalogue, format, target=target)
            retrieval = open_channel(own.targets.retrieval)
            try:
                with query_progress(len(queries)) as on_query:
                    return await collect_pages(channel, retrieval, queries, on_query=on_query)
            finally:
                await retrieval.close()
