"""What sponsored results earn, and what they cost in relevance: `python -m benchmarks.sponsored`.

The judged queries of icecat are searched in a suite of its own. Advertisers are drawn: each has one
product of those that are found, and a click is worth to it a sum of a log-normal law, which is what
it bids. The code that serves sells the slots of each page. Shoppers look at a place with a
probability that falls with its number, and click what they look at by its rating, so that what a
page earns is what is expected of it and not drawn again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from benchmarks import report
from benchmarks.data import icecat, subset
from services.orchestrator.fallback import Degradations
from services.orchestrator.sponsored.ledger import Ledger
from services.orchestrator.sponsored.seller import Seller
from services.orchestrator.sponsored.settings import SponsoredSettings
from services.ranking.clicks.behaviour import attraction, examination
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.evaluation_progress import query_progress
from shared.cli.private_suite import private_suite
from shared.evaluation import metrics
from shared.evaluation.judgments import Judgments, read_judgments
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

COMMAND: Final = "python -m benchmarks.sponsored"
PLACES, HIGHEST = 10, 3
POSITIONS: Final = ((1,), (1, 4), (1, 4, 7), (1, 4, 7, 10))
FLOORS: Final = (0.01, 0.3, 0.5, 0.7, 0.9)
DRAWS: Final = 20
SOLD_SHARE: Final = 0.1
"""Of the products that somebody advertises."""
WORTH: Final = (-1.2, 0.6)
"""Mean and deviation of the logarithm of what a click is worth."""
RESERVE: Final = 0.05
TIMEOUT: Final = 60.0


@dataclass(frozen=True)
class Page:
    """One judged query, as it was answered."""

    ratings: Mapping[str, int]
    results: Sequence[bytes]
    """Serialized, best first; without sponsored ones."""


@dataclass(frozen=True)
class Earned:
    """Means over pages and draws of advertisers."""

    revenue: float
    """Expected of a page."""
    ndcg: float
    clicks: float
    """Expected of a page, on whatever is there."""
    shown: float
    """Sponsored results of a page."""
    price: float
    """Of a click, mean over slots that were sold."""


async def searched(catalogue: Path, judged: Judgments) -> list[Page]:
    """Returns the pages of the queries that have a relevant product."""
    pages: list[Page] = []
    async with private_suite() as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as public:
            await import_whole(public, catalogue, "icecat", target=target)
            stub = SearchServiceStub(public)
            with query_progress(len(judged)) as on_query:
                for text, ratings in judged.items():
                    if metrics.ndcg([], ratings, PLACES) is not None:
                        request = SearchRequest(query=text, page_size=100, skip_reasons=True)
                        response = await stub.Search(request, timeout=TIMEOUT)
                        if response.degraded:
                            raise SystemExit(f"{text!r} was degraded: {response.degraded}")
                        results = [each.SerializeToString() for each in response.results]
                        pages.append(Page(ratings, results))
                    on_query(text)
    return pages


def advertisers(products: Sequence[str], random: np.random.Generator) -> list[dict[str, object]]:
    """Returns campaigns as the file has them: one for each product that is sold."""
    chosen = random.choice(len(products), int(SOLD_SHARE * len(products)), replace=False)
    return [
        {
            "id": f"c{number}",
            "products": [products[index]],
            "bid": float(round(worth, 4)),
            "daily_budget": 1e5,
        }
        for number, (index, worth) in enumerate(
            zip(chosen, random.lognormal(*WORTH, len(chosen)), strict=True)
        )
    ]


async def earned(
    pages: Sequence[Page], positions: Sequence[int], floor: float, folder: Path
) -> Earned:
    """Sells the slots of all pages to several draws of advertisers."""
    known = sorted({Result.FromString(r).product.id for page in pages for r in page.results})
    ledger = Ledger(folder / "ledger.sqlite")
    ledger.open()
    path = folder / "campaigns.yaml"
    looked = examination(PLACES)
    rows: list[tuple[float, float, float, int]] = []
    prices: list[float] = []
    for draw in range(DRAWS):
        campaigns = advertisers(known, np.random.default_rng(draw))
        content = {
            "currency": "EUR",
            "serving_configs": ["search"] if positions else [],
            "positions": list(positions) or [1],
            "min_confidence": floor,
            "reserve": RESERVE,
            "pacing": "none",
            "campaigns": campaigns,
        }
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        seller = Seller(SponsoredSettings(campaigns_file=path), ledger)
        await seller.book.look()
        for number, page in enumerate(pages):
            results = [Result.FromString(data) for data in page.results]
            degradations = Degradations()
            placed = seller.place("search", f"r{number}", (), results, degradations)[:PLACES]
            if list(degradations):
                raise SystemExit(f"{list(degradations)}")
            ids = [result.product.id for result in placed]
            stars = np.array([page.ratings.get(product, 0) for product in ids])
            clicked = looked[: len(ids)] * attraction(stars, HIGHEST)
            paid = np.array([result.sponsored.price.amount for result in placed])
            prices += [float(price) for price in paid[paid > 0]]
            rows.append(
                (
                    float(clicked @ paid),
                    metrics.ndcg(ids, page.ratings, PLACES) or 0.0,
                    float(clicked.sum()),
                    int((paid > 0).sum()),
                )
            )
    ledger.close()
    revenue, ndcg, clicks, shown = np.array(rows).mean(axis=0)
    return Earned(revenue, ndcg, clicks, shown, float(np.mean(prices)) if prices else 0.0)


async def measured(pages: Sequence[Page]) -> tuple[list[Earned], list[Earned]]:
    """Returns what is earned by number of slots from 0 on, and by floor with two slots."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slots = [await earned(pages, each, 0.5, folder) for each in ((), *POSITIONS)]
        floors = [await earned(pages, POSITIONS[1], each, folder) for each in FLOORS]
    return slots, floors


