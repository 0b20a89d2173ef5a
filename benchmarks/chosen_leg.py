"""What choices of earlier shoppers do to search: `python -m benchmarks.chosen_leg`.

Simulated shoppers search the judged queries of icecat in a suite, look at a place with the chance
1 / place, click by how relevant the product was judged (one that nobody judged like an irrelevant
one), and sometimes buy. Then the queries are ranked again. The choices come from the judgments that
measure, so the figure is what the leg makes of shoppers who know what they want, and not what a
shop will see.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from collections.abc import Sequence

import grpc.aio
import numpy as np

from benchmarks import report
from benchmarks.data import icecat
from services.ranking.clicks.behaviour import PositionBased, attraction
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import PrivateSuite, private_suite
from shared.evaluation import metrics
from shared.evaluation.judgments import Judgments, read_judgments
from shared.evaluation.significance import paired_bootstrap
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_CLICK,
    USER_EVENT_TYPE_PURCHASE,
    UserEvent,
)
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceImportRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

COMMAND = "python -m benchmarks.chosen_leg"
SHOPPERS = (0, 5, 20, 80)
"""Of each query, one after the other; the ranking is measured after each number."""
PAGE, SEVERITY, BUYS = 20, 1.0, 0.2


async def ranked(search: SearchServiceStub, query: str) -> list[str]:
    """The ids of the first page."""
    request = SearchRequest(query=query, page_size=PAGE, skip_reasons=True)
    response = await search.Search(request, timeout=30)
    return [result.product.id for result in response.results]


def events_of(
    query: str,
    shown: Sequence[str],
    ratings: dict[str, int],
    count: int,
    random: np.random.Generator,
) -> list[UserEvent]:
    """What so many shoppers do on a page."""
    appeal = attraction(np.array([ratings.get(i, 0) for i in shown]), 3)[None, :]
    made: list[UserEvent] = []
    for _ in range(count):
        user = uuid.uuid4().hex
        for place in np.flatnonzero(PositionBased(SEVERITY).click(appeal, random)[0]):
            for kind in (USER_EVENT_TYPE_CLICK, USER_EVENT_TYPE_PURCHASE):
                if kind == USER_EVENT_TYPE_CLICK or random.random() < BUYS * appeal[0, place]:
                    event = UserEvent(type=kind, user_id=user, query=query)
                    event.products.add(product_id=shown[place], quantity=1, position=int(place) + 1)
                    made.append(event)
    return made


async def run(
    own: PrivateSuite, judgments: Judgments
) -> dict[int, tuple[list[float], list[float]]]:
    """nDCG@10 of every query, over all products and among those judged, by shoppers so far."""
    random = np.random.default_rng(17)
    found: dict[int, tuple[list[float], list[float]]] = {}
    async with grpc.aio.insecure_channel(own.targets.orchestrator) as channel:
        search, events = SearchServiceStub(channel), UserEventServiceStub(channel)
        before = 0
        for shoppers in SHOPPERS:
            pages = {query: await ranked(search, query) for query in judgments}
            if shoppers > before:
                made = [
                    event
                    for query, shown in pages.items()
                    for event in events_of(
                        query, shown, dict(judgments[query]), shoppers - before, random
                    )
                ]
                requests = [
                    UserEventServiceImportRequest(events=made[start : start + 500])
                    for start in range(0, len(made), 500)
                ]
                await events.Import(iter(requests), timeout=300)
                pages = {query: await ranked(search, query) for query in judgments}
            before = shoppers
            full: list[float] = []
            judged: list[float] = []
            for query, ratings in judgments.items():
                if any(ratings.values()):
                    full.append(metrics.ndcg(pages[query], ratings, 10))
                    kept = [i for i in pages[query] if i in ratings]
                    judged.append(metrics.ndcg(kept, ratings, 10))
            found[shoppers] = (full, judged)
    return found


def section(found: dict[int, tuple[list[float], list[float]]]) -> str:
    """The section of RESULTS.md."""
    rows: list[tuple[str, ...]] = []
    for shoppers, (full, judged) in found.items():
        test = paired_bootstrap(full, found[0][0]) if shoppers else None
        rows.append(
            (
                str(shoppers),
                f"{np.mean(full):.3f}",
                "" if test is None else f"{np.mean(full) - np.mean(found[0][0]):+.3f}",
                "" if test is None else f"{test.p:.4f}",
                f"{np.mean(judged):.3f}",
            )
        )
    return "\n\n".join(
        (
            "## What shoppers chose after the same query",
            report.provenance(
                COMMAND, f"icecat, {len(found[0][0])} judged queries with a relevant product"
            ),
            report.table(
                ("shoppers a query", "nDCG@10", "gain", "p", "judged products of the page"), rows
            ),
            f"The whole path, pages of {PAGE}. {__doc__.split(chr(10) * 2)[1].strip()}",
        )
    )


async def measure() -> dict[int, tuple[list[float], list[float]]]:
    """Import icecat into a suite and measure."""
    data = icecat()
    async with private_suite() as own:
        async with connect(own.targets.orchestrator, retry=False) as channel:
            await import_whole(channel, data.catalogue, None, target=own.targets.orchestrator)
        return await run(own, read_judgments(data.judgments))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    body = section(asyncio.run(measure()))
    print(body)
    if not options.no_write:
        report.update_section("chosen_leg", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
