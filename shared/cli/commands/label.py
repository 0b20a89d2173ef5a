"""`wherefore label`: people's labels for the models that read queries."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.label_queue import explained, fill, lacking_texts, open_queue
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.nlu.labelling.queue import LabelQueue

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
    with open_queue(head, labels, kind, queue, strategy=strategy, twice=twice) as opened:
        with explained():
            texts = lacking_texts(opened, file, field, pool, reread=reread)
            if texts:
                asyncio.run(fill(opened, texts, language, nlu_target))
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
        with explained():
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

    with open_queue(head, labels, kind, queue, must_exist=True) as opened, explained():
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

    with open_queue(head, labels, kind, queue, must_exist=True) as opened, explained():
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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "me"
