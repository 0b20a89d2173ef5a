"""`wherefore events`: write what users did."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Json, Target, Timeout
from shared.cli.refused_rows import show_refused
from shared.text_file import open_text

if TYPE_CHECKING:
    from wherefore.common.v1.user_event_pb2 import UserEvent

app = App(name="events", help="Write what users did, and read it back.")


@app.command
def write(
    type: Annotated[  # noqa: A002 - named as in the contract
        str, Parameter(help="What happened.")
    ],
    product_ids: Annotated[tuple[str, ...], Parameter(help="The products concerned.")] = (),
    /,
    *,
    user: Annotated[str, Parameter(help="Who did it; this or --session is needed.")] = "",
    session: Annotated[str, Parameter(help="Visit in which it was done.")] = "",
    query: Annotated[str, Parameter(help="The query, for a search and what followed it.")] = "",
    rating: Annotated[int, Parameter(help="Stars of a review, 1 to 5.")] = 0,
    attribution_token: Annotated[
        str, Parameter(help="Token of the answer that showed the product.")
    ] = "",
    event_id: Annotated[
        str, Parameter(name="--id", help="Idempotency key; made by the server when absent.")
    ] = "",
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Write one event.

    Types: view, impression, click, cart, purchase, review, share, search.

    For example:
        wherefore events write view p-1001 --user ada

        wherefore events write purchase p-1001 p-1002 --user ada

        wherefore events write search --user ada --query "steel kettle"
    """
    from shared.cli.event_file import event_type
    from wherefore.common.v1.user_event_pb2 import ProductDetail, UserEvent

    try:
        kind = event_type(type)
    except ValueError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    event = UserEvent(
        id=event_id,
        type=kind,
        user_id=user,
        session_id=session,
        products=[ProductDetail(product_id=product_id) for product_id in product_ids],
        query=query,
        rating=rating,
        attribution_token=attribution_token,
    )
    return asyncio.run(_write(event, json, target, timeout))


@app.command(name="import")
def import_events(
    file: Annotated[Path, Parameter(help="The file, gzipped or not.")],
    /,
    *,
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 600.0,
) -> int:
    """Import a file of events: JSON lines of UserEvent, or CSV.

    CSV has a header with type and user_id or session_id, and product_id, quantity, event_time,
    query, rating, id where they are known. A file that broke off can be sent again: events with
    an id or a time are written once.

    For example:
        wherefore events import events.jsonl.gz

        wherefore events import clicks.csv --json
    """
    if not file.is_file():
        raise failures.CommandError(f"no file {file}", code=failures.USAGE)
    return asyncio.run(_import(file, json, target, timeout))


@app.command(name="export")
def export_events(
    file: Annotated[Path, Parameter(help="Where to; gzipped when the name ends in .gz.")],
    /,
    *,
    target: Target = None,
    timeout: Timeout = 600.0,
) -> int:
    """Export events as JSON lines, in the order in which they were acknowledged.

    What the training commands read. Users go by pseudonyms, which change with every epoch, and
    those who refuse training are left out.

    For example:
        wherefore events export events.jsonl.gz
    """
    if not file.parent.is_dir():
        raise failures.CommandError(f"no folder {file.parent}", code=failures.USAGE)
    count = asyncio.run(_export(file, target, timeout))
    failures.say(f"{count:,} events written to {file}")
    return failures.OK


async def _export(
    file: Path,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from google.protobuf.json_format import MessageToJson

    from shared.cli.connection import connect
    from shared.cli.event_log import log_pieces
    from wherefore.common.v1.user_event_pb2 import DATA_PURPOSE_TRAINING

    count = 0
    part = file.with_name(f".part-{file.name}")
    async with connect(target) as channel:
        with open_text(part, "w") as stream:
            async with aclosing(log_pieces(channel, DATA_PURPOSE_TRAINING, timeout)) as pieces:
                async for piece in pieces:
                    for event in piece.events:
                        stream.write(
                            MessageToJson(event, indent=None, preserving_proto_field_name=True)
                        )
                        stream.write("\n")
                    count += len(piece.events)
    part.replace(file)  # a file of that name is whole
    return count


async def _write(
    event: UserEvent,
    json: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
    from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

    async with connect(target) as channel:
        response = await UserEventServiceStub(channel).Write(
            UserEventServiceWriteRequest(event=event), timeout=timeout
        )
    if json:
        output.print_message(response)
    else:
        known = " (it was there already)" if response.duplicate else ""
        print(f"written as {output.clean(response.event.id)}{known}", flush=True)
    return failures.OK


async def _import(
    file: Path,
    json: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from shared.cli.connection import connect
    from shared.cli.event_import import import_events as send

    async with connect(target) as channel:
        response = await send(channel, file, timeout)
    if json:
        output.print_message(response)
    else:
        print(
            f"{response.imported_count} events written, {response.duplicate_count} were there, "
            f"{response.failed_count} refused",
            flush=True,
        )
    show_refused(response.errors)
    went_in = response.imported_count + response.duplicate_count
    return failures.OK if went_in or not response.failed_count else failures.FAILED
