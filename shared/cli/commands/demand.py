"""`wherefore demand`: what is expected to be sold."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from shared.cli import failures, output
from shared.cli.extras import require_extra
from shared.cli.options import Json, Target, Timeout

if TYPE_CHECKING:
    from shared.demand.evaluation import Evaluation

app = App(name="demand", help="Forecast what is sold of each product, and measure forecasts.")

LIBRARIES = ("statsforecast", "scipy")
"""What forecasting needs of the extra `demand`, by import name."""

Events = Annotated[
    Path | None,
    Parameter(help="File of events, as `wherefore events export` writes it, or CSV; the log of "
              "the running suite when absent."),
]  # fmt: skip
Horizon = Annotated[int, Parameter(help="Days ahead.", validator=Number(gte=1, lte=90))]
Until = Annotated[
    str,
    Parameter(help="First day, such as 2026-11-28, of which sales are not read (UTC); that of the "
              "last event when absent, as it may not be over."),
]  # fmt: skip


@app.command
def forecast(
    events: Events = None,
    /,
    *,
    out: Annotated[Path, Parameter(help="File of forecasts to write, JSON lines.")],
    horizon: Horizon = 14,
    until: Until = "",
    jobs: Annotated[int, Parameter(help="Processes.", validator=Number(gte=1, lte=256))] = 2,
    target: Target = None,
    timeout: Timeout = 600.0,
) -> int:
    """Forecast the units of each product that are sold a day.

    Methods for demand that comes now and then (Croston, TSB, ADIDA, IMAPA) compete with
    those for demand of every day, with a season of a week and with a trend. The one with
    the least error on the product's last weeks makes its forecast, where these say more
    than the errors over all products. A run that was stopped goes on where it was when it
    is started again. Needs the extra `demand`.

    For example:
        wherefore demand forecast --out forecasts.jsonl

        wherefore demand forecast events.jsonl.gz --out forecasts.jsonl --horizon 28
    """
    require_extra("demand", LIBRARIES)
    from shared.cli import demand_run
    from shared.cli.evaluation_progress import forecast_progress
    from shared.demand.forecast_file import ForecastDraft, Header
    from shared.demand.forecaster import LEAST_DAYS, field_of

    history = demand_run.read_history(events, _day(until), target, timeout)
    header = Header(start=history.until, horizon=horizon, events=demand_run.identity(history))
    draft = ForecastDraft(out, header)
    series = [
        (product_id, units)
        for product_id, units in sorted(history.units.items())
        if units.size >= LEAST_DAYS
    ]
    if young := len(history.units) - len(series):
        failures.say(f"{young:,} products were first seen less than {LEAST_DAYS} days ago")
    try:
        if draft.open():
            failures.say(f"{len(draft.done):,} products are forecast already")
        left = [each for each in series if each[0] not in draft.done]
        field = field_of(dict(series), horizon)
        with forecast_progress(len(left)) as advance:
            for forecasts in demand_run.forecast_all(left, horizon, field, jobs):
                draft.add(forecasts)
                advance(len(forecasts))
        draft.finish()
    except OSError as error:
        raise failures.CommandError(f"cannot write {out}: {error}") from error
    except KeyboardInterrupt:
        failures.say("what is done stays: the same command goes on there")
        raise
    failures.say(f"{len(series):,} forecasts from {header.start} on written to {out}")
    return failures.OK


@app.command
def evaluate(
    events: Events = None,
    /,
    *,
    horizon: Horizon = 14,
    until: Until = "",
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 600.0,
) -> int:
    """Measure forecasts of the last days against what was sold.

    The last `--horizon` days are kept apart; methods are chosen and fitted by the days
    before. Beside them: the same as yesterday (naive), the same as a week ago (seasonal
    naive). Needs the extra `demand`.

    For example:
        wherefore demand evaluate events.jsonl.gz

        wherefore demand evaluate events.jsonl.gz --horizon 28 --json
    """
    require_extra("demand", LIBRARIES)
    from shared.cli import demand_run
    from shared.cli.evaluation_progress import forecast_progress
    from shared.demand.evaluation import evaluate as evaluate_all
    from shared.demand.evaluation import figures

    history = demand_run.read_history(events, _day(until), target, timeout)
    with forecast_progress(len(history.units)) as advance:
        found = evaluate_all(history.units, horizon, advance)
    if not found.products:
        raise failures.CommandError(
            "no product has a history that is long enough to be measured",
            hint=f"{horizon} days are kept apart, and 28 are needed before them",
        )
    if json:
        output.print_json(figures(found))
    else:
        _show(found)
    return failures.OK


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise failures.CommandError(f"--until: {text!r} is no day", code=failures.USAGE) from error


def _show(found: Evaluation) -> None:
    from rich.table import Table

    from shared.demand.evaluation import figures

    table = Table(
        "forecast by", "MASE", "RMSSE", "pinball", "covered", "error of the total", "bias"
    )
    for name, each in figures(found)["methods"].items():
        table.add_row(
            name,
            f"{each['mase']:.3f}",
            f"{each['rmsse']:.3f}",
            f"{each['pinball']:.3f}",
            f"{each['covered']:.0%}",
            f"{each['total_error']:.2f}",
            f"{each['bias']:+.2f}",
        )
    console = output.console()
    console.print(table)
    chosen = ", ".join(f"{name} {count:,}" for name, count in found.chosen.most_common())
    console.print(
        f"{found.products:,} products over {found.horizon} days, {found.left_out:,} left out. "
        f"Chosen: {chosen}."
    )
