"""Load on a suite: `python -m benchmarks.load --help`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import Any, Final, TypeVar

from cyclopts import App

from benchmarks import report
from benchmarks.load import overhead as overheads
from benchmarks.load import pictures, sections
from benchmarks.load.calls import Material, calls, material
from benchmarks.load.loops import Arrivals, closed_loop, open_loop
from benchmarks.load.measured import Measured
from benchmarks.load.overhead import Overhead
from benchmarks.load.overload import FACTORS, SEARCH, Overload, overload
from benchmarks.load.queries import cold, warm
from benchmarks.load.soak import Soak, SoakCutShortError, soak
from benchmarks.load.subject import Load, Subject

COMMAND: Final = "python -m benchmarks.load"
CLIENTS: Final = (1, 2, 4, 8, 16, 32, 64)
NEW: Final = "every query new"
FOLLOWS: Final = "the limit follows the machine"
FIXED: Final = "a fixed limit of 64 calls"
_FIXED_LIMIT: Final = {"WHEREFORE_ORCHESTRATOR_LATENCY_TARGET_SECONDS": "0"}
_QUICK_FACTORS: Final = (0.5, 3.0)
_QUICK_CLIENTS: Final = 2
_QUICK_SEARCHES: Final = 20
_WARM_UP_SEARCHES: Final = 60
_OWN: Final = Load()
_T = TypeVar("_T")

HELP: Final = """Put load on a suite, one of its own with icecat in it, or one that runs.

Each command writes its section of benchmarks/RESULTS.md."""
EXAMPLES: Final = """Examples:

  python -m benchmarks.load acceptance --home /var/tmp/icecat
  python -m benchmarks.load overload --home /var/tmp/icecat --deadline 1 --both
  python -m benchmarks.load soak --home /var/tmp/icecat --minutes 20
  python -m benchmarks.load mix --rate 40 --mix.search 6 --mix.event 3 --mix.recommend 1
  python -m benchmarks.load mix --clients 16 --mix.completion 1 --target shop.example:7700
  python -m benchmarks.load clients --quick
"""

app = App(name=COMMAND, help=HELP, help_epilogue=EXAMPLES, help_format="plaintext")


def say(line: str) -> None:
    """Tells of progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


@app.command(name="acceptance")
def acceptance_(*, seconds: float = 8.0, load: Load = _OWN) -> None:
    """Search from 1 to 64 clients, what orchestration costs, and overload, within ten minutes.

    Args:
        seconds: Of each row.
        load: Which suite.
    """

    async def measure() -> tuple[dict[str, list[Measured]], Overhead, Overload]:
        async with load.running() as subject:
            return (
                await _clients(load, subject, CLIENTS[-1], seconds, 10.0),
                await _overhead(load, subject, 300),
                await _overload(load, subject, seconds, 1.0),
            )

    runs, cost, most = _run(measure())
    command = f"{COMMAND} acceptance"
    _tell(load, "load_clients", sections.clients_section(command, load.data, runs, 10.0))
    _tell(load, "load_overhead", sections.overhead_section(command, load.data, cost))
    _tell(load, "load_overload", sections.overload_section(command, load.data, {FOLLOWS: most}))
    if load.written:
        pictures.clients(runs)
        pictures.overload({FOLLOWS: most})


@app.command(name="clients")
def clients_(
    *, seconds: float = 10.0, deadline: float = 10.0, most: int = CLIENTS[-1], load: Load = _OWN
) -> None:
    """Search in a closed loop from 1 to 64 clients, with cold and with warm caches.

    Args:
        seconds: Of each number of clients.
        deadline: Seconds within which an answer is wanted.
        most: Most clients.
        load: Which suite.
    """

    async def measure() -> dict[str, list[Measured]]:
        async with load.running() as subject:
            return await _clients(load, subject, most, seconds, deadline)

    runs = _run(measure())
    body = sections.clients_section(f"{COMMAND} clients", load.data, runs, deadline)
    _tell(load, "load_clients", body)
    if load.written:
        pictures.clients(runs)


async def _clients(
    load: Load, subject: Subject, most: int, seconds: float, deadline: float
) -> dict[str, list[Measured]]:
    queries = load.queries()
    few = warm(queries)
    # What goes before each load fills the caches where they are to be warm, and the models' own.
    sources = {
        NEW: lambda seed: cold(queries, seed),
        f"{len(few)} queries over and over": lambda _: few,
    }
    runs: dict[str, list[Measured]] = {name: [] for name in sources}
    for name, source in sources.items():
        for count in (n for n in CLIENTS if n <= (_QUICK_CLIENTS if load.quick else most)):
            for seed, clients, length in ((-count, 4, 1.5), (count, count, load.seconds(seconds))):
                measured = await closed_loop(
                    subject.target,
                    calls(SEARCH, Material(source(seed), ()), seed),
                    clients=clients,
                    seconds=length,
                    deadline=deadline,
                )
            runs[name].append(measured)
            say(f"{name}, {count} clients: {measured.goodput:.1f} answers a second")
    return runs


