"""`wherefore import`: a catalogue file into the running suite."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json, Target

if TYPE_CHECKING:
    from shared.cli.catalogue_import import ImportOutcome

CatalogueFormat = Literal["icecat", "luma", "csv", "jsonl", "google-merchant"]


def import_catalogue(
    file: Annotated[Path, Parameter(help="The catalogue, gzipped or not; a folder for luma.")],
    /,
    *,
    format: Annotated[  # noqa: A002 - the option is called --format
        CatalogueFormat | None, Parameter(help="Guessed from name and content when absent.")
    ] = None,
    resume: Annotated[
        bool, Parameter(negative="", help="Go on where an interrupted import left off.")
    ] = False,
    errors: Annotated[
        Path | None, Parameter(help="CSV file for every refused row: row, id, field, reason.")
    ] = None,
    pictures: Annotated[
        Path | None,
        Parameter(help="Folder of pictures to send along, by the images' uris as paths below it."),
    ] = None,
    json: Json = False,
    target: Target = None,
) -> int:
    """Import a catalogue file into the running suite.

    A bad row is reported with its line and reason and the rest goes in; the command fails only when
    nothing went in. Rows that are there unchanged cost little, so the same file can be sent again.

    For example:

        wherefore import products.jsonl.gz

        wherefore import --format google-merchant feed.xml --errors refused.csv

        wherefore import --format icecat products.jsonl.gz --resume --json

        wherefore import products.jsonl --pictures photos
    """
    if pictures is not None and not pictures.is_dir():
        raise failures.CommandError(f"{pictures} is no folder", code=failures.USAGE)
    try:
        outcome = asyncio.run(
            _import(file, format, target, resume=resume, errors=errors, pictures=pictures)
        )
    except KeyboardInterrupt:
        failures.say("what was acknowledged is in; --resume goes on there")
        raise
    from shared.cli import import_view

    if json:
        output.print_json(
            {"file": str(file)} | import_view.summary(outcome.progress, outcome.errors)
        )
    else:
        for line in import_view.summary_lines(outcome.progress):
            print(line, flush=True)
    went_in = outcome.progress.imported + outcome.progress.unchanged
    return failures.OK if went_in or not outcome.progress.failed else failures.FAILED


async def _import(
    file: Path,
    format: str | None,  # noqa: A002 - named as the option
    target: str | None,
    *,
    resume: bool,
    errors: Path | None,
    pictures: Path | None,
) -> ImportOutcome:
    from shared.cli.catalogue_import import import_file
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect

    settings = CliSettings()
    address = target or settings.target
    async with connect(address, retry=False) as channel:
        return await import_file(
            channel,
            file,
            format,
            target=address,
            checkpoints=settings.home / "imports",
            resume=resume,
            errors_file=errors,
            pictures=pictures,
        )
