"""What a catalogue costs as it grows: `python -m benchmarks.cost_curve --home /var/tmp/curve`.

The retrieval service with its embedded store grows from 2,000 to a million products, and is
measured at every size: latency of Retrieve, resident memory, disk, and the time to write and index.
Sizes that are done are kept in the folder, each with a copy of its store; a run goes on where the
last one stopped, and `--again` asks every copy anew, for latencies of a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc.aio
import numpy as np

from benchmarks import peers, report
from benchmarks.ann_recall import CACHE
from benchmarks.cost_curve_report import FILTER, QUERIES, Size, plot, section, summary
from benchmarks.data import icecat
from benchmarks.made_up_catalogue import MODEL, Maker
from shared.catalogue import read_catalogue
from shared.cli.private_suite import PrivateSuite, private_suite
from shared.evaluation.judgments import read_judgments
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

COMMAND: Final = "python -m benchmarks.cost_curve"
SIZES: Final = (2_000, 20_000, 200_000, 1_000_000)
MESSAGE: Final = 200
CALL: Final = 50_000
"""Products of one Index call: what is written of it is durable at its end, and indexing begins."""
_INDEX_SECONDS: Final = 4 * 3600.0
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Curve:
    """A service, what it is filled with and what it is asked."""

    stub: RetrievalServiceStub
    suite: PrivateSuite
    maker: Maker
    queries: Sequence[QueryUnderstanding]
    home: Path

    @property
    def _ledger(self) -> Path:
        return self.home / "spent_seconds.json"

    def _spent(self) -> tuple[float, float]:
        """Seconds of the clock and of the processors that writing has taken so far."""
        wall, cpu = json.loads(self._ledger.read_text()) if self._ledger.exists() else (0.0, 0.0)
        return wall, cpu

    async def grow(self, size: int, before: Size | None) -> Size:
        """Brings the store to a size, and measures it."""
        wrote, worked = self._spent()
        indexed = before.index_seconds if before else 0.0
        have = (await self._stats()).product_count
        for start in range(have, size, CALL):
            begun, cpu = time.perf_counter(), self._cpu()
            await self._write(range(start, min(start + CALL, size)))
            wrote += time.perf_counter() - begun
            worked += self._cpu() - cpu
            self._ledger.write_text(json.dumps((wrote, worked)))
            say(f"{min(start + CALL, size):,} of {size:,} written, "
                f"{wrote:.0f} s, {self.resident():.0f} MiB")  # fmt: skip
        begun, cpu = time.perf_counter(), self._cpu()
        while not (await self._stats()).optimized:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.5)
        indexed += time.perf_counter() - begun
        worked += self._cpu() - cpu
        self._ledger.write_text(json.dumps((wrote, worked)))
        plain, filtered = await self.ask(""), await self.ask(FILTER)
        # Blocks, not sizes: files of the engine have holes.
        files = (self.home / "data" / "retrieval").rglob("*")
        blocks = sum(path.stat().st_blocks for path in files if path.is_file())
        disk = blocks * 512 / _MIB
        memory, own = self.resident(), self.anonymous()
        return Size(size, wrote, indexed, worked, memory, disk, plain, filtered, own)

    async def _stats(self) -> pb.StatsResponse:
        return await self.stub.Stats(pb.StatsRequest(), timeout=60)

    async def _write(self, numbers: range) -> None:
        async def messages() -> AsyncIterator[pb.IndexRequest]:
            for start in range(numbers.start, numbers.stop, MESSAGE):
                part = range(start, min(start + MESSAGE, numbers.stop))
                yield pb.IndexRequest(documents=[self.maker.make(number) for number in part])

        response = await self.stub.Index(messages(), timeout=_INDEX_SECONDS)
        if response.errors:
            raise SystemExit(f"a row was refused: {response.errors[0]}")

    async def ask(self, filter_text: str) -> list[float]:
        """Returns the milliseconds of each query, with a filter or with none.

        All are asked once before, untimed: a service just started reads its store from the disk.

        Raises:
            SystemExit: An answer is degraded, so that its time says nothing.
        """
        taken: list[float] = []
        for number, query in enumerate([*self.queries, *self.queries]):
            request = pb.RetrieveRequest(query=query, filter=filter_text, limit=100)
            begun = time.perf_counter()
            answer = await self.stub.Retrieve(request, timeout=60)
            if number >= len(self.queries):
                taken.append(1e3 * (time.perf_counter() - begun))
                if answer.degraded:
                    raise SystemExit(f"an answer is degraded: {answer.degraded[0]}")
        return taken

    def _cpu(self) -> float:
        return self.suite.cpu_seconds()["retrieval"]

    def resident(self) -> float:
        """Resident memory of the service, MiB."""
        return self.suite.resident_mib()["retrieval"]

    def anonymous(self) -> float:
        """What of it is no mapped file, MiB."""
        return self.suite.anonymous_mib()["retrieval"]


async def measure(home: Path, sizes: Sequence[int], most_mib: float, threads: int) -> list[Size]:
    """Grows a store to every size; what is known of the sizes from before is not measured again."""
    ledger = home / "sizes.json"
    done = [Size(**raw) for raw in json.loads(ledger.read_text())] if ledger.exists() else []
    wanted = [size for size in sizes if size > max((one.products for one in done), default=0)]
    if not wanted:
        return done
    maker, queries = material()
    for size in wanted:
        async with serving(home, maker, queries, threads) as curve:
            grown = await curve.grow(size, done[-1] if done else None)
        done.append(replace(grown, threads=threads))
        # Copied when the service has stopped: an index that is built anew changes the folder.
        shutil.copytree(home / "data", copy_of(home, size) / "data")
        ledger.write_text(json.dumps([asdict(one) for one in done]))
        say(f"{size:,}: {summary(done[-1])}")
        if done[-1].resident_mib > most_mib:
            say("more memory than is allowed; larger sizes are left out")
            break
    return done


async def ask_again(home: Path) -> list[Size]:
    """Asks the copy of every size that is done, each served anew; its costs of writing stay."""
    ledger = home / "sizes.json"
    maker, queries = material()
    done: list[Size] = []
    for size in (Size(**raw) for raw in json.loads(ledger.read_text())):
        async with serving(copy_of(home, size.products), maker, queries) as curve:
            plain, filtered = await curve.ask(""), await curve.ask(FILTER)
            mib, own = curve.resident(), curve.anonymous()
        asked = replace(size, plain_ms=plain, filtered_ms=filtered)
        done.append(replace(asked, resident_mib=mib, anonymous_mib=own))
        say(f"{size.products:,}: {summary(done[-1])}")
    ledger.write_text(json.dumps([asdict(one) for one in done]))
    return done


@asynccontextmanager
async def serving(
    home: Path, maker: Maker, queries: Sequence[QueryUnderstanding], threads: int = 1
) -> AsyncGenerator[Curve]:
    """A retrieval service alone, on the store of a folder."""
    variables = {
        "WHEREFORE_RETRIEVAL_OPTIMIZE_SHARE": "1",
        "WHEREFORE_RETRIEVAL_OPTIMIZE_THREADS": str(threads),
    }
    async with (
        private_suite(home, triton=False, services=("retrieval",), variables=variables) as suite,
        grpc.aio.insecure_channel(suite.targets.retrieval) as channel,
    ):
        yield Curve(RetrievalServiceStub(channel), suite, maker, queries, home)


def copy_of(home: Path, size: int) -> Path:
    """Returns the folder that the store is copied to when it has this many products."""
    return home / "sizes" / str(size)


def material() -> tuple[Maker, list[QueryUnderstanding]]:
    """Returns what makes products, and real queries with their vectors."""
    data = icecat()
    products = [row.product for row in read_catalogue(data.catalogue, "icecat") if row.product]
    corpus = peers.read_corpus(data.catalogue)
    model = peers.sentence_encoder()
    vectors = peers.sentence_vectors(corpus.vector_texts, CACHE, model)
    by_id = dict(zip(corpus.ids, vectors, strict=True))
    kept = [product for product in products if product.id in by_id]
    return Maker(kept, np.stack([by_id[product.id] for product in kept])), judged_queries(model)


def judged_queries(model: SentenceTransformer) -> list[QueryUnderstanding]:
    """Returns real queries with their vectors."""
    texts = list(read_judgments(icecat().judgments))[:QUERIES]
    asked = np.asarray(model.encode(texts, normalize_embeddings=True), dtype=np.float32)
    return [
        QueryUnderstanding(
            query=text,
            search_text=text,
            language_code="en",
            vector=Vector(values=vector.tolist(), model=MODEL),
        )
        for text, vector in zip(texts, asked, strict=True)
    ]


def main() -> int:
    """Runs the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True, help="folder of the store, kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--most-mib", type=float, default=10_240, help="memory to stop at")
    parser.add_argument("--threads", type=int, default=1, help="that build the graph")
    parser.add_argument(
        "--again", action="store_true", help="ask the copies of the sizes that are done anew"
    )
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    options.home.mkdir(parents=True, exist_ok=True)
    asked = ask_again(options.home) if options.again else None
    sizes = asyncio.run(
        asked or measure(options.home, options.sizes, options.most_mib, options.threads)
    )
    body = section(sizes, COMMAND)
    print(body)
    if not options.no_write:
        plot(sizes)
        report.update_section("cost_curve", body)
    return 0


def say(line: str) -> None:
    """Tells of progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
