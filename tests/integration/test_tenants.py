"""Two shops in one suite: neither ever sees anything of the other."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.security.settings import SecuritySettings
from shared.suite import Suite
from tests.browser import needs_browser, open_page
from tests.fuzz.methods import all_methods
from tests.integration.shops import (
    WORDS,
    Shop,
    ask,
    complete,
    holds,
    open_shop,
    patiently,
    search,
    until,
    write,
)
from wherefore.common.v1 import user_event_pb2 as event_pb
from wherefore.orchestrator.v1 import aggregate_service_pb2 as aggregate_pb
from wherefore.orchestrator.v1 import event_log_service_pb2 as log_pb
from wherefore.orchestrator.v1 import experiment_service_pb2 as experiment_pb
from wherefore.orchestrator.v1 import explanation_service_pb2 as explanation_pb
from wherefore.orchestrator.v1 import product_service_pb2 as product_pb
from wherefore.orchestrator.v1 import recommendation_service_pb2 as recommendation_pb
from wherefore.orchestrator.v1 import search_service_pb2 as search_pb
from wherefore.orchestrator.v1 import summary_service_pb2 as summary_pb
from wherefore.orchestrator.v1 import user_data_service_pb2 as data_pb
from wherefore.orchestrator.v1.aggregate_service_pb2_grpc import AggregateServiceStub
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.orchestrator.v1.experiment_service_pb2_grpc import ExperimentServiceStub
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.summary_service_pb2_grpc import SummaryServiceStub
from wherefore.orchestrator.v1.user_data_service_pb2_grpc import UserDataServiceStub

pytestmark = pytest.mark.suite

EXPERIMENT = """
layers:
  - name: ranking
    salt: "1"
    experiments:
      - id: {secret}-test
        arms: [{{name: control, share: 0.5}}, {{name: other, share: 0.5}}]
