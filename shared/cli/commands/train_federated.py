"""`wherefore train federated`: one model over several shops' files, none of which is pooled."""

from __future__ import annotations

import asyncio
import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from shared.cli import failures, output
from shared.cli.commands.evaluate_federated import LIBRARIES
from shared.cli.extras import require_extra
from shared.cli.options import Json

if TYPE_CHECKING:
    from shared.inference import InferenceSettings

app = App(name="federated", help="Train a model over several shops' data without pooling it.")
TASK_FILE = "task.json"


@app.command
def prepare(
    *,
    intents: Annotated[
        Path | None, Parameter(help="The shop's utterances: CSV with utterance and intent.")
    ] = None,
    pages: Annotated[
        Path | None, Parameter(help="The shop's page log; docs/ranking.md has the form.")
    ] = None,
    labels: Annotated[
        Path | None, Parameter(help="Intents that all shops agreed on, one a line.")
    ] = None,
    encoder: Annotated[
        str,
        Parameter(help="Model that reads the intents' language, and is to serve what is trained."),
    ] = "query_en@1",
    models: Annotated[
        Path | None, Parameter(help="Model repository that it lies in; the suite's when absent.")
    ] = None,
    out: Annotated[Path, Parameter(help="File of the shop's rows, such as shop.npz.")],
) -> int:
    """Turn a shop's own file into the rows that it trains on.

    Runs where the data is. The rows are vectors or features, and as secret as the file.
    Beside them it writes task.json, which must be the same in all shops.

    For example:

        wherefore train federated prepare --intents asked.csv --labels labels.txt --out a/shop.npz

        wherefore train federated prepare --pages pages.jsonl.gz --out b/shop.npz
    """
    from shared.errors import UnavailableError
    from shared.federated.errors import FederatedError

    if (intents is None) == (pages is None):
        raise failures.CommandError("give --intents or --pages", code=failures.USAGE)
    if intents is not None and labels is None:
        raise failures.CommandError(
            "--intents needs --labels: numbers of intents must be the same in all shops",
            code=failures.USAGE,
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        if intents is not None and labels is not None:
            _prepare_intents(intents, labels, _encoder(encoder, models), out)
        elif pages is not None:
            _prepare_pages(pages, out)
    except (FederatedError, OSError, UnicodeDecodeError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    except UnavailableError as error:
        raise failures.CommandError(str(error)) from error
    failures.say(f"written to {out} and {out.with_name(TASK_FILE)}")
    return failures.OK


@app.command
def run(
    shops: Annotated[list[Path], Parameter(help="Files of `prepare`, one a shop.")],
    *,
    task: Annotated[Path, Parameter(help="The task.json that the shops agreed on.")],
    out: Annotated[Path, Parameter(help="Folder for the model, its card and the checkpoint.")],
    rounds: Annotated[int, Parameter(help="How often all learn.", validator=Number(gte=1))] = 40,
    sample_rate: Annotated[
        float,
        Parameter(help="Chance of a shop to take part.", validator=Number(gt=0, lte=1)),
    ] = 1.0,
    epochs: Annotated[
        int, Parameter(help="Passes over its rows in a round.", validator=Number(gte=1))
    ] = 1,
    batch: Annotated[int, Parameter(help="Examples of a step.", validator=Number(gte=1))] = 32,
    learning_rate: Annotated[float, Parameter(help="Of a step.", validator=Number(gt=0))] = 1.0,
    plain: Annotated[bool, Parameter(negative="", help="Let the server see every update.")] = False,
    epsilon: Annotated[
        float | None,
        Parameter(help="Client-level privacy to keep to; needs --clip.", validator=Number(gt=0)),
    ] = None,
    clip: Annotated[
        float, Parameter(help="Longest update of a shop (L2).", validator=Number(gte=0))
    ] = 0.0,
    seed: Annotated[int, Parameter(help="Of samples and orders, not of noise.")] = 0,
    json: Json = False,
) -> int:
    """Train over shops whose files are all on this machine, to try settings out.

    Needs the extra `federated`, and Flower (`make federated`). The code is that of the
    real deployment, without the network (docs/federated.md). A run that was stopped goes
    on when the same command is given again.

    For example:

        wherefore train federated run shops/*.npz --task shops/task.json --out model

        wherefore train federated run s/*.npz --task s/task.json --out m --epsilon 8 --clip 1
    """
    require_extra("federated", LIBRARIES)
    from shared.federated import environment

    if (told := environment.problem()) is not None:
        raise failures.CommandError(told)
    if epsilon is not None and not clip:
        raise failures.CommandError(
            "--epsilon needs --clip: without one nothing bounds what a shop adds",
            code=failures.USAGE,
        )
    settings = {
        "rounds": rounds,
        "sample_rate": sample_rate,
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "secure": not plain,
        "clip": clip,
        "seed": seed,
    }
    arguments = [*(str(path.resolve()) for path in shops), "--task", str(task.resolve())]
    arguments += ["--out", str(out.resolve()), "--settings", json_module.dumps(settings)]
    arguments += ["--epsilon", str(epsilon)] if epsilon is not None else []
    code = environment.run("shared.federated.simulate", [*arguments, *(["--json"] if json else [])])
    return code if code in (failures.OK, failures.USAGE) else failures.FAILED


@app.command
def publish(
    run: Annotated[Path, Parameter(help="Folder that a run left: model.npz and model.json.")],
    *,
    name: Annotated[str, Parameter(help="Of the entry, such as shop_intents.")],
    models: Annotated[
        Path | None, Parameter(help="Model repository to write to; the suite's when absent.")
    ] = None,
    weights: Annotated[
        Path | None,
        Parameter(help="Weights that a ranker is to take its place in; the suite's when absent."),
    ] = None,
    json: Json = False,
) -> int:
    """Write what shops trained as the next version of a model that the services load.

    Intents become a head that the NLU service adds to its reader
    (WHEREFORE_NLU_INTENT_HEADS) and takes up while it runs. A ranker becomes a file of
    weights (WHEREFORE_RANKING_WEIGHTS_PATH, or CANDIDATE_WEIGHTS_PATH to try it beside).

    For example:

        wherefore train federated publish model --name shop_intents

        wherefore train federated publish model --name shop_ranker --models /srv/models
    """
    from services.nlu.train.intent_entry import write_intent_entry
    from shared.federated.errors import FederatedError
    from shared.federated.result import read_result
    from shared.inference.settings import REPOSITORY

    repository = models or REPOSITORY
    try:
        result = read_result(run)
        if result.task.kind == "intent":
            version = write_intent_entry(result, repository, name)
            setting = f"WHEREFORE_NLU_INTENT_HEADS='[\"{name}\"]'"
        else:
            # Only now: where intents are published there may be no ranking service.
            from services.ranking.config import DEFAULT_WEIGHTS
            from services.ranking.train.weights_entry import WEIGHTS_FILE, write_weights_entry
            from services.ranking.weights import load_weights

            base = load_weights(weights or DEFAULT_WEIGHTS)
            version = write_weights_entry(result, repository, name, base)
            setting = f"WHEREFORE_RANKING_CANDIDATE_WEIGHTS_PATH={version.resolve() / WEIGHTS_FILE}"
    except (FederatedError, OSError, ValueError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    if json:
        told = {"model": f"{name}@{version.name}", "folder": str(version), "setting": setting}
        output.print_json(told)
    else:
        failures.say(f"{name}@{version.name} written to {version}; serve it by {setting}")
    return failures.OK


def _encoder(named: str, models: Path | None) -> InferenceSettings:
    from shared.inference import InferenceSettings
    from shared.inference.settings import REPOSITORY

    name, _, version = named.partition("@")
    if not name or not version.isdecimal() or not int(version):
        raise failures.CommandError(
            f"--encoder {named}: name it with its version, such as query_en@1", code=failures.USAGE
        )
    return InferenceSettings(
        backend="onnx",
        model=name,
        version=int(version),
        model_dir=models or REPOSITORY,
        threads=1,
    )


def _prepare_intents(intents: Path, labels: Path, encoder: InferenceSettings, out: Path) -> None:
    from services.nlu.train.federated import read_utterances, shop_rows
    from shared.federated.errors import FederatedError

    names = tuple(line.strip() for line in labels.read_text("utf-8").splitlines() if line.strip())
    if not names or len(set(names)) < len(names):
        raise FederatedError(f"{labels} must name each intent once, one a line")
    rows, task = asyncio.run(shop_rows(read_utterances(intents), names, intents, encoder))
    rows.save(out)
    task.save(out.with_name(TASK_FILE))


def _prepare_pages(pages: Path, out: Path) -> None:
    from services.ranking.clicks.page_log import PageLogError, read_pages
    from services.ranking.train.federated import page_rows, rank_task
    from shared.federated.errors import FederatedError

    try:
        logged = list(read_pages(pages))
    except PageLogError as error:
        raise FederatedError(str(error)) from error
    page_rows(logged).save(out)
    rank_task().save(out.with_name(TASK_FILE))
