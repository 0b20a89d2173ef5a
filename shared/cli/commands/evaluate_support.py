"""`wherefore eval support`: the assistant against labelled requests and the catalogue."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.commands.import_ import CatalogueFormat
from shared.cli.options import Json, NoTriton

if TYPE_CHECKING:
    from services.assistant.evaluation.cases import Request
    from services.assistant.evaluation.run import SupportEvaluation
    from wherefore.common.v1.product_pb2 import Product


def support(
    *,
    data: Annotated[
        Path, Parameter(help="Labelled requests in English: CSV with utterance and intent.")
    ],
    catalogue: Annotated[
        Path | None, Parameter(help="The catalogue to ask about; the bundled one when absent.")
    ] = None,
    format: Annotated[  # noqa: A002 - the option is called --format
        CatalogueFormat | None, Parameter(help="Of the catalogue; guessed when absent.")
    ] = None,
    no_triton: NoTriton = False,
    json: Json = False,
) -> int:
    """Measure how well the assistant answers customers.

    Starts a suite of its own beside any other, and an assistant with the bundled templates and
    help articles; imports the catalogue; and asks, each in a conversation of its own,

    - the labelled requests, and Chinese ones that come along: is the right template first?

    - 200 questions that nobody answers: do they go to a person?

    - 200 questions about products: does each answer cite evidence, and do the records support all
      that it says? A checker that shares no code with the assistant reads the answers.

    Exit code 1 when a claim is unsupported.

    For example:

        wherefore eval support --data dev.csv

        wherefore eval support --data dev.csv --catalogue shop.csv --json > support.json
    """
    from services.assistant.evaluation.cases import read_requests
    from shared.catalogue import CatalogueError, bundled_catalogue_path, read_catalogue

    path = catalogue or bundled_catalogue_path()
    try:
        requests = read_requests(data)
        products = [row.product for row in read_catalogue(path, format) if row.product]
    except (CatalogueError, OSError, ValueError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    if not products:
        raise failures.CommandError(f"{path} holds no product", code=failures.USAGE)
    evaluation = asyncio.run(_evaluate(path, format, requests, products, triton=not no_triton))
    if json:
        output.print_json(evaluation.as_json())
    else:
        from shared.cli.support_evaluation_view import table

        output.console().print(table(evaluation.as_json()))
    for fault in evaluation.products.unsupported:
        failures.say(output.clean(f"unsupported: {fault}"))
    return failures.FAILED if evaluation.products.unsupported else failures.OK


async def _evaluate(
    path: Path,
    format: str | None,  # noqa: A002 - named as the option
    requests: list[Request],
    products: list[Product],
    *,
    triton: bool,
) -> SupportEvaluation:
    from services.assistant.evaluation.run import Targets, evaluate_support
    from shared.cli.catalogue_import import import_whole
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import question_progress
    from shared.cli.private_suite import private_suite

    async with private_suite(triton=triton) as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, path, format, target=target)
        targets = Targets(own.targets.nlu, own.targets.retrieval, own.reason_target)
        return await evaluate_support(targets, requests, products, question_progress)
