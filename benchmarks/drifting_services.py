"""The drifting shop through the real services: `python -m benchmarks.drifting_services`.

Starts retrieval, ranking and the orchestrator as processes, splits simulated shoppers into arms by
the orchestrator's own experiment, half of them ranked by the weights and half by what is learnt
from all, and sends what they do through the public contract. Without the NLU and vectors: words
find, and answers say that they are degraded, which is alike for both arms.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Final

import grpc.aio
import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.drifting_shop import MISTAKE, PLACES, SEVERITY, WANTS, Taste, liking, traits_of
from benchmarks.drifting_shop import worth as worth_of
from services.ranking.clicks.behaviour import PositionBased
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.channel import open_channel
from shared.cli.catalogue_import import import_file
from shared.cli.private_suite import private_suite
from shared.evaluation.significance import bootstrap_interval
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.orchestrator.v1.experiment_service_pb2 import (
    ExperimentReport,
    ExperimentServiceReportRequest,
)
from wherefore.orchestrator.v1.experiment_service_pb2_grpc import ExperimentServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

SEARCHES, SEED = 800, 5
SERVICES: Final = ("retrieval", "ranking", "orchestrator")
EXPERIMENT: Final = """
layers:
  - name: ranking
    salt: drifting
    experiments:
      - id: online-head
        arms:
          - {name: weights, share: 0.5, ranking_model: weights}
          - {name: online, share: 0.5, ranking_model: online}
