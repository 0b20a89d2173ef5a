"""A suite of fakes on a real port, and a way to run commands against it.

The fakes run in gRPC's own threads: every command has an event loop of its own, and gRPC's asyncio
layer is not at ease with two of them in one process.
"""
# ruff: noqa: N802, S106 - servicers are named by the contract, and page tokens are no passwords

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import pytest
import stamina
from grpc_status import rpc_status

from shared.cli.app import main
from shared.errors import (
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
    WhereforeError,
    status_proto,
)
from wherefore.common.v1 import diagnostics_pb2, product_pb2, vector_pb2
from wherefore.nlu.v1 import (
    nlu_service_pb2,
    nlu_service_pb2_grpc,
    query_understanding_pb2,
    text_analysis_pb2,
)
from wherefore.orchestrator.v1 import (
    completion_service_pb2,
    completion_service_pb2_grpc,
    explanation_service_pb2,
    explanation_service_pb2_grpc,
    product_service_pb2,
    product_service_pb2_grpc,
    recommendation_service_pb2,
    recommendation_service_pb2_grpc,
    result_pb2,
    search_service_pb2,
    search_service_pb2_grpc,
    user_event_service_pb2,
    user_event_service_pb2_grpc,
)
from wherefore.ranking.v1 import (
    ranked_result_pb2,
    ranking_service_pb2,
    ranking_service_pb2_grpc,
)
from wherefore.reason.v1 import reason_pb2
from wherefore.retrieval.v1 import (
    candidate_pb2,
    facet_pb2,
    retrieval_service_pb2,
    retrieval_service_pb2_grpc,
)


def fail(context: grpc.ServicerContext, error: WhereforeError) -> None:
    """End a call as the services do, with google.rpc details."""
    context.abort_with_status(rpc_status.to_status(status_proto(error)))


def facet_of(key: str) -> facet_pb2.Facet:
    if key == "price":
        ends = [facet_pb2.Interval(max=20), facet_pb2.Interval(min=20)]
        values = [facet_pb2.FacetValue(count=n, interval=each) for n, each in enumerate(ends, 1)]
    else:
        values = [facet_pb2.FacetValue(value="acme", label="Acme", count=4)]
    return facet_pb2.Facet(key=key, values=values, value_count=3, counted_products=9)


