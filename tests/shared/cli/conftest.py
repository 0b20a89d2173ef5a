"""A suite of fakes on a real port, and a way to run commands against it.

The fakes run in gRPC's own threads: every command has an event loop of its own, and gRPC's asyncio
layer is not at ease with two of them in one process.
"""
# ruff: noqa: N802 - servicers are named by the contract

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import pytest
import stamina

from shared.cli.app import main
from shared.errors import WhereforeError
from tests.shared.cli.fake_catalogue import FakeCatalogue
from tests.shared.cli.fake_nlu import FakeNlu
from tests.shared.cli.fake_pages import FakePages
from wherefore.common.v1 import diagnostics_pb2, product_pb2
from wherefore.nlu.v1 import nlu_service_pb2_grpc
from wherefore.orchestrator.v1 import (
    completion_service_pb2_grpc,
    explanation_service_pb2_grpc,
    product_service_pb2_grpc,
    recommendation_service_pb2_grpc,
    search_service_pb2,
    search_service_pb2_grpc,
    user_event_service_pb2,
    user_event_service_pb2_grpc,
)
from wherefore.ranking.v1 import ranking_service_pb2_grpc
from wherefore.retrieval.v1 import retrieval_service_pb2_grpc


@dataclass
class FakeSuite(FakePages, FakeNlu, FakeCatalogue):
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

    def ImportWithProgress(self, request_iterator, context):
        row = imported = duplicates = failed = 0
        for request in request_iterator:
            response = user_event_service_pb2.ImportWithProgressResponse()
            for event in request.events:
                row += 1
                if not (event.user_id or event.session_id):
                    failed += 1
                    response.errors.add(row=row, field="user_id", reason="is required")
                elif event.id and any(known.id == event.id for known in self.events):
                    duplicates += 1
                else:
                    self.events.append(event)
                    imported += 1
            response.acknowledged_row, response.failed_count = row, failed
            response.imported_count, response.duplicate_count = imported, duplicates
            yield response


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
