"""In which order searches by pictures answer: `python -m benchmarks.picture_order`.

The products of luma that the embedded encoder has not learnt from, through `Search` of a suite of
its own: where the right product stands in the answer, and where it stood in retrieval's own order.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import grpc.aio
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import report
from benchmarks.data import data_folder
from benchmarks.pictured_shop import TASKS, Asked, PicturedShop, asked_of, parts, read_shop
from services.nlu.pictures.evaluation.measure import by_product
from services.nlu.pictures.evaluation.shop import Part
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.features import PICTURE
from services.ranking.weights import load_weights
from shared.channel import open_channel
from shared.cli.crossmodal_evaluation_view import shown
from shared.cli.private_suite import private_suite
from wherefore.orchestrator.v1.product_service_pb2 import (
    ImportedPicture,
    ProductServiceImportRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

HEADINGS = (
    "search (queries)",
    "within ten: retrieval",
    "weights of words",
    "served",
    "1 / place: retrieval",
    "weights of words",
    "served",
    "gain",
)
COMMAND = "python -m benchmarks.picture_order"
CUT = 10
PICTURE_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Of `picture_cosine`, as a multiple of the served one, from which products for choices choose."""
QUALITY_WEIGHTS = (0.5, 1.0, 2.0)
"""Of what is not relevance, likewise."""
_QUALITY = ("rating", "popularity", "freshness")
_PAGE = 100
_BATCH = 40
_IMPORT_SECONDS = 600.0
_ANSWER_SECONDS = 30.0
_SERVICES = ("nlu", "retrieval", "ranking", "orchestrator")


@dataclass(frozen=True, slots=True)
class Answered:
    """One search answered.

    Attributes:
        served: Place of the right product in the answer, from 1; one past the last when it is
            not there.
        retrieved: The same in the order of the fusion of retrieval's legs.
        contributions: By product, what each feature added to its score; where they were wanted.
    """

    asked: Asked
    served: int
    retrieved: int
    contributions: Mapping[str, Mapping[str, float]]


async def answers(
    shop: PicturedShop,
    asked: Sequence[Asked],
    *,
    weights: Path | None = None,
    contributions: bool = False,
) -> list[Answered]:
    """Asks a suite of its own.

    Args:
        shop: What is imported first.
        asked: The searches.
        weights: File of ranking's weights in place of the service's own.
        contributions: Whether to ask what made each score.

    Raises:
        SystemExit: An answer is degraded.
    """
    variables = {} if weights is None else {"WHEREFORE_RANKING_WEIGHTS_PATH": str(weights)}
    async with private_suite(triton=False, services=_SERVICES, variables=variables) as suite:
        channel = open_channel(suite.targets.orchestrator)
        try:
            await _import(channel, shop)
            stub = SearchServiceStub(channel)
            found: list[Answered] = []
            for each in track(asked, "searches"):
                request = type(each.request)()
                request.CopyFrom(each.request)
                request.page_size, request.include_contributions = _PAGE, contributions
                response = await stub.Search(request, timeout=_ANSWER_SECONDS)
                if response.degraded:
                    raise SystemExit(f"degraded: {response.degraded[0]}")
                found.append(_answered(each, response.results))
            return found
        finally:
            await channel.close()


async def _import(channel: grpc.aio.Channel, shop: PicturedShop) -> None:
    requests = [
        ProductServiceImportRequest(
            products=part,
            pictures=[
                ImportedPicture(uri=image.uri, data=shop.pictures[image.uri])
                for row in part
                for image in row.images
            ],
        )
        for part in parts(shop.products, _BATCH)
    ]
    imported = 0
    async for answer in ProductServiceStub(channel).Import(iter(requests), timeout=_IMPORT_SECONDS):
        imported = answer.imported_count
        if answer.degraded:
            raise SystemExit(f"degraded: {answer.degraded[0]}")
    if imported != len(shop.products):
        raise SystemExit(f"{imported} of {len(shop.products)} products were imported")


def _answered(asked: Asked, results: Sequence[Result]) -> Answered:
    ids = [result.product.id for result in results]
    fused = sorted(results, key=lambda result: -result.fused_score)  # sorted is stable
    return Answered(
        asked,
        place(ids, asked.right),
        place([result.product.id for result in fused], asked.right),
        {
            result.product.id: {each.feature: each.contribution for each in result.contributions}
            for result in results
        },
    )


def place(ids: Sequence[str], right: str) -> int:
    """Place from 1; one past the last where it is not there."""
    return ids.index(right) + 1 if right in ids else len(ids) + 1