@dataclass
class FakeSuite(
    search_service_pb2_grpc.SearchServiceServicer,
    completion_service_pb2_grpc.CompletionServiceServicer,
    explanation_service_pb2_grpc.ExplanationServiceServicer,
    recommendation_service_pb2_grpc.RecommendationServiceServicer,
    product_service_pb2_grpc.ProductServiceServicer,
    nlu_service_pb2_grpc.NluServiceServicer,
    ranking_service_pb2_grpc.RankingServiceServicer,
    retrieval_service_pb2_grpc.RetrievalServiceServicer,
):
    """Public services over a dictionary; remembers what it was asked."""

    products: dict[str, product_pb2.Product] = field(default_factory=dict)
    requests: list = field(default_factory=list)
    break_import_after: list[int] = field(default_factory=list)
    """Products after which each of the next streams breaks."""
    stop_import_early: bool = False
    refuse_import: WhereforeError | None = None
    import_calls: int = 0
    degraded_imports: int = 0
    """Streams that skip the vectors, from the first on."""
    release_import: threading.Event | None = None
    """When set, streams answer nothing before it is."""
    degraded: list[diagnostics_pb2.Degradation] = field(default_factory=list)
    answer: search_service_pb2.SearchResponse | None = None
    """What every search gets, when set."""

    def Search(self, request, context):
        self.requests.append(request)
        if request.page_size < 0:
            fail(context, InvalidArgumentError.of("page_size", "must not be negative"))
        if self.answer is not None:
            return self.answer
        if request.query == "down":
            fail(context, UnavailableError("retrieval cannot be reached", 2))
        results = [
            result_pb2.Result(
                product=product,
                rank=rank,
                score=1 / rank,
                confidence=0.9,
                reason=reason_pb2.Reason(text=f"because of {product.brand}"),
                contributions=[
                    ranked_result_pb2.Contribution(
                        feature="f", contribution=0.25, label="matches the title"
                    )
                ]
                if request.include_contributions
                else [],
            )
            for rank, product in enumerate(self.products.values(), start=1)
            if not request.filter
            or request.filter[:3] != "id:"
            or f'"{product.id}"' in request.filter
        ]
        return search_service_pb2.SearchResponse(
            results=results,
            query=self.understand(request.query),
            next_page_token="token-2" if request.page_size < 100 else "",
            estimated_total=42,
            timings=[
                diagnostics_pb2.StageTiming(stage="nlu", duration_nanos=9_000_000),
                diagnostics_pb2.StageTiming(
                    stage="nlu.embedding", duration_nanos=8_000_000, inference_nanos=7_000_000
                ),
                diagnostics_pb2.StageTiming(
                    stage="retrieval", start_offset_nanos=10_000_000, duration_nanos=3_000_000
                ),
                diagnostics_pb2.StageTiming(
                    stage="ranking", start_offset_nanos=13_000_000, duration_nanos=2_000_000
                ),
            ],
            degraded=self.degraded,
            applied_filter="price < 500",
            relaxed_constraints=['colour: "mauve"'],
            facets=[facet_of(spec.key) for spec in request.facets],
        )

    def Complete(self, request, context):
        self.requests.append(request)
        if request.prefix == "x":
            return completion_service_pb2.CompleteResponse()
        return completion_service_pb2.CompleteResponse(
            completions=[
                completion_service_pb2.Completion(
                    text="Headphones", source=completion_service_pb2.COMPLETION_SOURCE_PRODUCT_TYPE
                ),
                completion_service_pb2.Completion(
                    text="headband",
                    source=completion_service_pb2.COMPLETION_SOURCE_SEARCHES,
                    corrected=True,
                ),
            ]
        )

    def Explain(self, request, context):
        self.requests.append(request)
        group = ranked_result_pb2.ContributionGroup(group="words", label="has the words")
        for feature, value in (("sparse_score", 0.5), ("title_coverage", -0.25)):
            group.contributions.add(feature=feature, label=feature, contribution=value)
        group.contribution = 0.25
        explained = [
            explanation_service_pb2.ProductExplanation(
                product=self.products[product_id],
                explanation=ranked_result_pb2.ResultExplanation(
                    product_id=product_id,
                    rank=7,
                    score=1.25,
                    groups=[group],
                    counter_factual=ranked_result_pb2.CounterFactual(text="would be first if new"),
                ),
                semantic_match=explanation_service_pb2.SemanticMatch(
                    cosine=0.5,
                    words=[
                        explanation_service_pb2.WordEffect(word="kettle", effect=0.2),
                        explanation_service_pb2.WordEffect(word="cheap", effect=-0.1),
                    ],
                ),
            )
            for product_id in request.product_ids
            if product_id in self.products
        ]
        for each in explained[: request.reading_count]:
            reading = each.cross_reading
            reading.query_text, reading.product_text = "cheap kettle", "Steel kettle, 1 l"
            reading.attribution.logit, reading.attribution.logit_without_left = 2.0, -4.0
            reading.attribution.left_words.add(word="kettle", start=6, end=12, attribution=5.5)
            reading.attribution.left_words.add(word="cheap", start=0, end=5, attribution=0.1)
            reading.attribution.right_words.add(word="l", start=16, end=17, attribution=-0.5)
        return explanation_service_pb2.ExplainResponse(
            explanations=explained,
            model="linear@1",
            base_value=1.0,
            ranked_count=100,
            missing_product_ids=[i for i in request.product_ids if i not in self.products],
        )

    def Recommend(self, request, context):
        self.requests.append(request)
        if "absent" in request.product_ids:
            fail(context, NotFoundError("no such product"))
        results = [
            result_pb2.Result(product=product, rank=rank)
            for rank, product in enumerate(self.products.values(), start=1)
        ]
        return recommendation_service_pb2.RecommendResponse(
            results=results, serving_config="popular", degraded=self.degraded
        )

    def Parse(self, request, context):
        self.requests.append(request)
        return nlu_service_pb2.ParseResponse(understanding=self.understand(request.query))

    def Analyse(self, request, context):
        """Reads "good" and "bad" as moods, and every "mug" as a product type."""
        self.requests.append(request)
        if "down" in request.texts:
            fail(context, UnavailableError("the model does not answer"))
        pb = query_understanding_pb2
        moods = {"good": pb.SENTIMENT_LABEL_POSITIVE, "bad": pb.SENTIMENT_LABEL_NEGATIVE}
        return nlu_service_pb2.AnalyseResponse(
            analyses=[
                text_analysis_pb2.TextAnalysis(
                    model="query_test@1",
                    entities=[
                        pb.Entity(type=pb.ENTITY_TYPE_PRODUCT_TYPE, start=at, end=at + 3)
                        for at in range(len(text))
                        if text.startswith("mug", at)
                    ],
                    sentiment=pb.Sentiment(label=moods[text]) if text in moods else None,
                )
                for text in request.texts
            ]
        )

    def understand(self, query):
        pb = query_understanding_pb2
        return pb.QueryUnderstanding(
            query=query,
            search_text="phone",
            language_code="en",
            language_confidence=0.98,
            intent=pb.Intent(type=pb.INTENT_TYPE_PRODUCT_SEARCH, confidence=0.9),
            entities=[
                pb.Entity(type=pb.ENTITY_TYPE_COLOUR, text="黑色", normalized="black", negated=True)
            ],
            constraints=[
                pb.Constraint(field="price", range=pb.NumberRange(max=500, unit="EUR"), hard=True),
                pb.Constraint(field="colour", none_of=pb.ValueSet(values=["black"])),
            ],
            corrections=[pb.Correction(original="samsnug", corrected="samsung", applied=True)],
            vector=vector_pb2.Vector(values=[1.0]),
            tokens=[pb.Token(text="phones", normalized="phone"), pb.Token(text="the")],
        )

    def Import(self, request_iterator, context):
        self.import_calls += 1
        if self.release_import is not None:
            self.release_import.wait(30)
        if self.refuse_import is not None:
            fail(context, self.refuse_import)
        self.degraded_imports -= self.import_calls > 1 and self.degraded_imports > 0
        limit = self.break_import_after.pop(0) if self.break_import_after else None
        response = product_service_pb2.ProductServiceImportResponse()
        taken = 0
        for request in request_iterator:
            self.requests.append(request)
            response.ClearField("errors")
            if self.degraded_imports:
                response.degraded.add(stage="nlu.embedding", fallback="sparse only")
            for place, (line, product) in enumerate(
                zip(request.rows, request.products, strict=True), start=request.first_row
            ):
                if limit is not None and taken == limit:
                    fail(context, UnavailableError("retrieval went away", 0.01))
                taken += 1
                response.acknowledged_row = place
                if product.price.amount < 0:
                    response.failed_count += 1
                    response.errors.add(
                        row=line, id=product.id, field="price.amount", reason="is negative"
                    )
                elif self.products.get(product.id) == product:
                    response.unchanged_count += 1
                else:
                    self.products[product.id] = product
                    response.imported_count += 1
            yield response
            if self.stop_import_early:
                return

    def Stats(self, request, context):
        return retrieval_service_pb2.StatsResponse(product_count=len(self.products))

    def GetProducts(self, request, context):
        found = [self.products[item] for item in request.product_ids if item in self.products]
        return retrieval_service_pb2.GetProductsResponse(products=found)

    def Retrieve(self, request, context):
        admitted = [
            item
            for item in self.products.values()
            if not request.filter or f'"{item.id}"' in request.filter
        ]
        return retrieval_service_pb2.RetrieveResponse(
            candidates=[candidate_pb2.Candidate(product=item) for item in admitted]
        )

    def Rank(self, request, context):
        return ranking_service_pb2.RankResponse(
            results=[
                ranked_result_pb2.RankedResult(product_id=candidate.product.id)
                for candidate in request.candidates
            ]
        )

    def Get(self, request, context):
        if request.product_id not in self.products:
            fail(context, NotFoundError(f"no product {request.product_id}"))
        return product_service_pb2.ProductServiceGetResponse(
            product=self.products[request.product_id]
        )

    def List(self, request, context):
        self.requests.append(request)
        return product_service_pb2.ProductServiceListResponse(
            products=self.products.values(), next_page_token="more"
        )

    def Delete(self, request, context):
        if self.products.pop(request.product_id, None) is None and not request.allow_missing:
            fail(context, NotFoundError(f"no product {request.product_id}"))
        return product_service_pb2.ProductServiceDeleteResponse()


