"""`wherefore label`: people's labels for the models that read queries."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.nlu.labelling.queue import LabelQueue
    from services.nlu.labelling.task import LabelTask

app = App(name="label")

Sampling = Literal[
    "random",
    "least_confidence",
    "margin",
    "entropy",
    "diversity",
    "k_center",
    "margin_diversity",
]
Head = Annotated[
    str, Parameter(help="What is labelled: entities, category, sentiment, intent, reason_tags, …")
]
Labels = Annotated[
    str, Parameter(help="Labels of a head that no model has yet, separated by commas.")
]
Kind = Annotated[
    Literal["classes", "tokens"],
    Parameter(help="With --labels: one label a text, or labelled spans."),
]
Queue = Annotated[
    Path | None, Parameter(help="Folder of the queue; labels/HEAD of the suite's state if absent.")
]


@app.default
def label(
    file: Annotated[
        Path | None,
        Parameter(help="Texts to add: lines, JSON lines or CSV, gzipped or not."),
    ] = None,
    /,
    *,
    head: Head,
    strategy: Annotated[Sampling, Parameter(help="How the next texts are chosen.")] = "margin",
    web: Annotated[bool, Parameter(negative="", help="Label in a browser.")] = False,
    annotator: Annotated[str, Parameter(help="Who labels; your user name if absent.")] = "",
    labels: Labels = "",
    kind: Kind = "classes",
    queue: Queue = None,
    field: Annotated[str, Parameter(help="Field or column of the text; guessed if absent.")] = "",
    pool: Annotated[int, Parameter(help="Texts taken of the file at most, by chance.")] = 2_000,
    twice: Annotated[
        float, Parameter(help="Share of the texts that every annotator is asked, 0 to 1.")
    ] = 0.1,
    hide_guess: Annotated[
        bool, Parameter(negative="", help="Do not show what the model thinks: it may sway.")
    ] = False,
    reread: Annotated[
        bool, Parameter(negative="", help="Ask the model again, as after a retraining.")
    ] = False,
    language: Annotated[str, Parameter(help="Of the texts, zh or en; detected if absent.")] = "",
    host: Annotated[str, Parameter(help="Address of the web form.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port of the web form; 0 takes a free one.")] = 7780,
    nlu_target: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT of the nlu service; WHEREFORE_ORCHESTRATOR_NLU_TARGET or "
            "127.0.0.1:7701 when absent."
        ),
    ] = None,
) -> int:
    """Label texts in the terminal, or with --web in a browser.

    The texts that the running service's model is least sure of come first. Every answer is on the
    disk before the next text is shown, and the same command without a file goes on later. With
    --strategy random and --labels no service is needed.

    For example:

        wherefore label reviews.txt --head sentiment

        wherefore label titles.csv --head entities --strategy margin_diversity --web

        wherefore label messages.txt --head urgency --labels urgent,normal --strategy random

        wherefore label export labels.jsonl --head sentiment
    """
    if not 0 <= twice <= 1 or pool < 1:
        raise failures.CommandError("--twice is 0 to 1, and --pool at least 1", code=failures.USAGE)
    with _opened(head, labels, kind, queue, strategy=strategy, twice=twice) as opened:
        with _explained():
            texts = _texts(opened, file, field, pool, reread=reread)
            if texts:
                asyncio.run(_read(opened, texts, language, nlu_target))
        if not opened.items:
            raise failures.CommandError(
                "the queue is empty", hint="name a file of texts", code=failures.USAGE
            )
        if web:
            # Ctrl+C is how the form is ended, and nothing is lost by it.
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(_serve(opened, host, port, show_guess=not hide_guess))
            return failures.OK
        from services.nlu.labelling.terminal import TerminalForm, ask_line

        name = annotator or _user()
        console = output.console()
        with _explained():
            TerminalForm(opened, name, console, ask_line, show_guess=not hide_guess).run()
        progress = opened.progress(name)
        failures.say(f"{progress.labelled} labelled, {progress.left} left; all of it is kept")
    return failures.OK


@app.command
def export(
    out: Annotated[Path, Parameter(help="The file to write.")],
    /,
    *,
    head: Head,
    labels: Labels = "",
    kind: Kind = "classes",
    queue: Queue = None,
) -> int:
    """Write the labels as the training reads them.

    Where annotators differ, most of them decide; a text without a majority is left out.

    For example:

        wherefore label export labels.jsonl --head sentiment

        wherefore train nlu --config query_zh --labels labels.jsonl
    """
    from services.nlu.labelling.export import export_labels

    with _opened(head, labels, kind, queue, must_exist=True) as opened, _explained():
        count = export_labels(opened, out)
    print(f"{count} labelled texts written to {out}", flush=True)
    failures.say(f"to learn from them: wherefore train nlu --config RECIPE --labels {out}")
    return failures.OK


@app.command
def agreement(
    *,
    head: Head,
    labels: Labels = "",
    kind: Kind = "classes",
    queue: Queue = None,
    json: Json = False,
) -> int:
    """Say how far annotators agree, by Cohen's kappa.

    For spans the kappa is that of the label of every character, beside the F1 of exact spans.
    Needs the extra `train`.

    For example:

        wherefore label agreement --head sentiment

        wherefore label agreement --head entities --json
    """
    import dataclasses
    import math

    from services.nlu.labelling.agreement import agreements

    with _opened(head, labels, kind, queue, must_exist=True) as opened, _explained():
        found = agreements(opened)
    if json:
        rows = [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in dataclasses.asdict(item).items()
            }
            for item in found
        ]
        output.print_json({"head": head, "agreements": rows})
        return failures.OK
    if not found:
        print("no text was answered by two annotators", flush=True)
    for item in found:
        kappa = "undefined" if math.isnan(item.kappa) else f"{item.kappa:.3f}"
        spans = "" if math.isnan(item.span_f1) else f", F1 of spans {item.span_f1:.3f}"
        line = f"{item.first} and {item.second}: {item.texts} texts, {item.same:.1%} the same"
        print(output.clean(f"{line}, kappa {kappa}{spans}"), flush=True)
    return failures.OK


@contextlib.contextmanager
def _opened(
    head: str,
    labels: str,
    kind: str,
    folder: Path | None,
    *,
    strategy: str = "random",
    twice: float = 0.0,
    must_exist: bool = False,
) -> Generator[LabelQueue]:
    """Opens the queue of a head, and closes it afterwards."""
    from services.nlu.labelling.queue import LabelQueue
    from services.nlu.labelling.sampling import Strategy
    from shared.cli.config import CliSettings

    path = folder or CliSettings().home / "labels" / head
    if must_exist and not path.is_dir():
        raise failures.CommandError(
            f"no queue in {path}", hint="--queue names another folder", code=failures.USAGE
        )
    with _explained():
        task = _task(head, labels, kind, path)
        opened = LabelQueue(path, task, strategy=Strategy(strategy), twice=twice)
    try:
        yield opened
    finally:
        opened.close()


def _task(head: str, labels: str, kind: str, folder: Path) -> LabelTask:
    from services.nlu.labelling.queue import stored_task
    from services.nlu.labelling.task import LabelTask, served_task
    from services.nlu.train.examples import TaskKind
    from shared.inference.settings import REPOSITORY

    if labels:
        return LabelTask(head, TaskKind(kind), tuple(map(str.strip, labels.split(","))))
    return stored_task(folder, head) or served_task(head, REPOSITORY)


def _texts(
    queue: LabelQueue, file: Path | None, field: str, pool: int, *, reread: bool
) -> list[str]:
    """Returns the texts that the service is to read: new ones, and those that lack something."""
    from random import Random

    from services.nlu.labelling.texts import read_texts

    texts: list[str] = []
    if file is not None:
        texts = read_texts(file, field)
        if len(texts) > pool:
            failures.say(f"{pool} of {len(texts)} texts are taken; --pool takes more")
            # The same file gives the same texts, so that a second start adds none.
            texts = Random(17).sample(texts, pool)  # noqa: S311
    known = {item.text: item for item in queue.items.values()}
    strategy = queue.strategy
    lacking = [
        text
        for text, item in known.items()
        if reread
        or (strategy.needs_readings and item.reading is None)
        or (strategy.needs_vectors and item.vector is None)
    ]
    return [*lacking, *(text for text in texts if text not in known)]


async def _read(queue: LabelQueue, texts: list[str], language: str, nlu_target: str | None) -> None:
    """Puts texts into the queue, read by the service as far as the strategy asks for it."""
    from services.nlu.labelling.items import Item
    from services.nlu.labelling.reader import read_items, reads
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import text_progress

    strategy = queue.strategy
    if not (strategy.needs_readings or strategy.needs_vectors):
        queue.add(map(Item, texts))
        return
    if strategy.needs_readings and not reads(queue.task):
        raise failures.CommandError(
            f"the service has no reading of {queue.task.head!r}",
            hint="choose texts with --strategy random or diversity",
            code=failures.USAGE,
        )
    target = nlu_target or CliSettings().orchestrator_nlu_target
    with text_progress(len(texts)) as on_read:
        async with connect(target) as channel:
            items = await read_items(
                channel,
                texts,
                queue.task,
                # Without need of it, a guess is still worth showing.
                readings=reads(queue.task),
                vectors=strategy.needs_vectors,
                language=language,
                on_read=on_read,
            )
    queue.add(items)


async def _serve(queue: LabelQueue, host: str, port: int, *, show_guess: bool) -> None:
    """Serves the form until it is interrupted."""
    from services.nlu.labelling.web.app import make_app
    from shared.web.serve import WebServer

    open_to_all = host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    hosts = ["*"] if open_to_all else [host, "127.0.0.1", "localhost"]
    server = WebServer(make_app(queue, hosts=hosts, show_guess=show_guess), host, port)
    try:
        await server.start()
    except OSError as error:
        raise failures.CommandError(str(error), hint="--port takes another one") from error
    print(f"label at http://{host}:{server.port}/ (Ctrl+C ends it)", flush=True)
    if host not in ("127.0.0.1", "localhost"):
        failures.say("everyone who reaches this address can label; there is no sign-in")
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


@contextlib.contextmanager
def _explained() -> Generator[None]:
    """Turns what the labelling refuses into what the command says."""
    from services.nlu.labelling.journal import JournalError
    from services.nlu.labelling.task import LabellingError

    try:
        yield
    except (LabellingError, JournalError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    except ModuleNotFoundError as error:
        raise failures.CommandError(
            f"{error.name} is not installed", hint="pip install 'wherefore[train]'"
        ) from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "me"
