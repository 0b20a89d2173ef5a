"""How long reasons take, and their first text: `python -m benchmarks.reason_latency`.

A suite of its own with the bundled catalogue is asked for candidates of its queries, English and
Chinese. A reason service that keeps no words explains pages of them:
worded by templates, by the model in Triton and by the model in its own process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc.aio
import numpy as np

from benchmarks import report
from services.reason.language import is_chinese
from shared.catalogue import bundled_catalogue_path
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.reason.v1.reason_pb2 import Generator, Reason
from wherefore.reason.v1.reason_service_pb2 import (
    ExplainItem,
    ExplainRequest,
    ExplainStreamRequest,
)
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

COMMAND: Final = "python -m benchmarks.reason_latency"
QUERIES: Final = Path(__file__).parent / "queries" / "bundled.txt"
MODEL: Final = "reason_small"
LANGUAGES: Final = {"en": "English", "zh": "Chinese"}
CANDIDATES, PAGE, LARGE_PAGE, CLIENTS = 100, 10, 20, 4
NEEDED: Final = ("nlu", "retrieval", "ranking", "reason", "orchestrator")
WARM_UP, MOST_PAGES = 8, 100
WANTED_PAGE_MS, WANTED_FIRST_MS, WANTED_TEMPLATES_MS = 120.0, 40.0, 3.0
_AFRESH: Final = {"WHEREFORE_REASON_MODEL": MODEL, "WHEREFORE_REASON_CACHE_REASONS": "0"}
RUNTIMES: Final[dict[str, dict[str, str]]] = {
    "templates": {"WHEREFORE_REASON_MODEL": ""},
    "model in Triton": _AFRESH,
    "model in process": {**_AFRESH, "WHEREFORE_REASON_INFERENCE__BACKEND": "onnx"},
}
BOUNDED: Final[dict[str, dict[str, str]]] = {
    f"model in Triton, {pages} pages at once": {
        **_AFRESH,
        "WHEREFORE_REASON_MODEL_PAGES": str(pages),
    }
    for pages in (2, CLIENTS)
}
"""Other bounds than the default, one page, on pages that come together."""


@dataclass(slots=True)
class Measured:
    """Milliseconds of one kind of call, and what wrote the reasons."""

    whole: list[float] = field(default_factory=list[float])
    first: list[float] = field(default_factory=list[float])
    """To the first text of the model; of any text where templates write."""
    by_model: int = 0
    reasons: int = 0

    def row(self, name: str) -> list[str]:
        """A row of the table."""
        first = f"{_at(self.first, 50)} / {_at(self.first, 99)}" if self.first else ""
        share = f"{self.by_model / max(1, self.reasons):.1%}"
        return [name, _at(self.whole, 50), _at(self.whole, 99), first, share]


def _at(values: Sequence[float], q: float) -> str:
    return f"{np.percentile(values, q):.1f}"


async def pages(nlu: str, retrieval: str, language: str, size: int) -> list[ExplainRequest]:
    """Pages of the real candidates of every query of a language, no page twice."""
    lines = QUERIES.read_text(encoding="utf-8").splitlines()
    queries = [q for q in lines if q.strip() and is_chinese(q) == (language == "zh")]
    found: list[ExplainRequest] = []
    async with (
        grpc.aio.insecure_channel(nlu) as to_nlu,
        grpc.aio.insecure_channel(retrieval) as to_retrieval,
    ):
        for query in queries:
            parsed = await NluServiceStub(to_nlu).Parse(ParseRequest(query=query), timeout=10)
            answer = await RetrievalServiceStub(to_retrieval).Retrieve(
                RetrieveRequest(query=parsed.understanding, limit=CANDIDATES), timeout=10
            )
            items = [ExplainItem(product=c.product, legs=c.legs) for c in answer.candidates]
            found += [
                ExplainRequest(
                    query=parsed.understanding,
                    items=items[start : start + size],
                    language_code=language,
                )
                for start in range(0, len(items) - size + 1, size)
            ]
    # Pages of one query side by side would share their first words more than shoppers' do.
    order = np.random.default_rng(1).permutation(len(found))
    return [found[index] for index in order]


async def explain(
    stub: Any, requests: Sequence[ExplainRequest], clients: int
) -> tuple[Measured, Measured]:
    """Calls of Explain and of ExplainStream by turns, so many at the same moment.

    The next ones come when all of these are answered, each with a page of its own.
    """
    unary, streamed = Measured(), Measured()
    for turn, start in enumerate(range(0, len(requests) - clients + 1, clients)):
        counted = start >= WARM_UP
        call, measured = (_unary, unary) if turn % 2 else (_streamed, streamed)
        into = measured if counted else Measured()
        together = requests[start : start + clients]
        await asyncio.gather(*(call(stub, request, into) for request in together))
    return unary, streamed


async def _unary(stub: Any, request: ExplainRequest, into: Measured) -> None:
    begun = time.perf_counter()
    response = await stub.Explain(request, timeout=10)
    _note(into, list(response.reasons), begun, None)


async def _streamed(stub: Any, request: ExplainRequest, into: Measured) -> None:
    begun = time.perf_counter()
    first: float | None = None
    reasons: list[Reason] = []
    asked = ExplainStreamRequest(request=request, by_clause=True)
    async for message in stub.ExplainStream(asked, timeout=10):
        model = message.reason.generator == Generator.GENERATOR_MODEL
        if first is None and (message.HasField("clause") or model):
            first = time.perf_counter() - begun
        if message.HasField("reason"):
            reasons.append(message.reason)
    _note(into, reasons, begun, first)


def _note(measured: Measured, reasons: Sequence[Reason], begun: float, first: float | None) -> None:
    measured.whole.append(1e3 * (time.perf_counter() - begun))
    if first is not None:
        measured.first.append(1e3 * first)
    measured.reasons += len(reasons)
    measured.by_model += sum(r.generator == Generator.GENERATOR_MODEL for r in reasons)


async def measure(
    home: Path,
    requests: dict[tuple[str, int], list[ExplainRequest]],
    variables: dict[str, str],
    at_once: Sequence[int],
) -> list[list[str]]:
    """Rows of the table for one way of wording; pages of 10 by so many clients `at_once`."""
    rows: list[list[str]] = []
    async with (
        private_suite(home, services=("reason",), variables=variables) as own,
        grpc.aio.insecure_channel(own.reason_target) as channel,
    ):
        stub = ReasonServiceStub(channel)
        for (language, size), wanted in requests.items():
            for clients in at_once if size == PAGE else [n for n in at_once if n == 1]:
                unary, streamed = await explain(stub, wanted[: 2 * MOST_PAGES], clients)
                name = f"{LANGUAGES[language]}, page of {size}"
                name += f", {clients} clients" if clients > 1 else ""
                rows += [unary.row(f"{name}, Explain"), streamed.row(f"{name}, ExplainStream")]
    return rows


def section(rows: dict[str, list[list[str]]], busy: tuple[float, float]) -> str:
    """The section of RESULTS.md.

    Args:
        rows: By way of wording.
        busy: Processes that ran or waited to run on the machine before and after, means of a
            minute: what else it does is in the figures.
    """
    headings = ["milliseconds", "p50", "p99", "first text of the model, p50 / p99", "by the model"]
    parts = [
        "## Reasons: latency and first text",
        report.provenance(COMMAND, "pages of the bundled catalogue's candidates"),
        "As a client of the reason service measures them over gRPC; no words are kept. "
        "ExplainStream is asked for clauses; its first text is the first clause or reason that the "
        f"model wrote and the verifier let stand. Wanted: a page of {PAGE} under "
        f"{WANTED_PAGE_MS:.0f} ms, a first text under {WANTED_FIRST_MS:.0f} ms, by templates "
        f"under {WANTED_TEMPLATES_MS:.0f} ms, all p50. {CLIENTS} clients ask at once, again "
        "when all are answered; one page is written at a time unless it is said otherwise. Reasons "
        "that the model has not written in time, or has no words for, are templates'. Load average "
        f"of the machine before and after: {busy[0]:.1f} and {busy[1]:.1f}.",
    ]
    for name, table in rows.items():
        parts += [f"### By {name}", report.table(headings, table)]
    return "\n\n".join(parts)


async def run(only: Sequence[str], progress: Callable[[str], None]) -> dict[str, list[list[str]]]:
    """Measure every way of wording.

    Args:
        only: Names in RUNTIMES or BOUNDED.
        progress: Told what is measured now.
    """
    rows: dict[str, list[list[str]]] = {}
    with tempfile.TemporaryDirectory(prefix="wherefore-") as folder:
        async with private_suite(Path(folder), services=NEEDED) as own:
            target = own.targets.orchestrator
            async with connect(target, retry=False) as channel:
                await import_whole(channel, bundled_catalogue_path(), None, target=target)
            requests = {
                (language, size): await pages(
                    own.targets.nlu, own.targets.retrieval, language, size
                )
                for language in LANGUAGES
                for size in (PAGE, LARGE_PAGE)
            }
        for name in only:
            progress(name)
            at_once = (CLIENTS,) if name in BOUNDED else (1, CLIENTS)
            variables = (RUNTIMES | BOUNDED)[name]
            rows[name] = await measure(Path(folder) / "reason", requests, variables, at_once)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--only",
        choices=sorted(RUNTIMES | BOUNDED),
        nargs="+",
        help="some ways of wording; not written",
    )
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    only = options.only or list(RUNTIMES | BOUNDED)
    before = os.getloadavg()[0]
    rows = asyncio.run(run(only, lambda name: print(name, file=sys.stderr)))
    body = section(rows, (before, os.getloadavg()[0]))
    print(body)
    if not options.no_write and not options.only:
        report.update_section("reason_latency", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
