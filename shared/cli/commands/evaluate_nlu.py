"""`wherefore eval nlu`: the served models against labelled texts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json, NluTarget, NoTriton, Timeout

if TYPE_CHECKING:
    from shared.evaluation.labelled_texts import LabelledText
    from shared.evaluation.text_evaluation import TextEvaluation
    from shared.evaluation.text_tasks import TextTask

TaskName = Literal[
    "entities_zh", "sentiment_zh", "category_zh", "reason_tags_zh", "intents_en", "entities_en"
]
LabelledFile = Annotated[
    Path, Parameter(name="--data", help="Labelled texts, JSON lines or CSV, gzipped or not.")
]


def nlu(
    *,
    task: Annotated[TaskName, Parameter(help="What is measured.")],
    data: LabelledFile,
    private_suite: Annotated[
        bool,
        Parameter(negative="", help="Start an nlu service and Triton for this alone."),
    ] = False,
    no_triton: NoTriton = False,
    json: Json = False,
    target: NluTarget = None,
    timeout: Timeout = 60.0,
) -> int:
    """Measure how well the served models read texts.

    The running nlu service reads every text.

    Tasks of entities and reason_tags: micro F1 of spans with the right start,
    end and type. A row holds tokens and BIO tags, or text and spans as
    [start, end, type].

    Other tasks: accuracy. A row holds review and label (0 or 1) for
    sentiment_zh, review and cat for category_zh, utterance and intent for
    intents_en.

    For example:

        wherefore eval nlu --task entities_zh --data titles.jsonl.gz

        wherefore eval nlu --task intents_en --data intents.csv --private-suite --json
    """
    from shared.cli import text_evaluation_view

    chosen, texts = read_labelled(task, data)
    evaluation = asyncio.run(
        _evaluate(chosen, texts, target, timeout, private=private_suite, triton=not no_triton)
    )
    if json:
        output.print_json(evaluation.as_json())
    else:
        output.console().print(text_evaluation_view.table(evaluation))
        print(f"\n{text_evaluation_view.summary(evaluation)}", flush=True)
    for note in text_evaluation_view.notes(evaluation):
        failures.say(note)
    return failures.OK


def read_labelled(task: TaskName, path: Path) -> tuple[TextTask, list[LabelledText]]:
    """Read the texts of a task.

    Raises:
        CommandError: The file cannot be used.
    """
    from shared.evaluation.labelled_texts import LabelledTextsError
    from shared.evaluation.text_tasks import TASKS

    try:
        return TASKS[task], TASKS[task].read(path)
    except LabelledTextsError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error


async def _evaluate(
    task: TextTask,
    texts: list[LabelledText],
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
    *,
    private: bool,
    triton: bool,
) -> TextEvaluation:
    from shared.cli.config import CliSettings
    from shared.cli.private_suite import private_suite

    if private:
        async with private_suite(triton=triton, services=("nlu",)) as own:
            return await _ask(own.targets.nlu, task, texts, timeout)
    address = target or CliSettings().orchestrator_nlu_target
    return await _ask(address, task, texts, timeout)


async def _ask(
    target: str,
    task: TextTask,
    texts: list[LabelledText],
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> TextEvaluation:
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import text_progress
    from shared.evaluation.text_evaluation import evaluate_texts

    async with connect(target) as channel:
        with text_progress(len(texts)) as on_texts:
            return await evaluate_texts(channel, task, texts, timeout=timeout, on_texts=on_texts)
