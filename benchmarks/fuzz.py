"""Fuzzes every RPC of a suite: `python -m benchmarks.fuzz --examples 10000`.

The calls are those of `tests/fuzz`: half random messages, half mutations of valid ones, all from
the descriptors. Every answer is held against what must hold of any (tests/fuzz/oracle.py), and what
services log meanwhile must tell of no fault. A suite of its own with the bundled catalogue is
started for it. RPCs take turns, and a run goes on where the last one stopped: the calls of an RPC
are numbered and the same in every run, and what became of them is kept beside this file.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks import report
from benchmarks.fuzz_suite import faults_logged, running_suite
from shared.suite import PortPlan
from shared.suite.ports import ALL
from shared.suite.probe import service_health
from tests.fuzz import seeds
from tests.fuzz.cases import Case, Start, make_case
from tests.fuzz.client import Client, Outcome
from tests.fuzz.methods import Method, all_methods
from tests.fuzz.oracle import problems

COMMAND: Final = "python -m benchmarks.fuzz"
STATE: Final = report.ROOT / "benchmarks" / "fuzz.json"
FAULTS: Final = report.ROOT / ".wherefore" / "fuzz_faults.log"
CALLERS: Final = 4
CHUNK: Final = 100
TURN: Final = 1_000
TURN_SECONDS: Final = 30.0
"""Calls of an RPC until it is the next one's turn, or time: a run cut short has seen them all."""
KEPT: Final = 20
"""Most problems that are kept of one method, with their requests."""
EXAMPLES: Final = """examples:
  python -m benchmarks.fuzz --examples 10000            every RPC; goes on where it stopped
  python -m benchmarks.fuzz --minutes 30                as many as that; the next run goes on
  python -m benchmarks.fuzz --examples 500 --only Search --fresh --no-write
  python -m benchmarks.fuzz --only retrieval --running  the suite at the documented ports
"""


@dataclass(slots=True)
class Tally:
    """What the calls of one method came to."""

    done: int = 0
    codes: Counter[str] = field(default_factory=Counter[str])
    slowest_ms: float = 0.0
    problem_count: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def add(self, index: int, case: Case, outcome: Outcome) -> None:
        """Counts one call and checks its answer."""
        self.done += 1
        self.codes[outcome.code.name] += 1
        self.slowest_ms = max(self.slowest_ms, outcome.seconds * 1e3)
        found = problems(case, outcome)
        self.problem_count += bool(found)
        if found and len(self.problems) < KEPT:
            requests = [raw.hex()[:1_000] for raw in case.requests[:2]]
            about = {"metadata": repr(case.metadata), "timeout": case.timeout}
            told = {"index": index, "code": outcome.code.name, "problems": found}
            told |= {"requests": requests}
            self.problems.append(told | about)

    def mend(self, problem: dict[str, Any], outcome: Outcome) -> None:
        """Takes back a problem that is none any more."""
        self.problems.remove(problem)
        self.problem_count -= 1
        self.codes[problem["code"]] -= 1
        self.codes[outcome.code.name] += 1


