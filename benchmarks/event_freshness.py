"""From an event to another recommendation: `python -m benchmarks.event_freshness --users 300`.

Every user is new. A page of "for you" is read, the user views three products of one kind, and pages
are read until one differs because of them. The time counts from when the event was sent to when
such a page was there. A control user, who does nothing, must get the same page all the while.

A catalogue of its own is imported first, and users come while its graph of vectors and that of its
products are being built; with `--settled` they come when both are there.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc.aio
import numpy as np

from benchmarks import plots, report
from benchmarks.load.subject import Load
from shared.category_path import category_text
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceListRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

COMMAND: Final = "python -m benchmarks.event_freshness"
WANTED_SECONDS: Final = 1.0
VIEWED: Final = 3
PAGE: Final = 10
_CALL_SECONDS: Final = 10.0
_GIVE_UP_SECONDS: Final = 10.0
# After the graph of vectors, for that of products, which nobody tells of.
_SETTLED_SECONDS: Final = 30.0


@dataclass(slots=True)
class Freshness:
    """What the users measured, seconds each."""

    written: list[float] = field(default_factory=list[float])
    """From sending the event to its acknowledgement, when it is durable."""
    seen: list[float] = field(default_factory=list[float])
    """From sending the event to a page that differs because of it."""
    first: int = 0
    """Users whose first page after the acknowledgement was such a one."""
    never: int = 0
    """Users who saw none in time."""


class Shop:
    """What users see and do through the public contract."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._recommend = RecommendationServiceStub(channel).Recommend
        self._write = UserEventServiceStub(channel).Write
        self._list = ProductServiceStub(channel).List

    async def kinds(self, count: int) -> list[list[str]]:
        """Returns ids of products of the same category, for so many categories or fewer."""
        request = ProductServiceListRequest(
            page_size=1_000, read_mask={"paths": ["id", "category_path"]}
        )
        page = await self._list(request, timeout=60)
        found: dict[str, list[str]] = {}
        for product in page.products:
            found.setdefault(category_text(product.category_path), []).append(product.id)
        return [ids for ids in found.values() if len(ids) > VIEWED][:count]

    async def page(self, user: str) -> list[str]:
        """Returns the ids of a user's page."""
        request = RecommendRequest(
            serving_config="for-you", user=UserContext(user_id=user), page_size=PAGE,
            skip_reasons=True,
        )  # fmt: skip
        answer = await self._recommend(request, timeout=_CALL_SECONDS)
        return [result.product.id for result in answer.results]

    async def view(self, user: str, product_ids: Sequence[str]) -> None:
        """Writes that a user looked at products; returns when it is durable."""
        event = UserEvent(
            type=USER_EVENT_TYPE_VIEW,
            user_id=user,
            products=[ProductDetail(product_id=each) for each in product_ids],
        )
        await self._write(UserEventServiceWriteRequest(event=event), timeout=_CALL_SECONDS)


async def settle(retrieval: str) -> None:
    """Returns once the graph of vectors has been there for a while.

    Args:
        retrieval: HOST:PORT of retrieval.
    """
    clock = asyncio.get_running_loop().time
    async with grpc.aio.insecure_channel(retrieval) as channel:
        stub = RetrievalServiceStub(channel)
        since = clock()
        while clock() - since < _SETTLED_SECONDS:
            stats = await stub.Stats(StatsRequest(), timeout=60)
            if not stats.optimized:
                since = clock()
            await asyncio.sleep(1)


async def measure(target: str, users: int, at_once: int, seed: int = 1) -> Freshness:
    """Has users look at products, and waits until it shows.

    Args:
        target: HOST:PORT of the orchestrator.
        users: How many.
        at_once: How many at a time.
        seed: Of what they look at.
    """
    chance = random.Random(seed)  # noqa: S311 - load, not secrets
    found = Freshness()
    async with grpc.aio.insecure_channel(target) as channel:
        shop = Shop(channel)
        kinds = await shop.kinds(200)
        waiting = iter([chance.sample(chance.choice(kinds), VIEWED) for _ in range(users)])

        async def one_after_the_other() -> None:
            for viewed in waiting:
                await _one(shop, viewed, found)

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return found


