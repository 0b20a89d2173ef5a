"""Imports one catalogue file, for `import`, `up` and `eval`: progress and a checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli import failures
from shared.cli.checkpoint import Checkpoint, FileIdentity
from shared.cli.import_view import ImportView

if TYPE_CHECKING:
    import grpc.aio

    from shared.catalogue import Row
    from shared.cli.product_import import ImportProgress
    from wherefore.common.v1.diagnostics_pb2 import RowError


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """How an import ended."""

    progress: ImportProgress
    errors: list[RowError]
    """The first refused rows."""


async def import_file(
    channel: grpc.aio.Channel,
    file: Path,
    format: str | None = None,  # noqa: A002 - named as the option
    *,
    target: str,
    checkpoints: Path | None = None,
    resume: bool = False,
    errors_file: Path | None = None,
    pictures: Path | None = None,
) -> ImportOutcome:
    """Import a file and show how it goes on standard error.

    Args:
        channel: To the public services.
        file: The catalogue.
        format: Its format; guessed when None.
        target: Address of the channel; a checkpoint holds for one suite only.
        checkpoints: Folder for the checkpoint; none is kept when None.
        resume: Go on where an interrupted import of the same file left off.
        errors_file: CSV file for every refused row.
        pictures: Folder of pictures that are sent along, by the uris of products' images.

    Raises:
        CommandError: The file cannot be read as a catalogue.
        grpc.aio.AioRpcError: The suite refused the import or stayed away.
    """
    from shared.catalogue import count_rows, read_catalogue
    from shared.cli.picture_files import PicturesBeside
    from shared.cli.product_import import ImportObserver, IncompleteImportError, ProductImport

    def open_rows() -> Iterator[Row]:
        with _readable(file):
            yield from read_catalogue(file, format)

    with _readable(file):
        identity = FileIdentity.of(file, format or "", target)
        total = await asyncio.to_thread(count_rows, file, format)
    checkpoint = Checkpoint(checkpoints, identity) if checkpoints else None
    begun = checkpoint.read() if checkpoint else 0
    if begun:
        failures.say(
            f"going on after {begun} products that are in"
            if resume
            else f"an earlier import stopped after {begun} products; --resume goes on there"
        )
    view = ImportView(total, errors_file)

    def on_progress(progress: ImportProgress) -> None:
        if checkpoint:
            checkpoint.write(progress.acknowledged_row)
        view.on_progress(progress)

    observer = ImportObserver(on_progress, view.on_error, view.on_retry)
    importing = ProductImport(
        channel,
        open_rows,
        observer,
        start_after=begun if resume else 0,
        pictures_of=PicturesBeside(pictures).of if pictures else None,
    )
    with view.running():
        try:
            progress = await importing.run()
        except IncompleteImportError as error:
            raise failures.CommandError(str(error), hint="run it again with --resume") from error
    if checkpoint:
        checkpoint.clear()
    return ImportOutcome(progress, view.errors)


async def import_whole(
    channel: grpc.aio.Channel,
    file: Path,
    format: str | None,  # noqa: A002 - named as the option
    *,
    target: str,
    passes: int = 4,
) -> ImportOutcome:
    """Import a file again until nothing was skipped, for figures that nothing must be missing from.

    Raises:
        CommandError: The file cannot be read, or something was skipped in every pass.
    """
    first = outcome = await import_file(channel, file, format, target=target)
    for _ in range(passes - 1):
        if not outcome.progress.degraded:
            break
        skipped = ", ".join(outcome.progress.degraded)
        failures.say(f"{skipped} was skipped for some products; importing again to fill it in")
        outcome = await import_file(channel, file, format, target=target)
    if outcome.progress.degraded:
        details = "; ".join(
            f"{item.stage}: {item.detail or item.fallback}"
            for item in outcome.progress.degraded.values()
        )
        raise failures.CommandError(f"the import was never complete ({details})")
    # The counts are those of the first pass; the time is that of all.
    first.progress.finished = outcome.progress.finished
    first.progress.degraded.clear()
    return first


@contextmanager
def _readable(file: Path) -> Generator[None]:
    """Turn what reading a file raises into words."""
    try:
        yield
    except OSError as error:
        name = error.filename or file
        raise failures.CommandError(
            f"{name}: {error.strerror or error}", code=failures.USAGE
        ) from error
    except ValueError as error:
        raise failures.CommandError(f"{file}: {error}", code=failures.USAGE) from error
