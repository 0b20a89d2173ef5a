"""`wherefore eval federated`: training over shops' data without pooling it, against pooling it."""

from __future__ import annotations

import asyncio
import json as json_module
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from shared.cli import failures, output
from shared.cli.extras import require_extra
from shared.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

LIBRARIES = ("torch", "opacus")
"""What the extra `federated` brings, by import name."""


def federated(
    *,
    train: Annotated[
        Path | None, Parameter(help="Utterances to learn: CSV with utterance and intent.")
    ] = None,
    dev: Annotated[Path | None, Parameter(help="Others to measure on, of the same form.")] = None,
    judged: Annotated[
        Path | None,
        Parameter(help="Judged queries: the file that `wherefore train ranking --data` keeps."),
    ] = None,
    shops: Annotated[
        int, Parameter(help="Shops of the runs without noise.", validator=Number(gte=3))
    ] = 24,
    many_shops: Annotated[
        int, Parameter(help="Shops of the private runs.", validator=Number(gte=3))
    ] = 1000,
    epsilon: Annotated[
        tuple[float, ...], Parameter(help="Of the private runs, one each.", negative="")
    ] = (1.0, 2.0, 4.0, 8.0, 16.0),
    rounds: Annotated[
        int | None, Parameter(help="Of every run; as tuned when absent.", validator=Number(gte=1))
    ] = None,
    seed: Annotated[int, Parameter(help="Of shops, samples and noise.")] = 0,
    keep: Annotated[
        Path | None,
        Parameter(help="Folder of checkpoints: the same command goes on where it was stopped."),
    ] = None,
    json: Json = False,
) -> int:
    """Measure federated training beside pooled training and each shop alone, offline.

    Needs the extra `federated`, and Flower (`make federated`); no service. The intent
    head (--train, --dev), the ranker (--judged), or both. Examples are dealt to shops
    that are unlike each other: mixes of intents, or of queries, from a Dirichlet
    distribution. The ranker learns from pages with simulated shoppers, by folds of
    whole queries.

    Private runs clip every update, draw shops by chance and add noise to the sum;
    epsilon is about all that one shop holds, at a delta of a tenth of one over the
    shops, by Opacus' RDP accountant. Of one epsilon (8, or the largest below) the run
    is done under secure aggregation, too.

    For example:

        wherefore eval federated --train train.csv --dev dev.csv

        wherefore eval federated --judged judged.npz --epsilon 8 --json

        wherefore eval federated --train train.csv --dev dev.csv --keep runs/federated
    """
    if (train is None) != (dev is None) or (train is None and judged is None):
        raise failures.CommandError(
            "give --train with --dev, or --judged, or all three", code=failures.USAGE
        )
    require_extra("federated", LIBRARIES)
    from shared.federated import environment
    from shared.federated.errors import FederatedError

    if (told := environment.problem()) is not None:
        raise failures.CommandError(told)
    with tempfile.TemporaryDirectory() as folder:
        try:
            groups = prepare(Path(folder), train, dev, judged, seed)
        except FederatedError as error:
            raise failures.CommandError(str(error), code=failures.USAGE) from error
        found: list[dict[str, Any]] = []
        for kind, folders in groups.items():
            plan = {**plans()[kind], "shops": shops, "many_shops": many_shops, "seed": seed}
            plan |= {"epsilons": epsilon, "secure_epsilon": _secure(epsilon)}
            if rounds is not None:
                plan |= {"rounds": rounds, "private_rounds": rounds}
            out = Path(folder) / f"{kind}.json"
            arguments = [*map(str, folders), "--plan", json_module.dumps(plan), "--out", str(out)]
            arguments += ["--keep", str(keep.resolve())] if keep else []
            code = environment.run("shared.federated.compare", arguments)
            if code != failures.OK:
                return code if code == failures.USAGE else failures.FAILED
            found.append(summary(kind, json_module.loads(out.read_text("utf-8")), plan))
    if json:
        output.print_json({"models": found})
    else:
        for each in found:
            output.console().print(_table(each))
    return failures.OK


def plans() -> dict[str, dict[str, Any]]:
    """Return how each model is trained; that of intents was looked at on a tenth of train."""
    return {
        "intent": {
            "rounds": 20,
            "learning_rate": 5.0,
            "private_rounds": 25,
            "private_rate": 20.0,
        },
        "rank": {
            "rounds": 10,
            "learning_rate": 0.1,
            "private_rounds": 20,
            "private_rate": 0.5,
            "sample_rate": 0.3,
        },
    }


def prepare(
    folder: Path, train: Path | None, dev: Path | None, judged: Path | None, seed: int
) -> dict[str, list[Path]]:
    """Write what is to be compared; returns folders of trials by kind of model.

    Raises:
        FederatedError: A file is wrong.
    """
    from shared.federated.errors import FederatedError

    groups: dict[str, list[Path]] = {}
    if train is not None and dev is not None:
        from services.nlu.train.federated import intent_trial

        groups["intent"] = [folder / "intent"]
        asyncio.run(intent_trial(train, dev)).save(folder / "intent")
    if judged is not None:
        from services.ranking.config import DEFAULT_WEIGHTS
        from services.ranking.train.dataset import DatasetError, RankingData
        from services.ranking.train.federated import rank_trials
        from services.ranking.weights import load_weights

        weights = load_weights(DEFAULT_WEIGHTS).serving["search"].weights
        try:
            data = RankingData.load(judged)
        except DatasetError as error:
            raise FederatedError(str(error)) from error
        trials = rank_trials(data, weights, seed)
        groups["rank"] = [folder / f"rank-{fold}" for fold in range(len(trials))]
        for path, trial in zip(groups["rank"], trials, strict=True):
            trial.save(path)
    return groups


def summary(kind: str, trials: list[dict[str, Any]], plan: dict[str, Any]) -> dict[str, Any]:
    """Return the outcomes of one model, means over its trials."""
    outcomes: list[dict[str, Any]] = []
    for parts in zip(*(trial["outcomes"] for trial in trials), strict=True):
        mean = {
            key: sum(part[key] for part in parts) / len(parts)
            for key in ("value", "worst", "best", "seconds")
            if key in parts[0]
        }
        outcomes.append({**parts[0], **mean})
    return {
        "model": kind,
        "figure": trials[0]["figure"],
        "trials": len(trials),
        "training_examples": [trial["training_examples"] for trial in trials],
        "test_examples": [trial["test_examples"] for trial in trials],
        "plan": plan,
        "outcomes": outcomes,
    }


def _secure(epsilons: tuple[float, ...]) -> float:
    """The epsilon that is run under secure aggregation as well."""
    return max((each for each in epsilons if each <= 8.0), default=0.0)  # noqa: PLR2004


def _table(model: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title=f"{model['model']}: {model['figure']}")
    for name in ("", "shops", "rounds", "figure", "of pooled", "epsilon", "delta"):
        table.add_column(name, justify="left" if not name else "right")
    pooled = model["outcomes"][0]["value"]
    for each in model["outcomes"]:
        private = "epsilon" in each
        table.add_row(
            each["name"],
            str(each["shops"]),
            str(each["rounds"]),
            f"{each['value']:.4f}",
            f"{each['value'] - pooled:+.4f}",
            f"{each['epsilon']:.2f}" if private else "",
            f"{each['delta']:.0e}" if private else "",
        )
    return table
