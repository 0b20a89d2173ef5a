"""`wherefore train`: the models that read queries, write reasons, rank and recommend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from shared.cli import failures
from shared.cli.commands.train_categories import categories
from shared.cli.commands.train_federated import app as federated
from shared.cli.commands.train_recommend import recommend
from shared.cli.options import Json, NluTarget

app = App(name="train", help="Train the suite's models.")
app.command(recommend)
app.command(categories)
app.command(federated)

Recipe = Annotated[
    str, Parameter(help="The recipe: a TOML file, or the name of one that comes along.")
]
DataSets = Annotated[
    Path | None,
    Parameter(help="Folder of the data sets; WHEREFORE_DATA or ../shared/data when absent."),
]


@app.command
def nlu(
    *,
    config: Recipe,
    data: DataSets = None,
    out: Annotated[
        Path | None,
        Parameter(help="Folder of the runs; .wherefore/train of the checkout when absent."),
    ] = None,
    labels: Annotated[
        Path | None,
        Parameter(help="Labels from `wherefore label export`, learnt beside the data sets."),
    ] = None,
) -> int:
    """Train a model that reads queries, by a recipe.

    Needs the extra `train`. A run that was stopped goes on where it was when the
    same command is given again. Curves and figures lie in the run's folder.

    For example:

        wherefore train nlu --config query_zh

        wherefore train nlu --config my-recipe.toml --data sets --out runs
    """
    options = {"--data": data, "--out": out, "--labels": labels}
    return _by_recipe(config, "services.nlu.train", [], options)


@app.command
def reason(
    *,
    config: Recipe = "reason_small",
    data: DataSets = None,
    out: Annotated[
        Path | None,
        Parameter(help="Folder of the run; .wherefore/train/RECIPE of the checkout when absent."),
    ] = None,
) -> int:
    """Train the language model that writes reasons, by a recipe.

    Needs the extra `train`. The corpus is written first, where the run's folder
    holds none; a run that was stopped goes on where it was when the same command
    is given again. `python -m services.reason.train --help` lists what measures
    and exports a run.

    For example:

        wherefore train reason

        wherefore train reason --config my-recipe.toml --out runs/mine
    """
    return _by_recipe(config, "services.reason.train", ["train"], {"--data": data, "--out": out})


@app.command
def ranking(
    *,
    out: Annotated[Path, Parameter(help="Folder for the model, its card and its plot.")],
    judgments: Annotated[
        Path | None,
        Parameter(help="CSV with the columns query, docid and rating (0 and up)."),
    ] = None,
    data: Annotated[
        Path | None,
        Parameter(
            help="File of collected features (.npz): written with --judgments, read without."
        ),
    ] = None,
    nlu_target: NluTarget = None,
    retrieval_target: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT of retrieval; WHEREFORE_ORCHESTRATOR_RETRIEVAL_TARGET or "
            "127.0.0.1:7702 when absent."
        ),
    ] = None,
    logs: Annotated[
        Path | None,
        Parameter(
            help="Page log to learn from, or a folder of them; docs/ranking.md has the form."
        ),
    ] = None,
    served: Annotated[
        Path | None,
        Parameter(help="Answers that were shown (SearchResponse, JSON lines), to learn from."),
    ] = None,
    events: Annotated[
        Path | None,
        Parameter(
            help="What followed them, as for `wherefore events import`; the suite's own log "
            "when absent."
        ),
    ] = None,
    model: Annotated[
        Literal["trees", "deep"], Parameter(help="What learns from --logs or --served.")
    ] = "trees",
    rounds: Annotated[
        int | None,
        Parameter(help="Trees to grow; 30 from judgments and 100 from logs when absent."),
    ] = None,
    leaves: Annotated[int, Parameter(help="Leaves of a tree at most.")] = 8,
    seed: Annotated[int, Parameter(help="Of folds and trees.")] = 0,
    version: Annotated[str, Parameter(help="Version that responses name.")] = "1",
    json: Json = False,
) -> int:
    """Train a ranker, and compare it with the linear weights.

    From judged queries: trees (LambdaMART). From what shoppers did (--logs, or --served
    with events): trees or the deep ranker, with inverse propensity, measured on queries
    held out by nDCG@10 and by IPS, SNIPS and doubly robust estimates. The log must come
    from a ranking that explores. The deep ranker needs the extra `train`.

    Needs the extra `ranking`, and with --judgments a running suite that holds the judged
    catalogue. Both models are measured by folds of whole queries and compared by paired
    bootstrap; the model that is written is trained on all queries.

    For example:

        wherefore train ranking --judgments judged.csv --data judged.npz --out ranker

        wherefore train ranking --data judged.npz --out ranker --rounds 60 --json

        wherefore train ranking --logs pages.jsonl.gz --out ranker

        wherefore train ranking --served shown.jsonl --events did.jsonl --model deep --out models
    """
    from shared.cli.config import CliSettings
    from shared.cli.training import run_training

    settings = CliSettings()
    if logs is not None or served is not None:
        if judgments is not None or data is not None or (logs is not None and served is not None):
            raise failures.CommandError(
                "give judgments, --logs or --served, not several", code=failures.USAGE
            )
        told = ["--out", str(out.resolve()), "--model", model, "--seed", str(seed)]
        told += ["--version", version, "--leaves", str(leaves), *(["--json"] if json else [])]
        told += ["--orchestrator", settings.target]
        told += ["--rounds", str(rounds)] if rounds is not None else []
        for option, value in (("--page-logs", logs), ("--served", served), ("--events", events)):
            if value is not None:
                told += [option, str(value.resolve())]
        deep = model == "deep"
        return run_training(
            "services.ranking.train.logs",
            told,
            extra="train" if deep else "ranking",
            libraries=None if deep else ("lightgbm", "matplotlib", "tqdm"),
        )
    if judgments is None and data is None:
        raise failures.CommandError(
            "give --judgments, --data or both, or --logs or --served", code=failures.USAGE
        )
    rounds = 30 if rounds is None else rounds
    arguments = ["--nlu", nlu_target or settings.orchestrator_nlu_target]
    arguments += ["--retrieval", retrieval_target or settings.orchestrator_retrieval_target]
    arguments += ["--out", str(out.resolve()), "--rounds", str(rounds), "--leaves", str(leaves)]
    arguments += ["--seed", str(seed), "--version", version, *(["--json"] if json else [])]
    for option, value in (("--judgments", judgments), ("--data", data)):
        if value is not None:
            arguments += [option, str(value.resolve())]
    return run_training(
        "services.ranking.train",
        arguments,
        extra="ranking",
        libraries=("lightgbm", "matplotlib", "tqdm"),
    )


def _by_recipe(
    config: str, module: str, before: Sequence[str], options: Mapping[str, Path | None]
) -> int:
    """Run a module's training by a recipe, which may be a file or the name of one."""
    from shared.cli.training import run_training

    recipe = Path(config)
    if recipe.suffix and not recipe.is_file():
        raise failures.CommandError(f"no recipe {config}", code=failures.USAGE)
    arguments = [*before, str(recipe.resolve()) if recipe.suffix else config]
    for option, value in options.items():
        if value is not None:
            arguments += [option, str(value.resolve())]
    try:
        return run_training(module, arguments)
    except KeyboardInterrupt:
        failures.say("stopped; the same command goes on from the last checkpoint")
        raise
