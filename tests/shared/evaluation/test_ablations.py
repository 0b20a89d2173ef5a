# ruff: noqa: N802 - servicers are named by the contract
import grpc
import pytest

from shared.evaluation.ablations import PARTS, Ablation, StagedSearch, of_features
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import (
    ENTITY_TYPE_COLOUR,
    Constraint,
    Entity,
    Expansion,
    NumberRange,
    QueryUnderstanding,
)
from wherefore.ranking.v1.ranked_result_pb2 import RankedResult
from wherefore.ranking.v1.ranking_service_pb2 import RankResponse
from wherefore.ranking.v1.ranking_service_pb2_grpc import (
    RankingServiceServicer,
    add_RankingServiceServicer_to_server,
)
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveResponse
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import (
    RetrievalServiceServicer,
    add_RetrievalServiceServicer_to_server,
)

QUERY = QueryUnderstanding(
    query="red kettle under 50",
    search_text="red kettle",
    filter="price <= 50",
    entities=[Entity(type=ENTITY_TYPE_COLOUR, text="red")],
    constraints=[Constraint(field="price", range=NumberRange(max=50), hard=True)],
    expansions=[Expansion(term="kettle", expansion="boiler", weight=0.6)],
)


class FakeServices(RetrievalServiceServicer, RankingServiceServicer):
    """Retrieval knows a and b; ranking turns them round."""

    def __init__(self):
        self.retrieved = []
        self.ranked = []
        self.too_dear = False

    async def Retrieve(self, request, context):
        self.retrieved.append(request)
        met = not (self.too_dear and any(c.hard for c in request.query.constraints))
        ids = ("a", "b") if met else ()
        return RetrieveResponse(candidates=[Candidate(product=Product(id=item)) for item in ids])

    async def Rank(self, request, context):
        self.ranked.append(request)
        return RankResponse(
            results=[RankedResult(product_id=c.product.id) for c in reversed(request.candidates)]
        )


@pytest.fixture
async def services():
    fakes = FakeServices()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_RetrievalServiceServicer_to_server(fakes, server)
    add_RankingServiceServicer_to_server(fakes, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        fakes.staged = StagedSearch(channel, channel, QUERY, 5.0)
        yield fakes
    await server.stop(None)


async def test_nothing_is_changed_where_nothing_is_left_out(services):
    assert await services.staged.rank(Ablation(), 'id: ("a")') == ["b", "a"]
    (retrieved,), (ranked,) = services.retrieved, services.ranked
    assert retrieved.query == ranked.query == QUERY
    assert retrieved.filter == 'id: ("a")'
    assert not retrieved.legs
    assert not ranked.HasField("diversity")


async def asked(services, name):
    """What retrieval and ranking are asked when a part is left out."""
    await services.staged.rank(PARTS[name])
    return services.retrieved[-1], services.ranked[-1]


async def test_a_leg_is_left_out_of_retrieval(services):
    assert list((await asked(services, "without dense"))[0].legs) == ["sparse"]
    assert list((await asked(services, "without sparse"))[0].legs) == ["dense"]


async def test_a_part_of_the_query_is_left_out_for_both_stages(services):
    for name, field in (
        ("without expansion", "expansions"),
        ("without constraints", "constraints"),
        ("without entities", "entities"),
    ):
        for request in await asked(services, name):
            kept = QueryUnderstanding()
            kept.CopyFrom(request.query)
            assert not getattr(kept, field), name
            getattr(kept, field).extend(getattr(QUERY, field))
            kept.filter = QUERY.filter
            assert kept == QUERY, name


async def test_soft_constraints_still_reach_ranking(services):
    retrieved, ranked = await asked(services, "constraints not hard")
    assert [c.hard for c in retrieved.query.constraints] == [False]
    assert [c.hard for c in ranked.query.constraints] == [False]
    assert QUERY.constraints[0].hard


async def test_ranking_alone_is_asked_again_where_retrieval_is_the_same(services):
    features = of_features({"words": "search-without-words"})
    for ablation in (Ablation(), *features.values(), PARTS["without variety"]):
        await services.staged.rank(ablation)
    assert len(services.retrieved) == 1
    assert [r.serving_config for r in services.ranked] == [
        "search",
        "search-without-words",
        "search",
    ]
    assert services.ranked[-1].diversity == 0
    assert list(features) == ["without words features"]


async def test_conditions_that_nothing_meets_are_softened(services):
    services.too_dear = True
    assert await services.staged.rank(Ablation()) == ["b", "a"]
    assert len(services.retrieved) == 2
    assert [c.hard for c in services.ranked[-1].query.constraints] == [False]
