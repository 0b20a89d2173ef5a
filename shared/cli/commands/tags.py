"""`wherefore tags`: attributes and selling points of a catalogue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Json, Timeout

if TYPE_CHECKING:
    from services.reason.tags.vocabulary import Vocabulary
    from shared.cli.tag_run import TagRun
    from wherefore.common.v1.product_pb2 import Product
    from wherefore.reason.v1.tag_service_pb2 import GenerateTagsRequest, GenerateTagsResponse

app = App(name="tags")
BATCH = 50
Catalogue = Annotated[
    Path | None, Parameter(help="The catalogue's file; the one that comes along when absent.")
]
Format = Annotated[str | None, Parameter(name="--format", help="Its format; guessed when absent.")]
VocabularyFile = Annotated[
    Path | None, Parameter(help="The shop's vocabulary; the lexicons' when absent.")
]


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
    from shared.cli.tag_run import TagRun, read_run
    from wherefore.reason.v1.tag_service_pb2 import GenerateTagsRequest

    earlier = previous or (out if out.exists() else None)
    before = read_run(earlier) if earlier else None
    path, products = _read(catalogue, format_)
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


@app.command
def vocabulary(
    catalogue: Catalogue = None,
    /,
    *,
    out: Annotated[Path, Parameter(help="The file to write; one that is there is kept.")],
    least: Annotated[int, Parameter(help="Products that must state a value.")] = 2,
    force: Annotated[bool, Parameter(negative="", help="Write over a file that is there.")] = False,
    format_: Format = None,
) -> int:
    """Make a vocabulary of a catalogue's own attributes.

    The file is TOML, for people to edit. WHEREFORE_REASON_TAGS_VOCABULARY names it to the
    service, which reads it again when it changes.

    For example:
        wherefore tags vocabulary --out vocabulary.toml

        wherefore tags vocabulary catalogue.jsonl --out vocabulary.toml --least 5
    """
    from services.reason.tags.builder import Limits, build_vocabulary
    from services.reason.tags.examples import examples_of
    from services.reason.tags.vocabulary_file import write_vocabulary

    if out.exists() and not force:
        raise failures.CommandError(
            f"{out} is there, and may have been edited", hint="--force writes over it"
        )
    _, products = _read(catalogue, format_)
    made = build_vocabulary(examples_of(products), Limits(products=least))
    write_vocabulary(out, made)
    keys = len({term.key for term in made.terms})
    print(output.clean(f"{len(made.terms):,} terms of {keys:,} keys written to {out}"), flush=True)
    return failures.OK


@app.command
def train(
    catalogue: Catalogue = None,
    /,
    *,
    out: Annotated[Path, Parameter(help="The model to write.")],
    vocabulary: VocabularyFile = None,
    format_: Format = None,
) -> int:
    """Learn from a catalogue's own attributes what no text names.

    Needs the extra `train`. WHEREFORE_REASON_TAGS_MODEL names the model to the service, beside
    its vocabulary.

    For example:
        wherefore tags train --vocabulary vocabulary.toml --out tags.npz

        wherefore tags train catalogue.jsonl --vocabulary vocabulary.toml --out tags.npz
    """
    from services.reason.tags.examples import examples_of
    from services.reason.tags.learn import learn
    from services.reason.tags.model import write_model
    from services.reason.tags.pairs import TooFewProductsError

    terms = _vocabulary(vocabulary)
    _, products = _read(catalogue, format_)
    try:
        model = learn(examples_of(products), terms, tell=failures.say)
    except TooFewProductsError as error:
        raise failures.CommandError(str(error)) from error
    except ModuleNotFoundError as error:
        raise failures.CommandError(
            f"{error.name} is not installed", hint="pip install 'wherefore[train]'"
        ) from error
    write_model(out, model)
    print(output.clean(f"model of {len(model.terms):,} terms written to {out}"), flush=True)
    return failures.OK


@app.command
def propose(
    catalogue: Catalogue = None,
    /,
    *,
    vocabulary: VocabularyFile = None,
    least: Annotated[int, Parameter(help="Products of a category that must share it.")] = 5,
    most: Annotated[int, Parameter(help="Phrases shown.")] = 50,
    format_: Format = None,
    json: Json = False,
) -> int:
    """Show phrases that products of a category share and no term has.

    What is worth a tag, add to the vocabulary; nothing here becomes one by itself.

    For example:
        wherefore tags propose --vocabulary vocabulary.toml

        wherefore tags propose catalogue.jsonl --least 20 --json
    """
    from services.reason.tags.messages import proposal_proto
    from services.reason.tags.passages import passages_of
    from services.reason.tags.proposals import PhraseCounter
    from shared.cli import tags_view

    counter = PhraseCounter(_vocabulary(vocabulary))
    _, products = _read(catalogue, format_)
    for product in products:
        counter.add(product, passages_of(product))
    found = counter.proposals(least, most)
    if json:
        from google.protobuf.json_format import MessageToDict

        rows = [MessageToDict(proposal_proto(each)) for each in found]
        output.print_json({"proposals": rows})
    else:
        tags_view.show_proposals(found)
    return failures.OK


def _read(catalogue: Path | None, format_: str | None) -> tuple[Path, list[Product]]:
    from shared.catalogue import CatalogueError, bundled_catalogue_path, read_catalogue

    path = catalogue or bundled_catalogue_path()
    try:
        rows = list(read_catalogue(path, format_))
    except CatalogueError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    refused = [row.error for row in rows if row.error is not None]
    if refused:
        failures.say(f"{len(refused):,} rows are left out, the first at {refused[0]}")
    products = [row.product for row in rows if row.product is not None]
    if not products:
        raise failures.CommandError(f"{path} has no products", code=failures.USAGE)
    return path, products


def _vocabulary(path: Path | None) -> Vocabulary:
    from services.reason.tags.builder import default_vocabulary
    from services.reason.tags.vocabulary_file import VocabularyError, read_vocabulary

    if path is None:
        return default_vocabulary()
    try:
        return read_vocabulary(path)
    except VocabularyError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error


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