@app.command(name="overhead")
def overhead_(*, searches: int = 500, load: Load = _OWN) -> None:
    """Search one query after the other: what an answer takes beyond its stages.

    Args:
        searches: How many.
        load: Which suite.
    """

    async def measure() -> Overhead:
        async with load.running() as subject:
            return await _overhead(load, subject, searches)

    body = sections.overhead_section(f"{COMMAND} overhead", load.data, _run(measure()))
    _tell(load, "load_overhead", body)


async def _overhead(load: Load, subject: Subject, searches: int) -> Overhead:
    wanted = _QUICK_SEARCHES if load.quick else searches + _WARM_UP_SEARCHES
    sent = cold(load.queries(), 7)[:wanted]
    return await overheads.measure(subject.target, sent, min(_WARM_UP_SEARCHES, wanted // 2))


@app.command(name="overload")
def overload_(
    *, seconds: float = 15.0, deadline: float = 1.0, both: bool = False, load: Load = _OWN
) -> None:
    """Search in an open loop from a quarter of the capacity to three times it.

    Args:
        seconds: Of each load.
        deadline: Seconds within which an answer is wanted.
        both: Whether to measure with a fixed limit as well, where the suite is its own.
        load: Which suite.
    """
    ways: dict[str, Mapping[str, str]] = {FOLLOWS: {}}
    if both and not load.target:
        ways[FIXED] = _FIXED_LIMIT

    async def measure() -> dict[str, Overload]:
        runs: dict[str, Overload] = {}
        for name, variables in ways.items():
            say(f"{name}:")
            async with load.running(variables, again=bool(runs)) as subject:
                runs[name] = await _overload(load, subject, seconds, deadline)
        return runs

    runs = _run(measure())
    body = sections.overload_section(f"{COMMAND} overload", load.data, runs)
    _tell(load, "load_overload", body)
    if load.written:
        pictures.overload(runs)


async def _overload(load: Load, subject: Subject, seconds: float, deadline: float) -> Overload:
    return await overload(
        subject.target,
        load.queries(),
        seconds=load.seconds(seconds),
        deadline=deadline,
        factors=_QUICK_FACTORS if load.quick else FACTORS,
        tell=say,
    )


@app.command(name="mix")
def mix_(
    *,
    mix: dict[str, float] | None = None,
    rate: float = 0.0,
    clients: int = 0,
    seconds: float = 30.0,
    deadline: float = 2.0,
    arrivals: Arrivals = "poisson",
    load: Load = _OWN,
) -> None:
    """Send a mix of calls, in an open loop at a rate or in a closed loop of clients.

    Args:
        mix: Weight of search, recommend, event or completion; search alone by default.
        rate: Calls a second of an open loop.
        clients: Clients of a closed loop; give this or the rate.
        seconds: How long.
        deadline: Seconds within which an answer is wanted.
        arrivals: Independent callers ("poisson") or equal gaps ("fixed").
        load: Which suite.
    """
    if bool(rate > 0) == bool(clients > 0):
        raise SystemExit("give either --rate or --clients")
    chosen = mix or SEARCH
    length = load.seconds(seconds)

    async def measure() -> Measured:
        async with load.running() as subject:
            target = subject.target
            sent = calls(chosen, await material(target, cold(load.queries(), 1)), 1)
            if clients:
                return await closed_loop(
                    target, sent, clients=clients, seconds=length, deadline=deadline
                )
            return await open_loop(
                target, sent, rate=rate, seconds=length, deadline=deadline, arrivals=arrivals
            )

    body = sections.mix_section(f"{COMMAND} mix", load.data, chosen, _run(measure()))
    _tell(load, "load_mix", body)


@app.command(name="soak")
def soak_(
    *,
    minutes: float = 20.0,
    rate: float = 20.0,
    deadline: float = 2.0,
    every: float = 5.0,
    load: Load = _OWN,
) -> None:
    """Put a suite of its own under an even mix of calls for long: does its memory grow?

    Args:
        minutes: How long.
        rate: Calls a second; well below what the machine can do.
        deadline: Seconds within which an answer is wanted.
        every: Seconds between readings of memory.
        load: Which suite.
    """

    async def measure() -> Soak:
        async with load.running() as subject:
            if subject.resident_mib is None:
                raise SystemExit("a soak needs a suite of its own")
            try:
                return await soak(
                    subject.target,
                    subject.resident_mib,
                    await material(subject.target, cold(load.queries(), 1)),
                    rate=rate,
                    seconds=minutes * 60,
                    deadline=deadline,
                    every=every,
                )
            except SoakCutShortError as error:
                raise SystemExit(str(error)) from error

    run = _run(measure())
    _tell(load, "load_soak", sections.soak_section(f"{COMMAND} soak", load.data, run))
    if load.written:
        pictures.soak(run)


def _tell(load: Load, name: str, body: str) -> None:
    print(body)
    if load.written:
        report.update_section(name, body)


def _run(measuring: Coroutine[Any, Any, _T]) -> _T:
    """Runs on the quickest loop there is: the generator is to take little of the machine."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(measuring)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measuring)


if __name__ == "__main__":
    app()
