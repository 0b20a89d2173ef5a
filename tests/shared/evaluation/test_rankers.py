# ruff: noqa: N802 - servicers are named by the contract
import grpc
import pytest

from shared.evaluation import rankers, report
from shared.evaluation.search_evaluation import SuiteTargets, evaluate_search
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.nlu_service_pb2 import ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import (
    NluServiceServicer,
    add_NluServiceServicer_to_server,
)
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import (
    SearchServiceServicer,
    add_SearchServiceServicer_to_server,
)
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsResponse, RetrieveResponse
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import (
    RetrievalServiceServicer,
    add_RetrievalServiceServicer_to_server,
)

DENSE, SPARSE, FUSED, PATH = ["a", "x", "b"], ["b", "a"], ["b", "x", "a"], ["a", "b", "x"]
JUDGMENTS = {"kettle": {"a": 3, "b": 1, "gone": 2}, "cup": {"b": 0}}


def admitted(ids, condition):
    return [item for item in ids if not condition or f'"{item}"' in condition]


class FakeServices(NluServiceServicer, RetrievalServiceServicer, SearchServiceServicer):
    def __init__(self):
        self.without_vector = set()
        self.degrade = 0
        self.page_of = 100
        self.path = PATH
        self.limits = set()
        self.catalogue = {"a", "b", "x"}

    async def Parse(self, request, context):
        if request.query in self.without_vector:
            return ParseResponse(
                understanding=QueryUnderstanding(query=request.query),
                degraded=[Degradation(stage="nlu.embedding", detail="model is away")],
            )
        return ParseResponse(
            understanding=QueryUnderstanding(query=request.query, vector=Vector(values=[1.0]))
        )

    async def Retrieve(self, request, context):
        legs = list(request.legs)
        ids = FUSED if len(legs) == 2 else DENSE if legs == ["dense"] else SPARSE
        assert request.exact == bool(request.filter)
        self.limits.add(request.limit)
        return RetrieveResponse(
            candidates=[
                Candidate(product=Product(id=item)) for item in admitted(ids, request.filter)
            ]
        )

    async def GetProducts(self, request, context):
        found = [item for item in request.product_ids if item in self.catalogue]
        return GetProductsResponse(products=[Product(id=item) for item in found])

    async def Search(self, request, context):
        assert request.skip_reasons
        start = int(request.page_token or 0)
        ids = admitted(self.path, request.filter)
        end = start + self.page_of
        response = SearchResponse(
            results=[Result(product=Product(id=item)) for item in ids[start:end]],
            next_page_token=str(end) if end < len(ids) else "",
        )
        if self.degrade:
            self.degrade -= 1
            response.degraded.add(stage="ranking")
        return response


@pytest.fixture
async def services():
    fakes = FakeServices()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_NluServiceServicer_to_server(fakes, server)
    add_RetrievalServiceServicer_to_server(fakes, server)
    add_SearchServiceServicer_to_server(fakes, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    fakes.targets = SuiteTargets(*[f"127.0.0.1:{port}"] * 3)
    yield fakes
    await server.stop(None)


async def test_every_leg_and_the_path_are_ranked(services):
    evaluation = await evaluate_search(services.targets, JUDGMENTS)
    document = evaluation.as_json()
    assert set(document["legs"]) == {"dense", "sparse", "fused"}
    assert document["path"][report.MRR] == 1.0
    assert document["legs"]["sparse"][report.NDCG] < document["path"][report.NDCG] < 1
    # The unjudged product has no place among the judged ones.
    assert document["legs"]["dense"][report.NDCG_JUDGED_ONLY] == pytest.approx(
        document["path"][report.NDCG_JUDGED_ONLY]
    )
    assert document["queries"] == 2
    assert document["queries_without_relevant"] == 1
    assert document["judged_products_missing"] == 1
    assert document["failed_queries"] == []


async def test_a_failing_query_is_named_and_the_others_are_scored(services):
    services.without_vector = {"cup"}
    seen = []
    evaluation = await evaluate_search(services.targets, JUDGMENTS, on_query=seen.append)
    assert list(evaluation.failures) == ["cup"]
    assert "model is away" in str(evaluation.failures["cup"])
    assert evaluation.systems["path"].by_query[report.NDCG]["kettle"] > 0
    assert sorted(seen) == ["cup", "kettle"]


async def test_a_product_that_comes_twice_fails_its_query(services):
    services.path = ["a", "a"]
    evaluation = await evaluate_search(services.targets, {"kettle": {"a": 1}})
    assert "path named a product twice" in str(evaluation.failures["kettle"])


async def test_a_passing_degradation_is_asked_again(services):
    services.degrade = 1
    evaluation = await evaluate_search(services.targets, {"kettle": {"a": 1}})
    assert evaluation.degraded_queries == {}


async def test_a_lasting_degradation_is_counted(services):
    services.degrade = 1_000
    evaluation = await evaluate_search(services.targets, {"kettle": {"a": 1}})
    assert set(evaluation.degraded_queries) == {"ranking"}
    assert evaluation.failures == {}


async def test_the_path_is_read_page_by_page(services):
    services.page_of = 1
    evaluation = await evaluate_search(services.targets, JUDGMENTS)
    assert evaluation.systems["path"].by_query[report.RECALL]["kettle"] == pytest.approx(2 / 3)


async def test_judged_products_that_fit_no_filter_are_taken_from_a_deep_ranking(services):
    many = {f"product-{number}": 0 for number in range(500)} | {"a": 3}
    assert rankers.judged_only_filter(list(many)) is None
    evaluation = await evaluate_search(services.targets, {"kettle": many})
    assert evaluation.condensed_queries == 1
    assert services.limits == {rankers.DEEP}
    assert evaluation.failures == {}
    assert evaluation.systems["path"].means()[report.NDCG_JUDGED_ONLY] == 1.0


def test_filters_quote_the_ids():
    assert rankers.judged_only_filter(['a"b', "c"]) == 'id: ("a\\"b" OR "c")'
