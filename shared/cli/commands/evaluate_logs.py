"""`wherefore eval ranking-logs`: a ranker that never served, from the log of one that did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from shared.cli import failures, output
from shared.cli.extras import require_extra
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.ranking.clicks.counterfactual import LogEvaluation, Scorer

NAMES = {
    "logged": "what was logged",
    "ips": "IPS",
    "snips": "SNIPS",
    "dr": "doubly robust",
}
FAR_FROM_ONE = 0.2


def ranking_logs(
    *,
    logs: Annotated[
        Path, Parameter(help="JSON lines of shown pages; docs/ranking.md describes them.")
    ],
    weights: Annotated[
        Path | None, Parameter(help="The ranker: a file of weights like weights.toml.")
    ] = None,
    model: Annotated[
        Path | None, Parameter(help="The ranker: a model of `wherefore train ranking`.")
    ] = None,
    serving_config: Annotated[str, Parameter(help="Which table of the weights.")] = "search",
    largest_weight: Annotated[
        float, Parameter(help="Inverse propensities above are cut.", validator=Number(gte=1))
    ] = 100.0,
    json: Json = False,
) -> int:
    """Estimate from logs what a ranker would have earned that never served.

    Needs no service. The log must come from a ranker that varied its order and knows
    how likely each product was in its place (its propensity).

    Estimates clicks on a page: by inverse propensity (IPS), the same over the mean
    weight (SNIPS), and doubly robust (DR), which a regression makes narrower. A click
    is taken to depend on a product and its place, not on its neighbours. Intervals:
    95 %, bootstrap over queries.

    For example:

        wherefore eval ranking-logs --logs pages.jsonl.gz --weights new.toml

        wherefore eval ranking-logs --logs pages.jsonl --model ranker/model.json --json
    """
    if (weights is None) == (model is None):
        raise failures.CommandError(
            "name one ranker, by --weights or by --model", code=failures.USAGE
        )
    from services.ranking.clicks.counterfactual import evaluate_logs
    from services.ranking.clicks.page_log import PageLogError, read_pages

    scorer = _of_weights(weights, serving_config) if weights else _of_model(model or Path())
    try:
        evaluation = evaluate_logs(list(read_pages(logs)), scorer, largest_weight=largest_weight)
    except PageLogError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    if json:
        output.print_json(_document(evaluation))
    else:
        _show(evaluation)
    if abs(evaluation.mean_weight - 1.0) > FAR_FROM_ONE:
        failures.say(
            f"the mean weight is {evaluation.mean_weight:.2f}, not about 1: the propensities are "
            "wrong, too many weights are cut, or this ranker shows what was never shown; trust no "
            "estimate of these"
        )
    return failures.OK


def _of_weights(path: Path, serving_config: str) -> Scorer:
    from services.ranking.model import LinearModel
    from services.ranking.weights import load_weights

    try:
        serving = load_weights(path).serving
    except (OSError, ValueError) as error:
        raise failures.CommandError(f"{path}: {error}", code=failures.USAGE) from error
    if serving_config not in serving:
        known = ", ".join(sorted(serving))
        raise failures.CommandError(
            f"{path} has no {serving_config!r}; there are {known}", code=failures.USAGE
        )
    config = serving[serving_config]
    return LinearModel.of(config.version, config.weights).score


def _of_model(path: Path) -> Scorer:
    require_extra("ranking", ("lightgbm",))
    from services.ranking.tree_model import ModelFileError, TreeModel

    try:
        return TreeModel.load(path).score
    except (OSError, ModelFileError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error


def _document(evaluation: LogEvaluation) -> dict[str, object]:
    estimates = {
        name: {
            "clicks": [part.value.mean, part.value.low, part.value.high],
            "gain": [part.gain.mean, part.gain.low, part.gain.high],
        }
        for name, part in evaluation.estimates.items()
    }
    return {
        "estimates": estimates,
        "pages": evaluation.pages,
        "queries": evaluation.queries,
        "agreement": evaluation.agreement,
        "effective_results": evaluation.effective_results,
        "mean_weight": evaluation.mean_weight,
        "clipped": evaluation.clipped,
    }


def _show(evaluation: LogEvaluation) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    table.add_column("estimate")
    for heading in ("clicks on a page", "95 % interval", "gain", "95 % interval"):
        table.add_column(heading, justify="right")
    for name, title in NAMES.items():
        value, gain = evaluation.estimates[name].value, evaluation.estimates[name].gain
        row = [title, f"{value.mean:.4f}", f"{value.low:.4f} to {value.high:.4f}"]
        if name != "logged":
            row += [f"{gain.mean:+.4f}", f"{gain.low:+.4f} to {gain.high:+.4f}"]
        table.add_row(*row)
    console = output.console()
    console.print(table)
    console.print(
        output.text(
            f"{evaluation.pages} pages of {evaluation.queries} queries; the rankers agree on "
            f"{evaluation.agreement:.1%} of the places, worth {evaluation.effective_results:.0f} "
            f"results; mean weight {evaluation.mean_weight:.2f}, {evaluation.clipped:.1%} cut"
        )
    )
