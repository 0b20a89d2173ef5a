"""Every RPC gets requests that nobody should send, and answers each as its contract says.

The RPCs come from the descriptors, so a new one is fuzzed without a new line. `python -m
benchmarks.fuzz` does the same for as long as one likes.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from random import Random

import grpc
import pytest
from google.protobuf import text_format
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.catalogue import bundled_catalogue_path
from shared.suite import Suite
from shared.suite.ports import ALL
from tests.fuzz import seeds
from tests.fuzz.cases import Case, make_case
from tests.fuzz.client import Client
from tests.fuzz.methods import Method, all_methods
from tests.fuzz.oracle import problems
from tests.integration.conftest import import_catalogue
from wherefore.retrieval.v1.retrieval_service_pb2 import DeleteRequest, ListProductsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

pytestmark = pytest.mark.suite
EXAMPLES = int(os.environ.get("WHEREFORE_FUZZ_EXAMPLES", "80"))
"""Calls of each RPC."""
_ENDING_SECONDS = 20.0
"""What an operation that was given up may take to end."""
METHODS = all_methods()
CHANCE = st.one_of(st.integers(0, 2**64 - 1).map(Random), st.randoms(use_true_random=False))
"""By a seed the calls differ most; drawn one by one they can be shrunk to the part that matters."""


@pytest.fixture(scope="module")
def targets(suite: Suite) -> dict[str, str]:
    return {name: suite.target(name) for name in ALL}


@pytest.fixture(scope="module")
def start(targets: dict[str, str]) -> seeds.Suite:
    return seeds.Suite(targets)


@pytest.fixture(scope="module")
def client(targets: dict[str, str]) -> Iterator[Client]:
    """A client; what the calls leave in the catalogue is gone afterwards, for the other tests."""
    with Client(targets) as client, grpc.insecure_channel(targets["retrieval"]) as channel:
        retrieval = RetrievalServiceStub(channel)
        before = product_ids(retrieval)
        yield client
        made = sorted(product_ids(retrieval) - before)
        for at in range(0, len(made), 100):
            retrieval.Delete(DeleteRequest(product_ids=made[at : at + 100]), timeout=60)
        asyncio.run(import_catalogue(targets["orchestrator"], bundled_catalogue_path()))


def product_ids(retrieval: RetrievalServiceStub) -> set[str]:
    found: set[str] = set()
    after = ""
    while True:
        request = ListProductsRequest(page_size=1000, after_id=after, read_mask={"paths": ["id"]})
        page = retrieval.ListProducts(request, timeout=60)
        found |= {product.id for product in page.products}
        after = page.next_after_id
        if not after:
            return found


def shown(case: Case) -> str:
    """A call for people, and its bytes for whoever wants to send it again."""
    texts = [text_format.MessageToString(m, as_utf8=True)[:4000] for m in case.messages()]
    return "\n--\n".join([*texts, *(raw.hex()[:4000] for raw in case.requests)])


def checked(client: Client, case: Case) -> None:
    outcome = client.call(case)
    found = problems(case, outcome)
    assert not found, f"{found}\n{outcome.code.name} {outcome.message}\n{shown(case)}"


@pytest.mark.parametrize("process", ALL)
def test_every_rpc_that_is_served_is_fuzzed(targets: dict[str, str], process: str) -> None:
    known = {method.service for method in METHODS if method.process == process}
    with grpc.insecure_channel(targets[process]) as channel:
        served = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {name for name in served if name.startswith("wherefore.")} == known


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.short)
def test_valid_requests_are_answered(client: Client, start: seeds.Suite, method: Method) -> None:
    for seed in seeds.seeds(start, method):
        case = Case(method, (seed.SerializeToString(),))
        outcome = client.call(case)
        until = time.monotonic() + _ENDING_SECONDS
        while outcome.code is grpc.StatusCode.ABORTED and time.monotonic() < until:
            time.sleep(0.1)  # what was given up is still ending
            outcome = client.call(case)
        if outcome.code is grpc.StatusCode.FAILED_PRECONDITION:
            pytest.skip(f"not to be had here: {outcome.message}")
        assert outcome.code is grpc.StatusCode.OK, outcome.message
        assert not problems(case, outcome)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.short)
def test_fuzzed_requests(client: Client, start: seeds.Suite, suite: Suite, method: Method) -> None:
    begin = seeds.start(start, method)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(CHANCE)
    def fuzz(random) -> None:
        checked(client, make_case(random, method, begin))

    fuzz()
    health = {row.name: row.health for row in suite.status() if row.state != "absent"}
    assert set(health.values()) == {"SERVING"}, health
