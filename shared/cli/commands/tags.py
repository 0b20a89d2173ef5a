"""`wherefore tags`: attributes and selling points of a catalogue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.commands.tag_vocabulary import Catalogue, Format, propose, train, vocabulary
from shared.cli.options import Json, Timeout

if TYPE_CHECKING:
    from shared.cli.tag_run import TagRun
    from wherefore.common.v1.product_pb2 import Product
    from wherefore.reason.v1.tag_service_pb2 import GenerateTagsRequest, GenerateTagsResponse

app = App(name="tags")
for command in (vocabulary, train, propose):
    app.command(command)
BATCH = 50
"""Products of one call."""


@app.default
def tags(
    catalogue: Catalogue = None,
    /,
    *,
    out: Annotated[Path, Parameter(help="JSON lines to write, a product each.")],
    previous: Annotated[
        Path | None,
        Parameter(help="An earlier run to compare with; what OUT held before when absent."),
    ] = None,
    diff: Annotated[
        Path | None, Parameter(help="JSON lines of what changed, a tag of a product each.")
    ] = None,
    tolerance: Annotated[float, Parameter(help="Change of confidence that is told.")] = 0.1,
    min_confidence: Annotated[
        float | None, Parameter(help="Least confidence, 0 to 1; the service's own when absent.")
    ] = None,
    language: Annotated[str, Parameter(help="Language of the labels, zh or en.")] = "en",
    format_: Format = None,
    json: Json = False,
    reason_target: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT of the reason service; WHEREFORE_ORCHESTRATOR_REASON_TARGET or "
            "127.0.0.1:7704 when absent."
        ),
    ] = None,
    timeout: Timeout = 60.0,
) -> int:
    """Tag a catalogue, and say what changed since the run before.

    A run that was stopped goes on where it was when the same command is given again,
    unless the vocabulary or the model has changed since.

    For example:
        wherefore tags --out tags.jsonl

        wherefore tags catalogue.jsonl --out tags.jsonl --diff changes.jsonl
    """
    from services.reason.tags.differences import compare_runs
    from shared.cli import tags_view
    from shared.cli.catalogue_rows import all_products
    from shared.cli.tag_run import TagRun, read_run
    from wherefore.reason.v1.tag_service_pb2 import GenerateTagsRequest

    earlier = previous or (out if out.exists() else None)
    before = read_run(earlier) if earlier else None
    path, products = all_products(catalogue, format_)
    status = path.stat()
    header = {
        "catalogue": str(path.resolve()), "size": status.st_size, "modified": status.st_mtime_ns,
        "min_confidence": min_confidence, "language": language,
    }  # fmt: skip
    run = TagRun(out, header)
    request = GenerateTagsRequest(language_code=language, min_confidence=min_confidence)
    try:
        if run.open():
            failures.say(f"going on after {len(run.done):,} products")
        asyncio.run(_tag(products, run, request, reason_target, timeout))
        run.finish()
    except OSError as error:
        raise failures.CommandError(f"{out}: {error.strerror or error}") from error
    rows = read_run(out)
    found = compare_runs(before, rows, tolerance) if before is not None else None
    if found is not None and diff is not None:
        tags_view.write_differences(found, diff)
    if json:
        counts = {kind: sum(of.values()) for kind, of in found.counts().items()} if found else None
        count = sum(map(len, rows.values()))
        output.print_json(
            {"products": len(rows), "tags": count, "version": run.version, "changes": counts}
        )
        return failures.OK
    tags_view.show_run(rows, run.version)
    if found is not None:
        tags_view.show_differences(found)
    return failures.OK


async def _tag(
    products: Sequence[Product],
    run: TagRun,
    request: GenerateTagsRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> None:
    from google.protobuf.json_format import MessageToDict

    from shared.cli.config import CliSettings
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import product_progress
    from wherefore.reason.v1.tag_service_pb2_grpc import TagServiceStub

    told: set[str] = set()
    async with connect(target or CliSettings().orchestrator_reason_target) as channel:
        stub = TagServiceStub(channel)
        with product_progress(len(products)) as advance:
            advance(len(run.done))
            for batch in _batches(products, run.done):
                del request.products[:]
                request.products.extend(batch)
                response: GenerateTagsResponse = await stub.GenerateTags(request, timeout=timeout)
                _tell(response, told)
                if run.version and response.vocabulary_version != run.version:
                    run.restart()
                    raise failures.CommandError(
                        "the vocabulary or the model changed during the run",
                        hint="give the command again: it begins anew",
                    )
                rows = [
                    (
                        tagged.product_id,
                        [
                            MessageToDict(
                                tag,
                                preserving_proto_field_name=True,
                                always_print_fields_with_no_presence=True,
                            )
                            for tag in tagged.tags
                        ],
                    )
                    for tagged in response.products
                ]
                run.add(rows, response.vocabulary_version)
                advance(len(batch))


def _batches(products: Sequence[Product], done: set[str]) -> Iterator[list[Product]]:
    left = [product for product in products if product.id not in done]
    for at in range(0, len(left), BATCH):
        yield left[at : at + BATCH]


def _tell(response: GenerateTagsResponse, told: set[str]) -> None:
    for degraded in response.degraded:
        if degraded.detail not in told:
            told.add(degraded.detail)
            failures.say(f"{degraded.stage}: {degraded.detail}; {degraded.fallback} answers")