async def _one(shop: Shop, viewed: Sequence[str], into: Freshness) -> None:
    user, control = (f"fresh-{uuid.uuid4().hex}" for _ in range(2))
    before = await shop.page(user)
    begun = time.perf_counter()
    await shop.view(user, viewed)
    into.written.append(time.perf_counter() - begun)
    asked = 0
    while time.perf_counter() - begun < _GIVE_UP_SECONDS:
        page = await shop.page(user)
        asked += 1
        # What others see now is no effect of this user's event.
        if page != before and page != await shop.page(control):
            into.seen.append(time.perf_counter() - begun)
            into.first += asked == 1
            return
    into.never += 1


def section(found: Freshness, at_once: int, data: str, *, settled: bool = False) -> str:
    """The section of RESULTS.md."""
    when = "when the index had settled" if settled else "from the end of the import on"
    rows = [
        [name, *(f"{np.percentile(values, q) * 1e3:.1f}" for q in (50, 90, 99, 100))]
        for name, values in (
            ("event sent to acknowledged, durable", found.written),
            ("event sent to another page read", found.seen),
        )
    ]
    users = len(found.written)
    p99 = float(np.percentile(found.seen, 99))
    verdict = "met" if p99 < WANTED_SECONDS and not found.never else "missed"
    return "\n".join(
        [
            f"## From an event to another recommendation{', index settled' if settled else ''}",
            "",
            report.provenance(f"{COMMAND} --settled" if settled else COMMAND, data),
            f"{users} users, each new, {at_once} at a time, {when}: a page of {PAGE} for the user, "
            f"a view of {VIEWED} products of one category, then pages until one differs from the "
            "first and from what a user without events gets. The second time includes that "
            "control page, which is read after the user's own.",
            "",
            report.table(("milliseconds", "p50", "p90", "p99", "most"), rows),
            "",
            f"The first page after the acknowledgement differed for {found.first} of {users} "
            f"users; {found.never} saw no difference within {_GIVE_UP_SECONDS:.0f} s. Within "
            f"{WANTED_SECONDS:.0f} s at p99: {verdict} ({p99 * 1e3:.0f} ms).",
            "",
            f"![Distribution](plots/{_name(settled=settled)}.svg)",
        ]
    )


def main() -> int:
    """Runs the measurement; returns 1 where an event did not show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--target", help="HOST:PORT of a suite that holds the catalogue")
    parser.add_argument("--home", type=Path, help="folder of a suite of its own, kept")
    parser.add_argument("--quick", action="store_true", help="a trial, bundled catalogue")
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument("--settled", action="store_true", help="wait until the index has settled")
    options = parser.parse_args()
    if options.settled and options.target:
        parser.error("--settled is for a suite of its own")
    load = Load(options.target, options.home, options.quick, not options.no_write)

    async def run() -> Freshness:
        async with load.running() as subject:
            if options.settled:
                await settle(subject.retrieval)
            return await measure(subject.target, options.users, options.at_once)

    found = asyncio.run(run())
    body = section(found, options.at_once, load.data.partition(",")[0], settled=options.settled)
    print(body)
    if load.written:
        name = _name(settled=options.settled)
        _plot(found, name)
        report.update_section(name, body)
    return 1 if found.never else 0


def _name(*, settled: bool) -> str:
    return "event_freshness_settled" if settled else "event_freshness"


def _plot(found: Freshness, name: str) -> None:
    ranks = [100 * (n + 1) / len(found.seen) for n in range(len(found.seen))]
    plots.lines(
        {
            "acknowledged": ([1e3 * s for s in sorted(found.written)][: len(ranks)], ranks),
            "another page read": ([1e3 * s for s in sorted(found.seen)], ranks),
        },
        ("milliseconds since the event was sent", "percent of users"),
        report.PLOTS / f"{name}.svg",
    )


if __name__ == "__main__":
    sys.exit(main())