def found_within(places: Sequence[int], cut: int) -> NDArray[np.float64]:
    """1 for each place within `cut`, else 0."""
    return (np.array(places) <= cut).astype(np.float64)


def reciprocal(places: Sequence[int]) -> NDArray[np.float64]:
    """1 / place, 0 past the page."""
    found = np.array(places, dtype=np.float64)
    return np.where(found <= _PAGE, 1.0 / found, 0.0)


def by_weight(answered: Sequence[Answered]) -> dict[tuple[float, float], float]:
    """Mean over the tasks of the mean reciprocal place, by multiples of two weights.

    A linear score splits into contributions, so what other weights would have served needs no
    further search.

    Args:
        answered: With contributions.
    """
    found: dict[tuple[float, float], float] = {}
    for picture, quality in product(PICTURE_WEIGHTS, QUALITY_WEIGHTS):
        factors = {PICTURE: picture, **dict.fromkeys(_QUALITY, quality)}
        places: dict[str, list[int]] = {}
        for each in answered:
            scores = {
                candidate: sum(factors.get(name, 1.0) * added for name, added in parts.items())
                for candidate, parts in each.contributions.items()
            }
            order = sorted(scores, key=lambda candidate: -scores[candidate])
            places.setdefault(each.asked.task, []).append(place(order, each.asked.right))
        means = [reciprocal(row).mean() for row in places.values()]
        found[picture, quality] = float(np.mean(means))
    return found


def weights_of_words(folder: Path) -> Path:
    """Writes the weights of searches by words as those of searches by pictures."""
    weights = load_weights(DEFAULT_WEIGHTS)
    serving = {**weights.serving, "pictures": weights.serving["search"]}
    path = folder / "weights.json"
    path.write_text(weights.model_copy(update={"serving": serving}).model_dump_json())
    return path


def section(served: Sequence[Answered], by_words: Sequence[Answered], catalogue: int) -> str:
    """The section of RESULTS.md."""
    rows: list[list[str]] = []
    for task in TASKS:
        at = [number for number, each in enumerate(served) if each.asked.task == task]
        owners = [served[number].asked.product for number in at]
        systems = (
            [served[number].retrieved for number in at],
            [by_words[number].served for number in at],
            [served[number].served for number in at],
        )
        difference = by_product(reciprocal(systems[2]) - reciprocal(systems[0]), owners)
        rows.append(
            [
                f"{task} ({len(at)})",
                *(f"{found_within(each, CUT).mean():.3f}" for each in systems),
                *(f"{reciprocal(each).mean():.3f}" for each in systems),
                shown(difference),
            ]
        )
    owners = {each.asked.product for each in served}
    return f"""
### In which order `Search` answers

The right product within ten, and the mean of 1 / its place: in retrieval's own order (the fusion
of its legs, which answered before ranking knew pictures), ranked with the weights of searches by
words, and ranked with those of `pictures`, as it is served. The last column is the gain in
1 / place over retrieval's order, with a 95 % interval by drawing products again.

{report.table(HEADINGS, rows)}

Searches are of {len(owners)} products that the encoder has not learnt from and no weight was
chosen on, through `Search` of a running suite. Found are {catalogue}, each product of luma in each
colour with its main picture; shoppers come with its other pictures, or those of another colour.
Luma has no sales figures: views are drawn at random, up to 10,000 a product, and can only harm.
The weight of `picture_cosine` and the half weight of quality were chosen on other products
(`--choose`) among few, after figures with the weights of words and `picture_cosine` at 1 had been
seen on these; the rest is as for words.

{report.provenance(COMMAND, "luma")}
"""


async def choose(shop: PicturedShop) -> None:
    """Prints what other weights would do on the products for choices."""
    answered = await answers(shop, [*asked_of(shop, Part.DEV)], contributions=True)
    for (picture, quality), mean in sorted(by_weight(answered).items(), key=lambda row: -row[1]):
        print(f"picture_cosine x {picture:g}, quality x {quality:g}: {mean:.4f}")


async def measure(shop: PicturedShop) -> None:
    """Measures on the products for tests, and writes the section."""
    asked = [*asked_of(shop, Part.TEST)]
    with tempfile.TemporaryDirectory() as folder:
        by_words = await answers(shop, asked, weights=weights_of_words(Path(folder)))
    served = await answers(shop, asked)
    report.update_section("picture-order", section(served, by_words, len(shop.products)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, or helps to choose; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true", help="print what other weights would do")
    options = parser.parse_args(arguments)
    shop = read_shop(data_folder("luma") / "luma")
    asyncio.run(choose(shop) if options.choose else measure(shop))
    return 0


if __name__ == "__main__":
    sys.exit(main())
