"""Metrics and traces of suites that run."""

import http.client
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import grpc
import promql_parser
import pytest

from services.orchestrator.event_stream.tail import FOLLOWED
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.suite import PortPlan, Suite
from shared.suite.ports import SERVICES
from tests.deploy.promql import expressions, recorded, selectors
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.suite

QUERY = "embarrassing mug"
CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"


def _get(port: int) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/metrics")
        with connection.getresponse() as response:
            return response.read().decode()


def test_what_dashboards_and_rules_ask_for_is_exported(suite: Suite) -> None:
    ports = [getattr(suite.ports, f"{name}_metrics") for name in SERVICES]
    text = "\n".join(_get(port) for port in ports)
    if suite.has_triton:
        text += _get(suite.ports.triton_metrics)
    declared = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    # Exported where a log of events is shared, which this suite's is not.
    declared |= {metric.name for metric in FOLLOWED.collect()}
    series = {f"{name}{end}" for name in declared for end in ("", "_bucket", "_sum", "_count")}
    asked = {
        selector.name
        for _, expr in expressions()
        for selector in selectors(promql_parser.parse(expr))
        if suite.has_triton or not selector.name.startswith("nv_")
    }
    assert asked - recorded().keys() - {"up"} <= series


class Collector:
    """An OpenTelemetry collector that keeps what it is sent."""

    def __init__(self) -> None:
        trace_pb = pytest.importorskip(
            "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
            reason="the extra tracing is not installed",
        )
        self.spans: list[tuple[str, object]] = []
        self._lock = threading.Lock()

        def export(request, context):
            with self._lock:
                for each in request.resource_spans:
                    (service,) = (
                        a.value.string_value
                        for a in each.resource.attributes
                        if a.key == "service.name"
                    )
                    for scope in each.scope_spans:
                        self.spans += [(service, span) for span in scope.spans]
            return trace_pb.ExportTraceServiceResponse()

        handler = grpc.unary_unary_rpc_method_handler(
            export,
            request_deserializer=trace_pb.ExportTraceServiceRequest.FromString,
            response_serializer=trace_pb.ExportTraceServiceResponse.SerializeToString,
        )
        self.server = grpc.server(ThreadPoolExecutor(4))
        name = "opentelemetry.proto.collector.trace.v1.TraceService"
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(name, {"Export": handler}),)
        )
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.stop(None)


def test_one_search_is_one_trace_through_all_services(collector: Collector, tmp_path: Path) -> None:
    target = f"http://127.0.0.1:{collector.port}"
    variables = {f"WHEREFORE_{name.upper()}_TRACE_TARGET": target for name in SERVICES}
    with Suite(tmp_path, PortPlan.free(), private=True, variables=variables) as suite:
        suite.up()
        rows = itertools.islice(read_catalogue(bundled_catalogue_path()), 60)
        products = [row.product for row in rows if row.product is not None]
        with grpc.insecure_channel(suite.target("orchestrator")) as channel:
            batch = ProductServiceImportRequest(products=products, rows=range(len(products)))
            list(ProductServiceStub(channel).Import(iter([batch]), timeout=60))
            response, call = SearchServiceStub(channel).Search.with_call(
                SearchRequest(query=QUERY),
                timeout=10,
                metadata=(("traceparent", f"00-{CALLER}-00f067aa0ba902b7-01"),),
            )
        assert response.results
        assert dict(call.trailing_metadata())["traceparent"].split("-")[1] == CALLER
    # A service that stopped has sent all it had.
    found = [(who, span) for who, span in collector.spans if span.trace_id.hex() == CALLER]
    by_id = {span.span_id: (who, span) for who, span in found}
    calls = {
        span.name.rpartition(".")[2]: (who, by_id.get(span.parent_span_id))
        for who, span in found
        if span.name.startswith("wherefore.")
    }
    assert calls["SearchService/Search"] == ("wherefore.orchestrator", None)
    for method, stage in (
        ("NluService/Parse", "nlu"),
        ("RetrievalService/Retrieve", "retrieval"),
        ("RankingService/Rank", "ranking"),
        ("ReasonService/Explain", "reason"),
    ):
        who, (asker, parent) = calls[method]
        assert who == f"wherefore.{stage}"
        assert (asker, parent.name) == ("wherefore.orchestrator", stage)
    if suite.has_triton:
        assert any(span.name == "triton.infer" for _, span in found)
    told = "".join(str(span) for _, span in found)
    assert "embarrassing" not in told
    assert not any(product.id in told for product in products)
