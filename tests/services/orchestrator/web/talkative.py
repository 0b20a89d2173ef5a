"""The services behind the demo page, saying what it has to show."""

import asyncio
from contextlib import asynccontextmanager

from tests.services.orchestrator import fake_backends
from wherefore.nlu.v1.query_understanding_pb2 import ENTITY_TYPE_MATERIAL, Correction, Entity
from wherefore.ranking.v1.ranked_result_pb2 import Contribution
from wherefore.retrieval.v1.facet_pb2 import Facet, FacetValue, Interval
from wherefore.retrieval.v1.retrieval_service_pb2 import (
    FacetsResponse,
    RetrieveResponse,
    StatsResponse,
    TermCount,
)


class Talkative(fake_backends.Backends):
    """Says of queries and scores what the page has to show."""

    def __init__(self) -> None:
        super().__init__()
        self.filters: list[str] = []

    async def Parse(self, request, context):  # noqa: N802
        response = await super().Parse(request, context)
        query = response.understanding
        for word in ("steel", "钢"):
            if (start := request.query.find(word)) >= 0:
                query.entities.append(
                    Entity(
                        type=ENTITY_TYPE_MATERIAL,
                        text=word,
                        normalized="steel",
                        start=start,
                        end=start + len(word),
                        negated="not " in request.query,
                        source="lexicon",
                    )
                )
        if "钢" in request.query:
            query.language_code = "zh"
        if request.query.startswith("stel"):
            query.corrections.append(
                Correction(original="stel", corrected="steel", end=4, applied=False)
            )
        return response

    async def Stats(self, request, context):  # noqa: N802
        return StatsResponse(
            index_version=1,
            product_types=[TermCount(term="Steel cups", count=9), TermCount(term="Mugs", count=5)],
            brands=[TermCount(term="Steelworks", count=3)],
            vocabulary=[TermCount(term="耳机", count=4)],
        )

    async def Facets(self, request, context):  # noqa: N802
        left_out = "brand" in request.filter
        brands = [("acme", "Acme", 30), ("zeta", "Zeta", 4)]
        told = {
            "brand": Facet(
                key="brand",
                counted_products=30,
                own_condition_left_out=left_out,
                values=[
                    FacetValue(value=v, label=w, count=n, filter=f'brand: "{v}"')
                    for v, w, n in brands
                ],
            ),
            "price": Facet(
                key="price",
                values=[
                    FacetValue(count=9, filter="price < 10", interval=Interval(max=10)),
                    FacetValue(count=5, filter="price >= 10", interval=Interval(min=10)),
                ],
            ),
        }
        facets = [told.get(spec.key, Facet(key=spec.key)) for spec in request.facets]
        return FacetsResponse(facets=facets)

    async def Retrieve(self, request, context):  # noqa: N802
        self.filters.append(request.filter)
        if list(request.legs) == ["dense"]:  # how near the products of the filter are
            score = 0.5 + abs(request.query.vector.values[0])
            asked = [i for i in self.products if i in request.filter]
            candidates = [self.candidate(i, 1, "dense", score) for i in asked]
            return RetrieveResponse(candidates=candidates)
        return await super().Retrieve(request, context)

    async def Rank(self, request, context):  # noqa: N802
        response = await super().Rank(request, context)
        for result in response.results if request.include_contributions else ():
            result.contributions.extend(
                [
                    Contribution(feature="rating", value=1, contribution=0.5, label="rated well"),
                    Contribution(feature="stock", value=0, contribution=-0.25, label="in stock"),
                ]
            )
        return response


async def settled(page):
    """Waits until a search that has begun is over: all its reasons are there, and its times."""
    await expecting(page.locator("#results:not([aria-busy])")).to_be_attached()


@asynccontextmanager
async def held_back(page, path):
    """Lets no answer of a route come while the block runs."""
    over = asyncio.Event()

    async def hold(route):
        await over.wait()
        await route.continue_()

    await page.route(f"**/api/{path}", hold)
    try:
        yield
    finally:
        over.set()  # the route stays: to take it away would answer those that wait a second time


async def point_at(locator):
    """Moves the mouse there once the page lies still: what scrolls closes a box."""
    await locator.scroll_into_view_if_needed()
    # Pages are told of scrolling with the next frame.
    await locator.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    )
    await locator.hover()


def expecting(locator):
    from playwright.async_api import expect

    return expect(locator)
