"""What a search asks of the knowledge graph for its reasons, and what comes of it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.orchestrator.clients import Clients
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.fallback import Degradations
from services.orchestrator.page import PageBuilder
from services.orchestrator.reasons import ReasonView
from services.orchestrator.search_query import SearchQuery, Work
from services.orchestrator.ties import MOST_OTHERS, Ties, graph_ties, nameable
from shared.errors import UnavailableError
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import RecentProduct, UserContext, UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import ENTITY_TYPE_MODEL, QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1.relation_pb2 import (
    RELATION_KIND_FITS,
    RELATION_KIND_GOES_WITH,
    Relation,
)
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, GetProductsResponse

PAGE = ["ink", "pen"]


class Graph:
    """A recommendation service that ties all to all, or is lost."""

    def __init__(self, *, lost: bool = False) -> None:
        self.asked: list[pb.RelateRequest] = []
        self.lost = lost

    async def relate(self, request: pb.RelateRequest, timeout: float) -> pb.RelateResponse:  # noqa: ASYNC109
        self.asked.append(request)
        if self.lost:
            raise UnavailableError("gone")
        return pb.RelateResponse(
            products=[
                pb.ProductRelations(
                    product_id=each,
                    relations=[
                        Relation(kind=RELATION_KIND_FITS, product_id=other)
                        for other in request.beside_product_ids
                    ],
                )
                for each in request.product_ids
            ]
        )


def work_of(profile: UserProfile | None) -> Work:
    query = cast("SearchQuery", SimpleNamespace(user=UserContext(user_id="ann")))
    return Work(query, StageTimer(), Degradations(), profile)


def ask(graph: Graph, work: Work, understanding: QueryUnderstanding | None = None) -> Ties:
    clients: Any = SimpleNamespace(relate=graph.relate, settings=OrchestratorSettings())
    asked = understanding or QueryUnderstanding(query="ink")
    return asyncio.run(graph_ties(cast("Clients", clients), work, asked, PAGE))


def naming_a_model(text: str = "DCP-L2530") -> QueryUnderstanding:
    understanding = QueryUnderstanding(query=f"{text} ink")
    understanding.entities.add(type=ENTITY_TYPE_MODEL, text=text)
    return understanding


def history(*recent: tuple[str, str, str]) -> UserProfile:
    return UserProfile(
        user_id="pseudonym",
        recent_products=[
            RecentProduct(product_id=product_id, action=action, title=title)
            for product_id, action, title in recent
        ],
    )


@pytest.mark.parametrize("profile", [None, UserProfile(), history(("gone", "view", ""))])
def test_a_visitor_nobody_knows_costs_no_call(profile: UserProfile | None) -> None:
    graph = Graph()
    assert ask(graph, work_of(profile)) == {}
    assert graph.asked == []


def test_the_history_is_asked_of_what_was_bought_first() -> None:
    graph = Graph()
    seen = [(f"v{n}", "view", f"Viewed {n}") for n in range(30)]
    work = work_of(history(*seen, ("printer", "purchase", "DCP-L2530 printer")))
    ties = ask(graph, work)
    (request,) = graph.asked
    assert list(request.product_ids) == PAGE
    assert request.beside_product_ids[:2] == ["printer", "v0"]
    assert len(request.beside_product_ids) == MOST_OTHERS
    assert request.user.user_id == "pseudonym"
    assert [each.product_title for each in ties["ink"]][:2] == ["DCP-L2530 printer", "Viewed 0"]
    assert not list(work.degradations)


def test_a_lost_graph_is_told_and_costs_nothing_else() -> None:
    work = work_of(history(("printer", "purchase", "Printer")))
    assert ask(Graph(lost=True), work) == {}
    assert [each.stage for each in work.degradations] == ["ties"]


def test_a_query_that_names_a_model_asks_for_the_page_itself() -> None:
    graph = Graph()
    ask(graph, work_of(None), naming_a_model())
    assert list(graph.asked[0].beside_product_ids) == PAGE


@pytest.mark.parametrize(
    ("title", "kind", "named"),
    [
        ("Brother DCP L2530 printer", RELATION_KIND_FITS, True),
        ("Brother DCP-L9990 printer", RELATION_KIND_FITS, False),
        ("Brother DCP L2530 printer", RELATION_KIND_GOES_WITH, False),
    ],
)
def test_of_the_page_the_device_that_the_query_names_is_named(
    title: str, kind: int, *, named: bool
) -> None:
    page = {"printer": Product(id="printer", titles={"en": title, "zh": f"{title} 打印机"})}
    relation = Relation(kind=kind, product_id="printer")  # type: ignore[arg-type]
    ties = nameable({"ink": [relation]}, naming_a_model(), page, "zh")
    assert [each.product_title for each in ties.get("ink", ())] == [f"{title} 打印机"] * named


def test_what_has_a_title_stays_whatever_the_query() -> None:
    relation = Relation(kind=RELATION_KIND_GOES_WITH, product_id="p", product_title="Printer")
    assert nameable({"ink": [relation]}, None, {}, "en") == {"ink": [relation]}


def test_reasons_of_a_page_get_its_ties() -> None:
    products = [
        Product(id="ink", titles={"en": "Brother toner for DCP-L2530"}),
        Product(id="printer", titles={"en": "Brother DCP-L2530 printer"}),
    ]

    async def get_products(request: GetProductsRequest, timeout: float) -> GetProductsResponse:  # noqa: ASYNC109
        return GetProductsResponse(products=products)

    async def ties() -> Ties:
        found = Relation(kind=RELATION_KIND_FITS, product_id="printer")
        return {"ink": [found], "printer": [Relation(kind=RELATION_KIND_FITS, product_id="gone")]}

    clients: Any = SimpleNamespace(get_products=get_products, settings=OrchestratorSettings())
    results = [Result(product=Product(id=each.id)) for each in products]
    view = ReasonView("en", naming_a_model(), None)
    building = PageBuilder(clients).build(
        results, 1, (), view, StageTimer(), include_contributions=False, ties=ties
    )
    page = asyncio.run(building)
    assert page.reasons is not None
    ink, printer = page.reasons.items
    assert [each.product_title for each in ink.relations] == ["Brother DCP-L2530 printer"]
    assert not printer.relations
