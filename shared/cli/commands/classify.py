"""`wherefore classify`: the categories of a whole catalogue."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures
from shared.cli.commands.import_ import CatalogueFormat
from shared.cli.options import Timeout

if TYPE_CHECKING:
    from shared.cli.classification import ResultFile, Tally


def classify(
    file: Annotated[Path, Parameter(help="The catalogue, gzipped or not; a folder for luma.")],
    /,
    *,
    out: Annotated[
        Path | None, Parameter(help="File of JSON lines; standard output when absent.")
    ] = None,
    review: Annotated[
        Path | None,
        Parameter(help="CSV file of products whose stated category is doubted; needs --out."),
    ] = None,
    taxonomy: Annotated[
        Path | None,
        Parameter(
            help="Categories to choose from instead of those of the trained model: a line each, "
            "such as 'Kitchen > Kettles', or a JSON list of objects with a path."
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - the option is called --format
        CatalogueFormat | None, Parameter(help="Guessed from name and content when absent.")
    ] = None,
    resume: Annotated[
        bool, Parameter(negative="", help="Go on where an interrupted run left --out.")
    ] = False,
    limit: Annotated[int, Parameter(help="Products to read; all when 0.")] = 0,
    reason_target: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT of the reason service; WHEREFORE_ORCHESTRATOR_REASON_TARGET or "
            "127.0.0.1:7704 when absent."
        ),
    ] = None,
    timeout: Timeout = 120.0,
) -> int:
    """Say which category each product of a catalogue belongs to.

    A line a product: category or parent with its probability, alternatives, the words
    that spoke for it, or why nothing is said. Categories that products came with are
    compared; --review lists those worth a look.

    For example:
        wherefore classify products.jsonl.gz --out said.jsonl --review doubted.csv

        wherefore classify products.jsonl.gz --out said.jsonl --resume

        wherefore classify feed.xml --taxonomy google-taxonomy.txt --limit 100
    """
    from shared.catalogue.rows import CatalogueError
    from shared.cli.classification import ResultFile, Tally, write_review

    if out is None and (resume or review is not None):
        raise failures.CommandError("--resume and --review need --out", code=failures.USAGE)
    results = ResultFile(out) if out is not None else None
    tally = Tally()
    try:
        begun = results.last_row() if results is not None and resume else 0
        asyncio.run(
            _run(
                file,
                results,
                tally,
                taxonomy=taxonomy,
                format=format,
                begun=begun,
                limit=limit,
                target=reason_target,
                timeout=timeout,
            )
        )
    except CatalogueError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    except OSError as error:
        raise failures.CommandError(f"cannot write: {error}") from error
    except KeyboardInterrupt:
        if results is not None:
            failures.say("what is written stays; --resume goes on there")
        raise
    if results is not None:
        tally = Tally(lost=tally.lost)
        for line in results.lines():
            tally.add(line)
    _say(tally)
    if results is not None and review is not None:
        try:
            count = write_review(results.lines(), review)
        except OSError as error:
            raise failures.CommandError(f"cannot write {review}: {error}") from error
        failures.say(f"{count:,} stated categories are doubted, written to {review}")
    return failures.OK if tally.outcomes else failures.FAILED


async def _run(
    file: Path,
    results: ResultFile | None,
    tally: Tally,
    *,
    taxonomy: Path | None,
    format: str | None,  # noqa: A002 - named as the option
    begun: int,
    limit: int,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> None:
    from shared.catalogue import count_rows
    from shared.catalogue.taxonomy import read_taxonomy
    from shared.cli.catalogue_rows import product_rows
    from shared.cli.classification import classify_rows
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import category_progress

    categories = read_taxonomy(taxonomy) if taxonomy is not None else []
    total = await asyncio.to_thread(count_rows, file, format)
    if begun:
        failures.say(f"going on after row {begun:,}")
    left = max(0, (min(total, limit) if limit else total) - begun) if total is not None else None
    rows = product_rows(file, format, after=begun, limit=limit)
    async with connect(target or CliSettings().orchestrator_reason_target) as channel:
        with ExitStack() as stack:
            stream = sys.stdout
            if results is not None:
                mode = "a" if begun else "w"
                stream = stack.enter_context(results.path.open(mode, encoding="utf-8"))
            advance = stack.enter_context(category_progress(left))
            async for lines, response in classify_rows(channel, rows, categories, timeout):
                for line in lines:
                    stream.write(json.dumps(line, ensure_ascii=False) + "\n")
                    tally.add(line)
                stream.flush()
                tally.lost.update(each.stage for each in response.degraded)
                advance(len(lines))


def _say(tally: Tally) -> None:
    whole = tally.outcomes.total()
    told = ", ".join(f"{count:,} {name}" for name, count in tally.outcomes.most_common())
    failures.say(f"{whole:,} products: {told}" if whole else "no products")
    if stated := sum(count for name, count in tally.verdicts.items() if name != "unspecified"):
        told = ", ".join(
            f"{count:,} {name}"
            for name, count in tally.verdicts.most_common()
            if name != "unspecified"
        )
        failures.say(f"{stated:,} stated categories: {told}")
    for stage in sorted(tally.lost):
        failures.say(f"without {stage}: words were compared instead")
