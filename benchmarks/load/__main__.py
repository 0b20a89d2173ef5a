"""Load on a suite: `python -m benchmarks.load --help`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from cyclopts import App

from benchmarks import plots, report
from benchmarks.data import icecat
from benchmarks.load import sections
from benchmarks.load.calls import Material, calls, material
from benchmarks.load.loops import Arrivals, closed_loop, open_loop
from benchmarks.load.measured import Measured
from benchmarks.load.overload import SEARCH, Overload, overload
from benchmarks.load.queries import cold, judged, warm
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite

COMMAND: Final = "python -m benchmarks.load"
CLIENTS: Final = (1, 2, 4, 8, 16, 32, 64)
DATA: Final = "icecat"
NEW: Final = "every query new"

HELP: Final = """Put load on a suite, one of its own with icecat in it, or one that runs."""
EXAMPLES: Final = """Examples:

  python -m benchmarks.load clients --home /var/tmp/icecat
  python -m benchmarks.load overload --home /var/tmp/icecat --deadline 1
  python -m benchmarks.load mix --rate 40 --mix.search 6 --mix.event 3 --mix.recommend 1
  python -m benchmarks.load mix --clients 16 --mix.completion 1 --target shop.example:7700
"""

app = App(name=COMMAND, help=HELP, help_epilogue=EXAMPLES, help_format="plaintext")


def say(line: str) -> None:
    """Tells of progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


@asynccontextmanager
async def running(target: str | None, home: Path | None) -> AsyncGenerator[str]:
    """The suite at a target, or one of its own with icecat in it; yields its address."""
    if target:
        yield target
        return
    async with private_suite(home) as own:
        address = own.targets.orchestrator
        async with connect(address, retry=False) as channel:
            await import_whole(channel, icecat().catalogue, "icecat", target=address)
        yield address


@app.command(name="clients")
def clients_(
    *,
    seconds: float = 10.0,
    deadline: float = 10.0,
    most: int = CLIENTS[-1],
    target: str | None = None,
    home: Path | None = None,
    write: bool = True,
) -> None:
    """Search in a closed loop from 1 to 64 clients, with cold and with warm caches.

    Args:
        seconds: Of each number of clients.
        deadline: Seconds within which an answer is wanted.
        most: Most clients.
        target: HOST:PORT of a suite that holds icecat already; one of its own when not given.
        home: Folder for the data of its own suite, kept for the next run.
        write: Whether to write the section of RESULTS.md and the plot.
    """
    counts = [count for count in CLIENTS if count <= most]
    runs = asyncio.run(_clients(target, home, counts, seconds, deadline))
    body = sections.clients_section(f"{COMMAND} clients", DATA, runs, seconds, deadline)
    print(body)
    if write:
        plots.lines(
            {
                f"{name}, p{q:g}": (
                    [load.offered for load in loads],
                    [load.answered.milliseconds(q) for load in loads],
                )
                for name, loads in runs.items()
                for q in (50.0, 99.0)
            },
            ("clients", "milliseconds"),
            report.PLOTS / "load_clients.svg",
        )
        report.update_section("load_clients", body)


async def _clients(
    target: str | None, home: Path | None, counts: Sequence[int], seconds: float, deadline: float
) -> dict[str, list[Measured]]:
    queries = judged()
    few = warm(queries)
    # What goes before each load fills the caches where they are to be warm, and the models' own.
    sources = {
        NEW: lambda seed: cold(queries, seed),
        f"{len(few)} queries over and over": lambda _: few,
    }
    runs: dict[str, list[Measured]] = {name: [] for name in sources}
    async with running(target, home) as address:
        for name, source in sources.items():
            for count in counts:
                for seed, clients, length in ((-count, 4, 2.0), (count, count, seconds)):
                    load = await closed_loop(
                        address,
                        calls(SEARCH, Material(source(seed), ()), seed),
                        clients=clients,
                        seconds=length,
                        deadline=deadline,
                    )
                runs[name].append(load)
                say(f"{name}, {count} clients: {load.throughput:.1f} answers a second")
    return runs


@app.command(name="overload")
def overload_(
    *,
    seconds: float = 15.0,
    deadline: float = 1.0,
    target: str | None = None,
    home: Path | None = None,
    write: bool = True,
) -> None:
    """Search in an open loop from a quarter of the capacity to three times it.

    Args:
        seconds: Of each load.
        deadline: Seconds within which an answer is wanted.
        target: HOST:PORT of a suite that holds icecat already; one of its own when not given.
        home: Folder for the data of its own suite, kept for the next run.
        write: Whether to write the section of RESULTS.md and the plot.
    """

    async def measure() -> Overload:
        async with running(target, home) as address:
            return await overload(address, judged(), seconds=seconds, deadline=deadline, tell=say)

    run = asyncio.run(measure())
    body = sections.overload_section(f"{COMMAND} overload", DATA, run)
    print(body)
    if write:
        _plot(run)
        report.update_section("load_overload", body)


@app.command(name="mix")
def mix_(
    *,
    mix: dict[str, float] | None = None,
    rate: float = 0.0,
    clients: int = 0,
    seconds: float = 30.0,
    deadline: float = 2.0,
    arrivals: Arrivals = "poisson",
    target: str | None = None,
    home: Path | None = None,
) -> None:
    """Send a mix of calls, in an open loop at a rate or in a closed loop of clients.

    Args:
        mix: Weight of search, recommend, event or completion; search alone by default.
        rate: Calls a second of an open loop.
        clients: Clients of a closed loop; give this or the rate.
        seconds: How long.
        deadline: Seconds within which an answer is wanted.
        arrivals: Independent callers ("poisson") or equal gaps ("fixed").
        target: HOST:PORT of a suite that holds icecat already; one of its own when not given.
        home: Folder for the data of its own suite, kept for the next run.
    """
    if bool(rate > 0) == bool(clients > 0):
        raise SystemExit("give either --rate or --clients")
    load = asyncio.run(
        _mix(mix or SEARCH, rate, clients, seconds, deadline, arrivals, target, home)
    )
    print(sections.table("offered", {f"{load.offered:g}": load}))


async def _mix(  # noqa: PLR0917 - those of the command
    mix: Mapping[str, float],
    rate: float,
    clients: int,
    seconds: float,
    deadline: float,
    arrivals: Arrivals,
    target: str | None,
    home: Path | None,
) -> Measured:
    async with running(target, home) as address:
        stuff = await material(address, cold(judged(), 1))
        sent = calls(mix, stuff, 1)
        if clients:
            return await closed_loop(
                address, sent, clients=clients, seconds=seconds, deadline=deadline
            )
        return await open_loop(
            address, sent, rate=rate, seconds=seconds, deadline=deadline, arrivals=arrivals
        )


def _plot(run: Overload) -> None:
    offered = [load.offered for load in run.loads.values()]
    series = {
        f"p{q:g} of answers, ms": [load.answered.milliseconds(q) for load in run.loads.values()]
        for q in (50.0, 99.0)
    }
    series["whole answers a second, ×10"] = [load.goodput * 10 for load in run.loads.values()]
    plots.lines(
        {name: (offered, heights) for name, heights in series.items()},
        ("calls offered a second", "milliseconds"),
        report.PLOTS / "load_overload.svg",
    )


if __name__ == "__main__":
    app()