@dataclass
class FakeEvents(user_event_service_pb2_grpc.UserEventServiceServicer):
    """Keeps events in a list; refuses those without a user or a visit."""

    events: list = field(default_factory=list)

    def Write(self, request, context):
        event = request.event
        event.id = event.id or "made-by-server"
        duplicate = any(known.id == event.id for known in self.events)
        if not duplicate:
            self.events.append(event)
        return user_event_service_pb2.UserEventServiceWriteResponse(
            event=event, duplicate=duplicate
        )

    def Import(self, request_iterator, context):
        response = user_event_service_pb2.UserEventServiceImportResponse()
        row = 0
        for request in request_iterator:
            for event in request.events:
                row += 1
                if not (event.user_id or event.session_id):
                    response.failed_count += 1
                    response.errors.add(row=row, field="user_id", reason="is required")
                else:
                    self.events.append(event)
                    response.imported_count += 1
        return response


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


@dataclass
class Running:
    """The fakes, their address, and commands run against them."""

    suite: FakeSuite
    events: FakeEvents
    target: str
    capsys: pytest.CaptureFixture

    def run(self, *arguments: str, target_option: str = "--target") -> Outcome:
        return run_command(self.capsys, *arguments, f"{target_option}={self.target}")


def run_command(capsys, *arguments: str) -> Outcome:
    capsys.readouterr()
    code = main(arguments)
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err)