class Ledger:
    """What is done so far, kept in a file."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self._path = path
        self.tallies: dict[str, Tally] = {}
        if path.exists() and not fresh:
            for name, raw in json.loads(path.read_text(encoding="utf-8")).items():
                self.tallies[name] = Tally(**{**raw, "codes": Counter(raw["codes"])})

    def of(self, method: Method) -> Tally:
        """Returns the tally of a method."""
        return self.tallies.setdefault(method.short, Tally())

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".part")
        kept = {
            name: {part.name: getattr(tally, part.name) for part in fields(tally)}
            for name, tally in self.tallies.items()
        }
        new.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(self._path)


def fuzz(
    client: Client,
    method: Method,
    tally: Tally,
    examples: int,
    start: Start,
) -> Iterator[int]:
    """Calls a method until it has been called so often, or its turn is over.

    Yields how many calls more after each chunk.
    """

    def call(index: int) -> tuple[int, Case, Outcome]:
        case = make_case(chance_of(method, index), method, start)
        return index, case, client.call(case)

    with ThreadPoolExecutor(CALLERS) as pool:
        until = time.monotonic() + TURN_SECONDS
        while tally.done < examples and time.monotonic() < until:
            indices = range(tally.done, min(examples, tally.done + CHUNK))
            for index, case, outcome in list(pool.map(call, indices)):
                tally.add(index, case, outcome)
            yield len(indices)


def ask_again(client: Client, method: Method, tally: Tally, start: Start) -> None:
    """Makes the calls that had a problem anew, as faults are mended and machines have bad days."""
    for problem in list(tally.problems):
        case = make_case(chance_of(method, problem["index"]), method, start)
        outcome = client.call(case)
        if not problems(case, outcome):
            tally.mend(problem, outcome)


def chance_of(method: Method, index: int) -> Random:
    """Returns what the call of that number is made of, the same in every run."""
    return Random(f"{method.path} {index}")  # noqa: S311 - no secret


def unhealthy(targets: Mapping[str, str]) -> list[str]:
    """Returns the processes that do not say SERVING."""
    ports = {name: int(target.rpartition(":")[2]) for name, target in targets.items()}
    return [name for name, port in ports.items() if service_health(port, timeout=5.0) != "SERVING"]


def run(options: argparse.Namespace, ledger: Ledger, targets: Mapping[str, str]) -> list[str]:
    """Fuzzes what was asked for; returns the processes that are not healthy afterwards."""
    from rich.progress import Progress

    methods = [
        method
        for method in all_methods()
        if options.only in method.short and not (options.skip and options.skip in method.short)
    ]
    suite = seeds.Suite(targets)
    with Client(dict(targets)) as client, Progress(disable=not sys.stderr.isatty()) as bar:
        total = bar.add_task("all RPCs", total=options.examples * len(methods))
        bar.advance(total, sum(min(ledger.of(one).done, options.examples) for one in methods))
        for method in methods:
            if ledger.of(method).problems:
                ask_again(client, method, ledger.of(method), seeds.start(suite, method))
        ledger.save()
        until = time.monotonic() + 60 * options.minutes
        while left := [one for one in methods if ledger.of(one).done < options.examples]:
            for method in left:
                if time.monotonic() > until:
                    return unhealthy(targets)
                tally = ledger.of(method)
                before, begun = tally.done, time.perf_counter()
                goal = min(options.examples, before + TURN)
                for more in fuzz(client, method, tally, goal, seeds.start(suite, method)):
                    bar.advance(total, more)
                    ledger.save()
                rate = (tally.done - before) / (time.perf_counter() - begun)
                print(f"{method.short}: {tally.done} calls, {tally.problem_count} with a problem, "
                      f"{rate:.0f} a second", file=sys.stderr, flush=True)  # fmt: skip
    return unhealthy(targets)


def section(ledger: Ledger, examples: int, sick: Sequence[str], logged: Mapping[str, int]) -> str:
    """The section of RESULTS.md."""
    codes = [
        *("OK", "INVALID_ARGUMENT", "NOT_FOUND", "ABORTED", "FAILED_PRECONDITION"),
        *("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"),
    ]
    rows = [
        [
            f"`{name}`",
            f"{tally.done:,}",
            *(f"{tally.codes[code]:,}" for code in codes),
            f"{sum(count for code, count in tally.codes.items() if code not in codes):,}",
            f"{tally.problem_count:,}",
            f"{tally.slowest_ms:.0f}",
        ]
        for name, tally in sorted(ledger.tallies.items())
    ]
    calls = sum(tally.done for tally in ledger.tallies.values())
    bad = sum(tally.problem_count for tally in ledger.tallies.values())
    health = "After the last run all services were healthy" if not sick else f"Not healthy: {sick}"
    faults = f"faults logged: {dict(logged)}" if logged else "and had logged no fault"
    return "\n".join(
        [
            "## Fuzzing of every RPC",
            "",
            report.provenance(f"{COMMAND} --examples {examples}", "the bundled catalogue"),
            f"{calls:,} calls of {len(rows)} RPCs: half random messages, half mutations of valid "
            "ones, of both 13 % changed on the wire (broken bytes, wrong types, unknown fields, "
            "deep nesting, no UTF-8), 8 % with metadata that nobody should send, 2 % with too "
            "little time, streams of up to 1,200 messages. A problem is any other code (UNKNOWN, "
            "INTERNAL, UNAVAILABLE, 20 s without an answer), an INVALID_ARGUMENT that names no "
            "field of the request, a text that shows internals, a number that is none, or less in "
            "an OK than "
            f"the contract says: {bad:,} of them. {health}, {faults}. The calls are those of all "
            "runs up to this revision, and the machine had other work.",
            "",
            report.table(("RPC", "calls", *codes, "other", "problems", "slowest ms"), rows),
        ]
    )


def main() -> int:
    """Run it; the exit code is 1 where something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=10_000, help="calls of each RPC")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--only", default="", help="RPCs whose name holds this text")
    parser.add_argument("--skip", default="", help="RPCs to leave out, likewise")
    parser.add_argument("--running", action="store_true", help="fuzz the suite that runs already")
    parser.add_argument("--fresh", action="store_true", help="forget what was done before")
    parser.add_argument("--state", type=Path, default=STATE, help="file of what is done")
    parser.add_argument("--no-write", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args()
    ledger = Ledger(options.state, fresh=options.fresh)
    logged: Mapping[str, int] = {}
    with ExitStack() as stack:
        if options.running:
            ports = PortPlan.fixed()
            targets = {name: f"127.0.0.1:{getattr(ports, name)}" for name in ALL}
            sick = run(options, ledger, targets)
        else:
            suite = stack.enter_context(running_suite())
            sick = run(options, ledger, {name: suite.target(name) for name in ALL})
            logged = faults_logged(suite.home, FAULTS)
    ledger.save()
    body = section(ledger, options.examples, sick, logged)
    print(body)
    bad = {name: tally for name, tally in ledger.tallies.items() if tally.problem_count}
    for name, tally in bad.items():
        for found in tally.problems:
            print(f"{name} #{found['index']}: {found['problems']}", file=sys.stderr)
    if not (options.no_write or options.only or options.skip or options.running):
        report.update_section("fuzz", body)
    return 1 if bad or sick or logged else 0


if __name__ == "__main__":
    sys.exit(main())
