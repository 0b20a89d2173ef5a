"""Latency and throughput of Parse, through gRPC and Triton: `python -m benchmarks.nlu_latency`.

Starts an nlu service and Triton of its own and sends real queries, each once, so that no cache
answers. The same run measures the served model, the same without dynamic batching, and fp32.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import grpc.aio

from benchmarks import report
from benchmarks.data import shopping_queries
from benchmarks.load import by_stage
from benchmarks.load.by_stage import Ask, Load
from benchmarks.model_variants import (
    FULL,
    SERVED,
    UNBATCHED,
    VARIANTS,
    Variant,
    load_variant,
    make_graphs,
)
from benchmarks.nlu_passes import BATCHES, measure_passes
from shared.cli.connection import connect
from shared.cli.private_suite import PrivateSuite, private_suite
from shared.inference.settings import QUERY_MODELS, VECTOR_MODEL
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

LANGUAGES = ("en", "zh")
CLIENTS = 16
WARM_UP = 40
SINGLE = {SERVED: 1_000, UNBATCHED: 200, FULL: 200}
"""Requests of a single client, by variant; the served one is what is promised."""
MANY = 500
"""Requests of all clients together."""
SETTLING_SECONDS = 30


@dataclass(slots=True)
class Measured:
    """One variant of one model."""

    language: str
    variant: Variant
    single: Load
    many: Load
    cpu: Mapping[str, float]
    """Processor milliseconds a query under load, by process; "clients" is this one."""


def models_of(language: str) -> tuple[str, ...]:
    """Models that a query of a language goes to: one reads it, one makes its vector."""
    if language not in QUERY_MODELS:
        raise SystemExit(f"no model reads queries in {language!r}")
    return tuple(dict.fromkeys((QUERY_MODELS[language], VECTOR_MODEL)))


def asker(language: str) -> Callable[[grpc.aio.Channel], Ask]:
    """What sends a query of a language on a channel."""

    def make(channel: grpc.aio.Channel) -> Ask:
        stub = NluServiceStub(channel)
        return lambda query: stub.Parse(
            ParseRequest(query=query, language_code=language), timeout=10
        )

    return make


async def settle(target: str, language: str) -> None:
    """Return once the NLU has noticed that its models are there again."""
    async with connect(target) as channel:
        ask = asker(language)(channel)
        for _ in range(int(SETTLING_SECONDS / 0.2)):
            response = await ask("pen")
            if not response.degraded:
                return
            await asyncio.sleep(0.2)
    raise SystemExit(f"the {language} models did not come back within {SETTLING_SECONDS} s")


async def measure_variant(
    suite: PrivateSuite, language: str, variant: Variant, queries: Iterator[str]
) -> Measured:
    """Load a variant, then ask with one client and with many."""
    for model in models_of(language):
        await load_variant(suite.triton_target, model, variant)
    target, ask = suite.targets.nlu, asker(language)
    await settle(target, language)

    async def run(clients: int, count: int) -> Load:
        sent = list(islice(queries, count))
        if len(sent) < count:
            raise SystemExit(f"too few {language} queries")
        return await by_stage.run_load(target, clients, sent, ask, ())

    await run(1, WARM_UP)
    single = await run(1, SINGLE[variant])
    await run(CLIENTS, WARM_UP)
    before, own = suite.cpu_seconds(), time.process_time()
    many = await run(CLIENTS, MANY)
    after, own = suite.cpu_seconds(), time.process_time() - own
    spent = {name: after[name] - before[name] for name in before if name in after} | {
        "clients": own
    }
    return Measured(
        language,
        variant,
        single,
        many,
        {name: seconds * 1e3 / MANY for name, seconds in spent.items()},
    )


async def measure(languages: Sequence[str]) -> list[Measured]:
    """Measure every variant of every language."""
    queries = shopping_queries()
    found: list[Measured] = []
    async with private_suite(services=("nlu",)) as suite:
        if not suite.has_triton:
            raise SystemExit("Triton cannot start here, and it is what is measured")
        for language in languages:
            unused = iter(queries[language])
            for variant in VARIANTS:
                _say(f"{language}: {variant.name}")
                found.append(await measure_variant(suite, language, variant, unused))
    return found


def section(
    measured: Sequence[Measured], passes: Mapping[tuple[str, str], Mapping[int, float]]
) -> str:
    """The section of RESULTS.md."""
    latency = [
        [
            f"{item.language}: {item.variant.name}",
            f"{len(item.single.milliseconds):,}",
            *(f"{item.single.percentile(q):.1f}" for q in (50, 95, 99)),
            f"{item.many.throughput:.0f}",
            f"{item.many.percentile(50):.1f}",
            f"{item.many.percentile(99):.1f}",
            str(_lost(item)),
        ]
        for item in measured
    ]
    processes = sorted({name for item in measured for name in item.cpu})
    cpu = [
        [
            f"{item.language}: {item.variant.name}",
            *(f"{item.cpu.get(name, 0.0):.2f}" for name in processes),
            f"{sum(item.cpu.values()) * item.many.throughput / 1e3:.2f}",
        ]
        for item in measured
    ]
    forward = [
        [
            f"{language}: {'int8' if graph == SERVED.graph else 'fp32'}",
            *(f"{by_size[size]:.2f}" for size in BATCHES),
            f"{by_size[BATCHES[0]] / by_size[BATCHES[-1]]:.2f}",
        ]
        for (language, graph), by_size in passes.items()
    ]
    return "\n".join(
        [
            "## Latency of Parse",
            "",
            report.provenance(
                "python -m benchmarks.nlu_latency", "real queries of `queries/`, each sent once"
            ),
            f"Through gRPC and Triton, vector included; {MANY} requests of {CLIENTS} clients in a "
            "closed loop on the same machine as service and Triton.",
            "",
            report.table(
                (
                    "language and model",
                    "requests, 1 client",
                    "p50 ms",
                    "p95 ms",
                    "p99 ms",
                    f"answers/s, {CLIENTS} clients",
                    "p50 ms",
                    "p99 ms",
                    "degraded or failed",
                ),
                latency,
            ),
            "",
            *ratios(measured, passes),
            "",
            f"Where the processors' time goes with {CLIENTS} clients, milliseconds a query, and "
            "how many cores were busy:",
            "",
            report.table(("language and model", *processes, "cores busy"), cpu),
            "",
            "The forward pass alone, in process, milliseconds a query by batch size, and what "
            "batching can gain at most:",
            "",
            report.table(
                ("language and model", *(f"batch {size}" for size in BATCHES), "1 to 16"), forward
            ),
        ]
    )


def ratios(
    measured: Sequence[Measured], passes: Mapping[tuple[str, str], Mapping[int, float]]
) -> Iterator[str]:
    """What is promised, in words, with the reason where it is not kept."""
    by = {(item.language, item.variant): item for item in measured}
    for language in dict.fromkeys(item.language for item in measured):
        served, alone = by[language, SERVED], by[language, UNBATCHED]
        gain = served.many.throughput / alone.many.throughput
        fast, slow = passes[language, SERVED.graph], passes[language, FULL.graph]
        most = fast[BATCHES[0]] / fast[BATCHES[-1]]
        yield (
            f"- {language}: dynamic batching answers {gain:.2f} times as many queries as batch "
            f"size 1 without it; int8 is {slow[1] / fast[1]:.2f} times as fast as fp32 at batch 1 "
            f"and {slow[16] / fast[16]:.2f} times at batch 16."
        )
        if gain < 3:
            model = served.cpu.get("triton", 0.0)
            total = sum(served.cpu.values())
            yield (
                f"  Three times is beyond these processors: batching makes the pass alone "
                f"{most:.2f} times as fast a query, and of the {total:.1f} ms of processor time "
                f"that a query takes, {total - model:.1f} ms are not Triton's, with "
                f"{total * served.many.throughput / 1e3:.1f} cores busy."
            )


def _lost(item: Measured) -> int:
    loads = (item.single, item.many)
    return sum(sum(one.degraded.values()) + sum(one.errors.values()) for one in loads)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    queries = shopping_queries()
    make_graphs([model for language in options.languages for model in models_of(language)])
    measured = asyncio.run(measure(options.languages))
    passes = {
        (language, graph): measure_passes(language, graph, queries[language][-500:])
        for language in options.languages
        for graph in (SERVED.graph, FULL.graph)
    }
    body = section(measured, passes)
    print(body)
    if not options.no_write:
        report.update_section("nlu-latency", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
