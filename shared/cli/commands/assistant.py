"""`wherefore assistant`: ask customer service, and teach it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.commands.assistant_learnt import AssistantTarget, address, forget, learnt
from shared.cli.options import Json, Timeout
from shared.cli.refused_rows import show_refused

if TYPE_CHECKING:
    from wherefore.assistant.v1.answer_pb2 import Answer
    from wherefore.assistant.v1.assistant_service_pb2 import AskRequest, RecordAnswerRequest

app = App(name="assistant", help="Ask customer service, and teach it.")

app.command(learnt)
app.command(forget)


@app.command
def ask(
    question: Annotated[str, Parameter(help="What a customer writes.")],
    /,
    *,
    conversation: Annotated[
        str, Parameter(help="Conversation to go on with; a new one when absent.")
    ] = "",
    user: Annotated[str, Parameter(help="Who asks.")] = "",
    language: Annotated[
        str, Parameter(help="Language of the answer, zh or en; that of the question when absent.")
    ] = "",
    json: Json = False,
    target: AssistantTarget = None,
    timeout: Timeout = 10.0,
) -> int:
    """Ask one question.

    For example:

        wherefore assistant ask "where is my order 00123842"

        wherefore assistant ask "怎么取消订单" --json
    """
    from wherefore.assistant.v1.assistant_service_pb2 import AskRequest

    request = AskRequest(question=question, conversation_id=conversation, language_code=language)
    request.user.user_id = user
    return asyncio.run(_ask(request, json, target, timeout))


@app.command(name="import")
def import_dialogues(
    file: Annotated[Path, Parameter(help="The file, gzipped or not.")],
    /,
    *,
    json: Json = False,
    target: AssistantTarget = None,
    timeout: Timeout = 3600.0,
) -> int:
    """Learn from dialogues: JSON lines or CSV.

    Each has question and answer, and language_code where it is known.

    The number of an order that question and answer share becomes a slot. Rows with answers that
    hold personal data are refused. A file that broke off can be sent again.

    Exit code 1 when a row was refused.

    For example:

        wherefore assistant import dialogues.csv

        wherefore assistant import dialogues.jsonl.gz --json
    """
    if not file.is_file():
        raise failures.CommandError(f"no file {file}", code=failures.USAGE)
    return asyncio.run(_import(file, json, target, timeout))


@app.command
def correct(
    question: Annotated[str, Parameter(help="The question as it was asked.")],
    /,
    *,
    answer: Annotated[str, Parameter(help="The right answer in new words; this or --id.")] = "",
    answer_id: Annotated[
        str, Parameter(name="--id", help="Id of the right answer, such as complaint.")
    ] = "",
    json: Json = False,
    target: AssistantTarget = None,
    timeout: Timeout = 10.0,
) -> int:
    """Say which answer is the right one; such questions get it from now on.

    For example:

        wherefore assistant correct "do you sharpen knives" --answer "No, we do not."

        wherefore assistant correct "I moved house" --id change_address
    """
    from wherefore.assistant.v1.assistant_service_pb2 import (
        VERDICT_CORRECTED,
        RecordAnswerRequest,
    )

    request = RecordAnswerRequest(
        question=question, answer=answer, answer_id=answer_id, verdict=VERDICT_CORRECTED
    )
    return asyncio.run(_correct(request, json, target, timeout))


async def _ask(
    request: AskRequest,
    json: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from shared.cli.connection import connect
    from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceStub

    async with connect(address(target)) as channel:
        response = await AssistantServiceStub(channel).Ask(request, timeout=timeout)
    if json:
        output.print_message(response)
    else:
        print(output.clean(response.answer.text), flush=True)
        for line in _details(response.answer):
            print(f"  {output.clean(line)}", flush=True)
        failures.say(f"conversation {response.conversation_id}")
    for lost in response.degraded:
        failures.say(output.clean(f"degraded: {lost.stage}, {lost.fallback} ({lost.detail})"))
    return failures.OK


def _details(answer: Answer) -> list[str]:
    """What an answer rests on, and what a person is told."""
    lines = [f"[{each.source_id} {each.field}] {each.text}" for each in answer.citations]
    if answer.HasField("hand_over"):
        lines += [f"| {line}" for line in answer.hand_over.summary.splitlines()]
    return lines


async def _import(
    file: Path,
    json: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - as above
) -> int:
    from shared.cli.connection import connect
    from shared.cli.dialogue_import import import_dialogues
    from shared.cli.evaluation_progress import dialogue_progress

    async with connect(address(target)) as channel:
        with dialogue_progress() as on_rows:
            response = await import_dialogues(channel, file, on_rows, timeout)
    if json:
        output.print_message(response)
    else:
        print(
            f"{response.imported_count:,} dialogues learnt, {response.unchanged_count:,} known "
            f"already, {response.failed_count:,} refused",
            flush=True,
        )
    show_refused(response.errors)
    return failures.FAILED if response.failed_count else failures.OK


async def _correct(
    request: RecordAnswerRequest,
    json: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - as above
) -> int:
    from shared.cli.connection import connect
    from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceStub

    async with connect(address(target)) as channel:
        response = await AssistantServiceStub(channel).RecordAnswer(request, timeout=timeout)
    if json:
        output.print_message(response)
    else:
        print(f"learnt: {response.answer_id}", flush=True)
    return failures.OK