"""


class Shoppers:
    """Who searches the served shop, and what they want.

    Args:
        random: Where chance comes from.
    """

    def __init__(self, random: np.random.Generator) -> None:
        products = [r.product for r in read_catalogue(bundled_catalogue_path()) if r.product]
        by_leaf: defaultdict[str, list[int]] = defaultdict(list)
        for number, product in enumerate(products):
            by_leaf[product.category_path[-1]].append(number)
        self.queries = sorted(name for name, of in by_leaf.items() if len(of) >= 2 * PLACES)
        self.number = {product.id: number for number, product in enumerate(products)}
        self._leaf = [product.category_path[-1] for product in products]
        self._traits = np.zeros((len(products), len(WANTS)))
        for members in by_leaf.values():
            self._traits[members] = traits_of([products[number] for number in members])
        names = sorted({product.brand for product in products})
        self._brands = np.array([names.index(product.brand) for product in products])
        brands = random.normal(0.0, 0.3, len(names))
        self._from = Taste(random.normal(0.0, 1.2, len(WANTS)), brands)
        self._to = Taste(random.normal(0.0, 1.2, len(WANTS)), brands)

    def likes(self, query: str, ids: list[str], share: float) -> NDArray[np.float64]:
        """Returns how likely who looks at each product clicks it.

        Args:
            query: What was searched.
            ids: Of the products.
            share: Of the way from the first taste to the last, 0 to 1.
        """
        numbers = [self.number[each] for each in ids]
        relevance = np.array([1.0 if self._leaf[n] == query else 0.3 for n in numbers])
        wants = (1.0 - share) * self._from.wants + share * self._to.wants
        taste = Taste(wants, self._from.brands)
        return liking(relevance, self._traits[numbers], self._brands[numbers], taste)


async def serve(searches: int) -> tuple[dict[str, list[float]], ExperimentReport, str]:
    """Runs the shop; returns what pages were worth by arm, the report, and the last model."""
    random = np.random.default_rng(SEED)
    shoppers, behaviour = Shoppers(random), PositionBased(SEVERITY)
    worth: defaultdict[str, list[float]] = defaultdict(list)
    model = ""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "experiments.yaml"
        file.write_text(EXPERIMENT)
        variables = {
            "WHEREFORE_ORCHESTRATOR_EXPERIMENTS_FILE": str(file),
            "WHEREFORE_ORCHESTRATOR_SHOWN_PAGES": "10000",
            "WHEREFORE_ORCHESTRATOR_STARTUP_WAIT_SECONDS": "0",
            "WHEREFORE_RANKING_ONLINE__MODE": "learn",
        }
        async with private_suite(triton=False, services=SERVICES, variables=variables) as suite:
            target = suite.targets.orchestrator
            channel = open_channel(target)
            # Without a model of vectors every product goes in by its words, and says so.
            await import_file(channel, bundled_catalogue_path(), None, target=target)
            for number in range(searches):
                page, query = await _search(channel, shoppers, random, number)
                ids = [result.product.id for result in page.results]
                likes = shoppers.likes(query, ids, number / searches)
                noisy = MISTAKE + (1.0 - MISTAKE) * likes
                clicked = behaviour.click(noisy[np.newaxis], random)[0]
                for row in np.flatnonzero(clicked):
                    await _click(channel, page, ids[row], number)
                arm = page.experiments[0].arm
                worth[arm].append(worth_of(range(len(ids)), likes))
                model = page.ranking_model if arm == "online" else model
            reports = await ExperimentServiceStub(channel).Report(
                ExperimentServiceReportRequest(), timeout=10
            )
            await channel.close()
    return worth, reports.reports[0], model


async def _search(
    channel: grpc.aio.Channel, shoppers: Shoppers, random: np.random.Generator, number: int
) -> tuple[SearchResponse, str]:
    query = shoppers.queries[int(random.integers(len(shoppers.queries)))]
    request = SearchRequest(query=query, page_size=PLACES, skip_reasons=True)
    request.user.user_id = f"shopper-{number}"
    request.read_mask.paths.append("id")
    return await SearchServiceStub(channel).Search(request, timeout=10), query


async def _click(
    channel: grpc.aio.Channel, page: SearchResponse, product_id: str, number: int
) -> None:
    event = pb.UserEvent(
        type=pb.USER_EVENT_TYPE_CLICK,
        user_id=f"shopper-{number}",
        attribution_token=page.attribution_token,
    )
    event.products.add(product_id=product_id)
    await UserEventServiceStub(channel).Write(UserEventServiceWriteRequest(event=event), timeout=10)


def section(worth: dict[str, list[float]], told: ExperimentReport, model: str) -> str:
    """The section of RESULTS.md."""
    rows: list[list[str]] = []
    for arm in told.arms:
        values = worth[arm.arm]
        early, late = (bootstrap_interval(part.tolist()) for part in np.array_split(values, 2))
        clicks = arm.metrics[0]
        rows.append(
            [
                arm.arm,
                f"{len(values):,}",
                f"{early.mean:.2f} ({early.low:.2f} to {early.high:.2f})",
                f"{late.mean:.2f} ({late.low:.2f} to {late.high:.2f})",
                f"{clicks.converted_users:,}",
                f"{clicks.lift:.2f} ({clicks.lift_low:.2f} to {clicks.lift_high:.2f})",
            ]
        )
    headings = ["arm", "shoppers", "worth, first half", "worth, second half"]
    searches = sum(len(values) for values in worth.values())
    return "\n".join(
        [
            "## Learning while serving, through the services",
            "",
            report.provenance(
                "python -m benchmarks.drifting_services",
                f"{searches:,} searches of the bundled catalogue, one a shopper",
            ),
            "",
            report.table([*headings, "who clicked", "lift, 95 % at all times"], rows),
            "",
            "Retrieval, ranking and the orchestrator as processes; arms are drawn by the",
            "orchestrator's experiment, and lift and interval are those of `wherefore experiment",
            "report`. Worth: clicks to expect of a page by the hidden taste (bootstrap over",
            f"shoppers). What was learnt served at the end as `{model}`. One shop, one taste that",
            "drifts to another: a check that the parts work together, not a measure of gains.",
        ]
    )


def main() -> int:
    """Prints the section, and writes it unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument("--searches", type=int, default=SEARCHES)
    options = parser.parse_args()
    body = section(*asyncio.run(serve(options.searches)))
    print(body)
    if not options.no_write:
        report.update_section("drifting-services", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