def section(slots: Sequence[Earned], floors: Sequence[Earned], queries: int, data: str) -> str:
    """The section of RESULTS.md."""
    plain = slots[0]

    def row(name: str, each: Earned) -> list[str]:
        return [
            name,
            f"{1000 * each.revenue:.1f}",
            f"{each.shown:.2f}",
            f"{each.price:.3f}",
            f"{each.ndcg:.3f}",
            f"{each.ndcg - plain.ndcg:+.3f}",
            f"{each.clicks / plain.clicks - 1:+.1%}",
        ]

    heads = (
        "revenue of 1,000 searches, EUR",
        "sold a page",
        "price of a click",
        "nDCG@10",
        "change",
        "clicks",
    )
    by_slots = [row(str(count), each) for count, each in enumerate(slots)]
    by_floor = [row(f"{floor:g}", each) for floor, each in zip(FLOORS, floors, strict=True)]
    low, spread = WORTH
    return f"""## Sponsored results

{report.provenance(COMMAND, data)}

By slots, with the floor of relevance at 0.5; slots stand at 1, 4, 7 and 10:

{report.table(("slots", *heads), by_slots)}

By floor, with two slots:

{report.table(("least confidence", *heads), by_floor)}

Simulated: {queries} judged queries, {DRAWS} draws of advertisers. A tenth of the products that any
of the queries finds is advertised, each by a campaign of its own, and a click is worth
exp(N({low:g}, {spread:g})) EUR to it, which it bids; the reserve is {RESERVE:g}. A place is looked
at with a probability of 1 / its number, and what is looked at is clicked by its rating (0.1 for 0
or none, 1 for the highest). Budgets are not reached. The slots are sold by the code that serves.
What nobody judged counts as irrelevant, so the loss is told as larger than it is."""


def main() -> int:
    """Run the benchmark and write its section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, help="of icecat, for a trial that only prints")
    parser.add_argument("--keep", type=Path, help="file of the pages: made once, then read again")
    options = parser.parse_args()
    data = icecat()
    judged = read_judgments(data.judgments)
    if options.keep and options.keep.exists():
        kept = json.loads(options.keep.read_text(encoding="utf-8"))
        pages = [
            Page(each["ratings"], [bytes.fromhex(r) for r in each["results"]]) for each in kept
        ]
    else:
        with tempfile.TemporaryDirectory() as folder:
            catalogue = data.catalogue
            if options.products:
                catalogue = subset(data, options.products, Path(folder))
            pages = asyncio.run(searched(catalogue, judged))
    if options.keep and not options.keep.exists():
        rows = [{"ratings": p.ratings, "results": [r.hex() for r in p.results]} for p in pages]
        options.keep.write_text(json.dumps(rows), encoding="utf-8")
    slots, floors = asyncio.run(measured(pages))
    text = section(slots, floors, len(pages), "icecat, development judgments")
    if options.products:
        print(text)
    else:
        report.update_section("sponsored", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