def product(product_id: str, title: str = "Steel kettle", amount: float = 19.99, **fields):
    return product_pb2.Product(
        id=product_id,
        titles={"en": title, "zh": "不锈钢水壶"},
        brand="Acme",
        price=product_pb2.Price(currency_code="EUR", amount=amount),
        **fields,
    )


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    """A state folder of its own, and no waiting between retries."""
    monkeypatch.setenv("WHEREFORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WHEREFORE_TARGET", raising=False)
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@pytest.fixture
def running(capsys) -> Iterator[Running]:
    suite, events = FakeSuite(), FakeEvents()
    suite.products = {"p-1": product("p-1"), "p-2": product("p-2", "Glass kettle", 1299)}
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    search_service_pb2_grpc.add_SearchServiceServicer_to_server(suite, server)
    completion_service_pb2_grpc.add_CompletionServiceServicer_to_server(suite, server)
    explanation_service_pb2_grpc.add_ExplanationServiceServicer_to_server(suite, server)
    recommendation_service_pb2_grpc.add_RecommendationServiceServicer_to_server(suite, server)
    product_service_pb2_grpc.add_ProductServiceServicer_to_server(suite, server)
    user_event_service_pb2_grpc.add_UserEventServiceServicer_to_server(events, server)
    retrieval_service_pb2_grpc.add_RetrievalServiceServicer_to_server(suite, server)
    ranking_service_pb2_grpc.add_RankingServiceServicer_to_server(suite, server)
    nlu_service_pb2_grpc.add_NluServiceServicer_to_server(suite, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield Running(suite, events, f"127.0.0.1:{port}", capsys)
    server.stop(grace=None).wait()


@pytest.fixture
def make_product():
    return product
