"""`wherefore eval federated`: training over shops' data without pooling it, against pooling it."""

from __future__ import annotations

import asyncio
import json as json_module
import tempfile
from collections.abc import Mapping
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
EPSILONS = (1.0, 2.0, 4.0, 8.0)
FIGURES = {
    "intent": "pooled, alone, federated, secure and private training of intents",
    "rank": "the same of ranking, by folds of queries",
}


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
        int | None,
        Parameter(
            help="Shops of the runs without noise; 24, and 8 of the ranker, when absent.",
            validator=Number(gte=3),
        ),
    ] = None,
    many_shops: Annotated[
        int | None,
        Parameter(
            help="Shops of the private runs; 1,000, and 200 of the ranker, when absent.",
            validator=Number(gte=3),
        ),
    ] = None,
    epsilon: Annotated[
        tuple[float, ...], Parameter(help="Of the private runs, one each.", negative="")
    ] = EPSILONS,
    secure_epsilon: Annotated[
        float,
        Parameter(
            help="Epsilon of a private run under secure aggregation, slow; none when 0.",
            validator=Number(gte=0),
        ),
    ] = 0.0,
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
    shops, by Opacus' RDP accountant. Points are percentage points over pooled training.

    For example:

        wherefore eval federated --train train.csv --dev dev.csv

        wherefore eval federated --judged judged.npz --epsilon 8 --json

        wherefore eval federated --train train.csv --dev dev.csv --keep runs/federated
    """
    if (train is None) != (dev is None) or (train is None and judged is None):
        raise failures.CommandError(
            "give --train with --dev, or --judged, or all three", code=failures.USAGE
        )
    chosen = {"shops": shops, "many_shops": many_shops, "rounds": rounds, "private_rounds": rounds}
    changes = {key: each for key, each in chosen.items() if each is not None}
    changes |= {"epsilons": epsilon, "secure_epsilon": secure_epsilon}
    try:
        found = measure(train, dev, judged, seed=seed, changes=changes, keep=keep)
    except ComparisonEndedError as error:
        return error.code
    if json:
        output.print_json({"models": found})
    else:
        for each in found:
            output.console().print(_table(each))
    return failures.OK


class ComparisonEndedError(Exception):
    """The comparison did not come to its end, and has told why.

    Attributes:
        code: Exit code of the command.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def measure(
    train: Path | None,
    dev: Path | None,
    judged: Path | None,
    *,
    seed: int = 0,
    changes: Mapping[str, Any],
    keep: Path | None = None,
) -> list[dict[str, Any]]:
    """Compare, with progress on the terminal.

    Args:
        train: Utterances to learn; none without `dev`.
        dev: Those to measure on.
        judged: Judged queries.
        seed: Of shops, samples and noise.
        changes: Of the plan (`shared.federated.comparison.Plan`), for both models.
        keep: Folder of checkpoints: what was done is not done again.

    Returns:
        A summary of each model.

    Raises:
        CommandError: Libraries are missing, or a file is wrong.
        ComparisonEndedError: It failed, or was stopped.
    """
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
            plan = {**plans()[kind], "seed": seed, **changes}
            failures.say(f"{kind}: {FIGURES[kind]}")
            out = Path(folder) / f"{kind}.json"
            arguments = [*map(str, folders), "--plan", json_module.dumps(plan), "--out", str(out)]
            arguments += ["--keep", str(keep.resolve())] if keep else []
            code = environment.run("shared.federated.compare", arguments)
            if code != failures.OK:
                raise ComparisonEndedError(code if code == failures.USAGE else failures.FAILED)
            found.append(summary(kind, json_module.loads(out.read_text("utf-8")), plan))
    return found


def plans() -> dict[str, dict[str, Any]]:
    """Return how each model is trained; that of intents was looked at on a tenth of train."""
    return {
        "intent": {
            "shops": 24,
            "many_shops": 1000,
            "rounds": 20,
            "learning_rate": 5.0,
            "private_rounds": 25,
            "private_rate": 20.0,
        },
        "rank": {
            "shops": 8,
            "many_shops": 200,
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

        failures.say("making vectors of the utterances")
        groups["intent"] = [folder / "intent"]
        asyncio.run(intent_trial(train, dev)).save(folder / "intent")
    if judged is not None:
        from services.ranking.config import DEFAULT_WEIGHTS
        from services.ranking.train.dataset import DatasetError, RankingData
        from services.ranking.train.federated import rank_trials
        from services.ranking.weights import load_weights

        weights = load_weights(DEFAULT_WEIGHTS).serving["search"].weights
        failures.say("making pages with simulated shoppers")
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
    for outcome in outcomes:
        outcome["points"] = 100.0 * (outcome["value"] - outcomes[0]["value"])
    return {
        "model": kind,
        "figure": trials[0]["figure"],
        "trials": len(trials),
        "training_examples": [trial["training_examples"] for trial in trials],
        "test_examples": [trial["test_examples"] for trial in trials],
        "plan": plan,
        "outcomes": outcomes,
    }


def _table(model: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title=f"{model['model']}: {model['figure']}")
    for name in ("", "shops", "rounds", "figure", "points", "epsilon", "delta"):
        table.add_column(name, justify="left" if not name else "right")
    for each in model["outcomes"]:
        private = "epsilon" in each
        table.add_row(
            each["name"],
            str(each["shops"]),
            str(each["rounds"]),
            f"{each['value']:.4f}",
            f"{each['points']:+.1f}",
            f"{each['epsilon']:.2f}" if private else "",
            f"{each['delta']:.0e}" if private else "",
        )
    return table
