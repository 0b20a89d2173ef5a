"""`wherefore plan`: what a suite needs for so many products and searches a second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.extras import require_extra
from shared.cli.options import Json
from shared.cli.plan_options import MachineOptions, PriceOptions, TrafficOptions, read

if TYPE_CHECKING:
    from shared.planning.costs import Costs
    from shared.planning.plan import Plan
    from shared.planning.simulation import Choice, Simulated

_TRAFFIC, _MACHINES, _PRICES = TrafficOptions(), MachineOptions(), PriceOptions()
_FEWEST = 100
_ENOUGH = 5_000
"""Searches for a 99th percentile that is worth telling."""


def plan(
    *,
    products: Annotated[str, Parameter(help="Products of the catalogue, such as 50M.")],
    qps: Annotated[str, Parameter(help="Searches a second at the peak, such as 2k.")],
    p99: Annotated[str, Parameter(help="What 99 of 100 searches stay below, such as 120ms.")],
    traffic: TrafficOptions = _TRAFFIC,
    machines: MachineOptions = _MACHINES,
    prices: PriceOptions = _PRICES,
    simulate: Annotated[
        bool, Parameter(negative="", help="Try the plan in a discrete-event simulation.")
    ] = False,
    searches: Annotated[
        str, Parameter(help="Searches that are simulated; auto: what a steady state needs.")
    ] = "auto",
    choice: Annotated[
        Literal["random", "round-robin", "least-loaded"],
        Parameter(help="How the simulation chooses a replica; random is what formulas assume."),
    ] = "random",
    bursts: Annotated[
        bool,
        Parameter(negative="", help="Simulate seconds half as busy again, and half as busy."),
    ] = False,
    seed: Annotated[int, Parameter(help="The same seed gives the same simulation.")] = 1,
    plot: Annotated[
        Path | None, Parameter(help="Draw replicas and cost by searches a second, as SVG.")
    ] = None,
    costs: Annotated[
        Path | None, Parameter(help="Measured costs; those that come with Wherefore when absent.")
    ] = None,
    explain: Annotated[
        bool, Parameter(negative="", help="Show how each number came about, and what is assumed.")
    ] = False,
    json: Json = False,
) -> int:
    """Compute replicas, shards, memory, GPUs and the monthly cost of a suite.

    Needs no service. Computed from costs that were measured on one machine;
    where they come from is told below the plan. Prices are assumptions: give
    your own.

    Exits with 1 when no number of machines meets the target, and says what would.

    For example:

        wherefore plan --products 50M --qps 20000 --p99 120ms

        wherefore plan --products 2M --qps 300 --p99 0.2s --cache-hits 40% --explain

        wherefore plan --products 200k --qps 50 --p99 250ms --simulate --searches 2k

        wherefore plan --products 5M --qps 1k --p99 150ms --reasons template --json
    """
    from shared.planning.costs import COSTS, CostsError, read_costs
    from shared.planning.planner import plan as planned
    from shared.planning.units import PlanInputError, count
    from shared.planning.workload import PlanInfeasibleError

    if plot and not plot.parent.is_dir():
        raise failures.CommandError(f"--plot: no folder {plot.parent}", code=failures.USAGE)
    try:
        workload = read(products, qps, p99, traffic=traffic, machines=machines, prices=prices)
        simulated = 0
        if searches != "auto":
            simulated = int(count(searches, "--searches", least=_FEWEST, most=1e7))
    except PlanInputError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    try:
        measured = read_costs(costs or COSTS)
        made = planned(workload, measured)
    except CostsError as error:
        raise failures.CommandError(f"--costs: {error}", code=failures.USAGE) from error
    except PlanInfeasibleError as error:
        raise failures.CommandError(str(error), hint="\n".join(error.remedies)) from error
    found = _simulate(made, simulated, choice, seed, bursts=bursts) if simulate else None
    if plot:
        _draw(plot, made, measured)
    if json:
        from shared.cli.plan_view import document

        output.print_json(document(made, found))
        return failures.OK
    from shared.cli import plan_view

    console = output.console()
    plan_view.show(console, made, measured, explain=explain)
    if found:
        plan_view.show_simulated(console, made, found)
    return failures.OK


def _simulate(made: Plan, searches: int, choice: Choice, seed: int, *, bursts: bool) -> Simulated:
    require_extra("plan", ("simpy",))
    from rich.progress import Progress

    from shared.planning import simulation

    qps = made.workload.qps
    part = 1
    if simulation.searches_needed(qps, made.p99_ms, 1) > (searches or _ENOUGH):
        part = simulation.parts(made.deployment)
    needed = simulation.searches_needed(qps, made.p99_ms, part)
    if searches and searches < needed:
        raise failures.CommandError(
            f"--searches: {searches:,} are over before the queues have filled; at this rate a "
            f"steady state needs {needed:,}",
            code=failures.USAGE,
        )
    wanted = searches or max(needed, _ENOUGH)
    if part > 1:
        failures.say(f"simulating one part of {part}: as much of every pool and of the searches")
    run = simulation.Simulation(
        made.deployment, qps, choice=choice, part=part, bursts=bursts, seed=seed
    )
    with Progress(console=output.error_console(), transient=True) as bar:
        task = bar.add_task("simulating", total=wanted)
        return run.run(wanted, lambda done: bar.update(task, completed=done))


def _draw(path: Path, made: Plan, measured: Costs) -> None:
    require_extra("plan", ("matplotlib",))
    from shared.planning import picture

    picture.plot(path, picture.plans(made.workload, measured))
