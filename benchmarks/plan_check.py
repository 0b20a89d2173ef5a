"""What `wherefore plan` foretells, beside what is measured: `python -m benchmarks.plan_check`.

`--measure` writes the costs that plans are computed from, `--curve FOLDER` with it or alone what a
shard costs by its size, from the stores of `benchmarks.cost_curve`. Without either, what the
planner foretells for this machine is set beside a measurement, in a section of RESULTS.md. Costs
are those of one and four clients; what is checked is other numbers of them, with other queries, and
memory at a size of which no cost was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import grpc.aio
from pydantic import BaseModel

from benchmarks import plan_costs, plan_searches, report
from benchmarks.cost_curve import say
from benchmarks.load.queries import cold, judged, warm
from benchmarks.plan_busy import DEADLINE, ask_together, calls_of
from benchmarks.plan_check_report import Checks, Rate, section
from benchmarks.plan_meter import Meter
from shared.cli.private_suite import PrivateSuite
from shared.planning.costs import COSTS, Costs, Reasons, SearchCosts, read_costs
from shared.planning.demand import PAGE
from shared.planning.distribution import mean
from shared.planning.fits import affine
from shared.planning.one_machine import answers_per_second, delay_ms

COMMAND: Final = "python -m benchmarks.plan_check"
EVERY: Final = 19_406
"""Products of icecat."""
MEMORY_SIZES: Final = (2_000, 5_000, 10_000)
"""At which memory is measured: all below the size at which it is checked."""
CLIENTS: Final = (2, 8)
_SEED: Final = 202
"""Of the queries that are checked; costs are measured with others."""


async def measure(options: argparse.Namespace) -> None:
    """Measures the costs that are asked for, each kept when it is there; others stay."""
    command = f"{COMMAND} --measure"
    if options.curve:
        _keep(options.costs, "shards", await plan_costs.shards(options.curve, f"{COMMAND} --curve"))
    if options.measure:
        _keep(options.costs, "events", await plan_costs.events(options.calls * 20, command))
        found = await plan_searches.searches(options.home, options.products, options.calls, command)
        _keep(options.costs, "searches", found)
        _keep(options.costs, "memory", await plan_costs.memory(options.memory_sizes, command))


def _keep(path: Path, part: str, found: BaseModel) -> None:
    costs = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    costs[part] = found.model_dump(mode="json")
    path.write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")


async def check(options: argparse.Namespace, costs: Costs) -> Checks:
    """Measures what the costs foretell."""
    found = Checks(cores=costs.searches.cores)
    fresh = iter(cold(judged(), _SEED))
    ways: tuple[tuple[dict[str, str], tuple[Reasons, ...]], ...] = (
        (plan_searches.WHOLE_ANSWERS, ("off", "model")),
        (plan_searches.TEMPLATES, ("template",)),
    )
    for number, (variables, kinds) in enumerate(ways):
        async with plan_searches.filled(options.home, options.products, variables) as suite:
            found.products = await plan_searches.product_count(suite)
            if not number:
                found.measured_mib = await plan_costs.at_rest(suite)
            # As when costs are measured: what a start leaves to be done is no part of a search.
            await plan_searches.ask_few(suite)
            await plan_searches.idle_cores(suite)
            for reasons in kinds:
                for repeated in (False, True):
                    for clients in CLIENTS:
                        rate = await _rate(
                            suite,
                            costs,
                            reasons,
                            fresh,
                            repeated=repeated,
                            clients=clients,
                            seconds=options.seconds,
                        )
                        found.rates.append(rate)
                        say(f"{rate.name}: foretold {rate.foretold:.1f}, {rate.measured:.1f}")
    found.foretold_mib = {
        name: affine({s.products: s.resident_mib[name] for s in costs.memory.sizes}).at(
            found.products
        )
        for name in found.measured_mib
    }
    return found


async def _rate(
    suite: PrivateSuite,
    costs: Costs,
    reasons: Reasons,
    fresh: Iterator[str],
    *,
    repeated: bool,
    clients: int,
    seconds: float,
) -> Rate:
    target = suite.targets.orchestrator
    kind = costs.searches.kind(reasons, "en", page_size=PAGE, repeated=repeated)
    # New ones each time: what one load has the services keep would help the next.
    queries = warm(judged()) if repeated else list(islice(fresh, plan_searches.TOGETHER))
    if repeated:  # what is kept is kept before it is measured
        async with grpc.aio.insecure_channel(target) as channel:
            for send, _ in zip(calls_of(queries, reasons, PAGE), queries, strict=False):
                await send(channel, DEADLINE)
    cpu, run = await ask_together(
        target, Meter(suite), queries, seconds, reasons=reasons, page_size=PAGE, clients=clients
    )
    spent = sum(cpu.values())
    return Rate(
        reasons=reasons,
        repeated=repeated,
        clients=clients,
        foretold=foretold(kind, clients, costs.searches.cores),
        measured=run.goodput,
        whole_share=run.share("whole"),
        foretold_ms=sum(kind.cpu_ms.values()),
        measured_ms=spent,
        got=spent * run.calls / 1e3 / run.seconds / costs.searches.cores,
    )


def foretold(kind: SearchCosts, clients: int, cores: int) -> float:
    """Returns the answers a second that costs foretell, measured with another number of clients."""
    alone = mean(kind.latency_ms["whole"])
    others = clients - 1
    delay = delay_ms(kind.cpu_ms, kind.clients, cores, kind.rate, alone_ms=alone, others=others)
    return answers_per_second(kind.cpu_ms, clients, cores, delay)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measure", action="store_true", help="measure the costs anew")
    parser.add_argument("--curve", type=Path, help="folder of benchmarks.cost_curve")
    parser.add_argument("--home", type=Path, help="folder of the suite, kept")
    parser.add_argument("--costs", type=Path, default=COSTS, help="the file of the costs")
    parser.add_argument("--products", type=int, default=EVERY, help="of icecat, the judged first")
    parser.add_argument("--calls", type=int, default=200, help="searches of each kind")
    parser.add_argument("--memory-sizes", type=int, nargs="+", default=MEMORY_SIZES)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load that is checked")
    parser.add_argument("--no-write", action="store_true", help="print the section only")
    options = parser.parse_args(argv)
    if options.home is None and (options.measure or not options.curve):
        parser.error("--home FOLDER is needed for a suite of its own")
    if options.measure or options.curve:
        asyncio.run(measure(options))
        return 0
    costs = read_costs(options.costs)
    body = section(COMMAND, costs, asyncio.run(check(options, costs)))
    print(body)
    if not options.no_write:
        report.update_section("plan_check", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