"""


@pytest.fixture(scope="module")
def shops(
    edge: grpc.Channel, security: SecuritySettings, experiments_file: Path
) -> tuple[Shop, Shop]:
    """Two shops with catalogues, events and experiments, and the completions of both learnt."""

    def made(tenant: str, brand: str, secret: str) -> Shop:
        own = experiments_file.parent / tenant / experiments_file.name
        own.parent.mkdir()
        own.write_text(EXPERIMENT.format(secret=secret))
        return open_shop(edge, security, tenant, brand, secret)

    both = made("acme", "Zorvex", "glimmerite"), made("bolt", "Quillan", "thrumwood")
    acme = both[0]
    for product in ("p-1", "p-2"):  # bolt has a user and products of the same names
        write(edge, acme, event_pb.USER_EVENT_TYPE_PURCHASE, product)
    for shop in both:
        write(edge, shop, event_pb.USER_EVENT_TYPE_SEARCH, user_id="eve", query=shop.secret)
        until(lambda shop=shop: complete(edge, shop, shop.brand[:3]).completions)
        until(lambda shop=shop: complete(edge, shop, shop.secret[:5]).completions)
    return both


def streamed(method, request: Message, shop: Shop) -> Iterator[Message]:
    yield from patiently(lambda: list(method(request, timeout=30, metadata=shop.metadata)))


def answers(edge: grpc.Channel, shop: Shop) -> Iterator[tuple[str, Message]]:
    """All that a shop can ask, in its own words, with the method that was asked."""
    user = {"user_id": "ada"}
    for word in WORDS:
        yield "SearchService/Search", search(edge, shop, word, facets=[{"key": "brand"}])
    stream = search_pb.SearchStreamRequest(request={"query": "kettle", "user": user})
    for part in streamed(SearchServiceStub(edge).SearchStream, stream, shop):
        yield "SearchService/SearchStream", part
    for config in ("", "for-you", "buy-again", "popular", "similar"):
        request = recommendation_pb.RecommendRequest(
            user=user, product_ids=["p-1"], serving_config=config, include_bought=True
        )
        answer = ask(RecommendationServiceStub(edge).Recommend, request, shop)
        yield "RecommendationService/Recommend", answer
    explain = explanation_pb.ExplainRequest(query="lamp", product_ids=["p-3"])
    yield "ExplanationService/Explain", ask(ExplanationServiceStub(edge).Explain, explain, shop)
    products = ProductServiceStub(edge)
    get = product_pb.ProductServiceGetRequest(product_id="p-1")
    yield "ProductService/Get", ask(products.Get, get, shop)
    listed = ask(products.List, product_pb.ProductServiceListRequest(), shop)
    yield "ProductService/List", listed
    summarise = summary_pb.SummariseRequest(product_id="p-1")
    yield "SummaryService/Summarise", ask(SummaryServiceStub(edge).Summarise, summarise, shop)
    for prefix in ("l", "ke", "zor", "qui", "glim", "thru"):
        yield "CompletionService/Complete", complete(edge, shop, prefix)
    export = data_pb.ExportUserRequest(user={"user_id": "eve"})
    for part in streamed(UserDataServiceStub(edge).ExportUser, export, shop):
        yield "UserDataService/ExportUser", part
    report = experiment_pb.ExperimentServiceReportRequest()
    yield "ExperimentService/Report", ask(ExperimentServiceStub(edge).Report, report, shop)
    aggregates = AggregateServiceStub(edge)
    for kind in (aggregate_pb.AGGREGATE_KIND_QUERIES, aggregate_pb.AGGREGATE_KIND_PRODUCTS):
        request = aggregate_pb.AggregateRequest(kind=kind, epsilon=10)
        yield "AggregateService/Aggregate", ask(aggregates.Aggregate, request, shop)
    budget = ask(aggregates.GetBudget, aggregate_pb.GetBudgetRequest(), shop)
    yield "AggregateService/GetBudget", budget


WRITES = frozenset(
    {
        *(f"ProductService/{name}" for name in ("Import", "Update", "Delete")),
        *(f"UserEventService/{name}" for name in ("Write", "Import", "ImportWithProgress")),
        *(f"UserDataService/{name}" for name in ("PurgeUser", "SetConsent")),
        "EventLogService/Follow",  # of operators and services, and has a test of its own
    }
)
"""What a shop cannot read by."""
WORDLESS = frozenset({"AggregateService/GetBudget", "SummaryService/Summarise"})
"""Answers in which no word of the shop stands here: numbers, and no reviews."""


def test_no_answer_holds_a_word_of_the_other_shop(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    edges = (each for each in all_methods() if each.process == "orchestrator")
    public = {each.path.rpartition(".")[2] for each in edges}
    for own, other in (shops, shops[::-1]):
        found = list(answers(edge, own))
        assert {method for method, _ in found} == public - WRITES
        with_words = {method for method, answer in found if holds(answer, own)}
        assert with_words >= public - WRITES - WORDLESS
        assert not [method for method, answer in found if holds(answer, other)]


def test_no_search_finds_products_of_the_other_shop(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    words = st.sampled_from([*WORDS, *(w for shop in shops for w in (shop.brand, shop.secret))])

    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    @given(st.lists(words, min_size=1, max_size=4), st.sampled_from([0, 1]))
    def check(query: list[str], which: int) -> None:
        shop = shops[which]
        found = search(edge, shop, " ".join(query))
        assert {each.product.brand for each in found.results} <= {shop.brand}

    check()
    # A slip of the pen is mended by words of the own catalogue alone.
    for (own, other), slip in ((shops, "quilan lamp"), (shops[::-1], "zorvx lamp")):
        assert not holds(search(edge, own, slip), other)


def test_tokens_of_one_shop_are_none_of_the_other(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    acme, bolt = shops
    page = search(edge, acme, "lamp kettle")
    assert page.next_page_token
    assert page.attribution_token
    with pytest.raises(grpc.RpcError) as error:
        search(edge, bolt, "lamp kettle", page_token=page.next_page_token)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as error:
        write(
            edge,
            bolt,
            event_pb.USER_EVENT_TYPE_CLICK,
            "p-1",
            attribution_token=page.attribution_token,
        )
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_events_stay_in_their_log(
    edge: grpc.Channel, shops: tuple[Shop, Shop], security: SecuritySettings
) -> None:
    token = security.operator_token_file.read_text().strip()

    def log(tenant: str) -> log_pb.FollowResponse:
        metadata = (("x-api-key", token), ("x-wherefore-tenant", tenant))
        call = EventLogServiceStub(edge).Follow(
            log_pb.FollowRequest(), timeout=10, metadata=metadata
        )
        first = next(call)
        call.cancel()
        return first

    acme, bolt = shops
    of_acme, of_bolt = log("acme"), log("bolt")
    assert any(each.products for each in of_acme.events)
    assert not holds(of_acme, bolt)
    assert not holds(of_bolt, acme)
    assert not any(each.products for each in of_bolt.events)
    assert of_acme.log_id != of_bolt.log_id

    def bought(shop: Shop) -> bool:
        request = recommendation_pb.RecommendRequest(
            user={"user_id": "ada"}, serving_config="buy-again", include_bought=True
        )
        answer = ask(RecommendationServiceStub(edge).Recommend, request, shop)
        return answer.serving_config == "buy-again" and bool(answer.results)

    assert until(lambda: bought(acme))
    assert not bought(bolt)


def test_a_write_in_one_shop_changes_nothing_in_the_other(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    acme, bolt = shops
    products = ProductServiceStub(edge)
    request = product_pb.ProductServiceDeleteRequest(product_id="p-11")
    products.Delete(request, timeout=20, metadata=acme.metadata)
    get = product_pb.ProductServiceGetRequest(product_id="p-11")
    with pytest.raises(grpc.RpcError) as error:
        products.Get(get, timeout=10, metadata=acme.metadata)
    assert error.value.code() is grpc.StatusCode.NOT_FOUND
    assert products.Get(get, timeout=10, metadata=bolt.metadata).product.brand == bolt.brand


def test_a_key_of_one_shop_cannot_name_the_other(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    acme, bolt = shops
    for name in (bolt.tenant, "a-third", "../acme"):
        with pytest.raises(grpc.RpcError) as error:
            SearchServiceStub(edge).Search(
                search_pb.SearchRequest(query="lamp"),
                timeout=10,
                metadata=(*acme.metadata, ("x-wherefore-tenant", name)),
            )
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.browser
@needs_browser
async def test_the_page_shows_a_shop_what_its_key_opens(
    secured: Suite, shops: tuple[Shop, Shop]
) -> None:
    from playwright.async_api import expect

    port = secured.ports.orchestrator_http
    async with open_page(port, scheme="https", ignore_https_errors=True) as page:
        await page.goto("/?q=kettle")
        for shop in shops:
            await expect(page.locator("#key")).to_be_visible(timeout=20_000)
            await page.fill("#key", shop.metadata[0][1])
            await page.keyboard.press("Enter")
            await expect(page.locator(".card").first).to_contain_text(shop.brand, timeout=20_000)
            await page.evaluate("sessionStorage.clear()")
            await page.reload()
        page.problems.clear()  # the browser tells of answers with 401
