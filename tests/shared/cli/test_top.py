import json
import math
import threading

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from shared.cli import main
from shared.cli.suite_metrics import Scrape, overview, parse, quantile

SEARCH = "/wherefore.orchestrator.v1.SearchService/Search"


def _exposition(*, ok: int, failed: int, started: float = 100.0) -> str:
    lines = [
        f'wherefore_requests_total{{method="{SEARCH}",code="OK"}} {ok}',
        f'wherefore_requests_total{{method="{SEARCH}",code="INTERNAL"}} {failed}',
        f'wherefore_request_seconds_bucket{{method="{SEARCH}",le="0.1"}} {ok}',
        f'wherefore_request_seconds_bucket{{method="{SEARCH}",le="+Inf"}} {ok + failed}',
        'wherefore_breaker_state{dependency="orchestrator.ranking"} 2',
        'wherefore_degraded_total{stage="ranking",cause="circuit_open"} ' + str(ok // 2),
        'wherefore_cache_lookups_total{cache="orchestrator.parse",outcome="hit"} 3',
        'wherefore_cache_lookups_total{cache="orchestrator.parse",outcome="miss"} 1',
        'wherefore_models{model="m",version="2",backend="triton"} 1',
        'wherefore_models{model="m",version="1",backend="triton"} 0',
        f"process_start_time_seconds {started}",
        "process_resident_memory_bytes 1048576",
    ]
    return "\n".join(lines) + "\n"


def _scrape(at: float, **counts: float) -> Scrape:
    return Scrape(at, {"orchestrator": parse(_exposition(**counts))})


def test_between_two_looks():
    state = overview(_scrape(220, ok=190, failed=10), _scrape(210, ok=100, failed=0))
    (row,) = state.methods
    assert row.calls_per_second == pytest.approx(10)
    assert row.error_share == pytest.approx(0.1)
    assert row.p50_ms == pytest.approx(100 * 50 / 90)
    assert state.degraded[0].name == "ranking: circuit_open"
    assert state.degraded[0].share == pytest.approx(0.45)
    assert state.breakers == {"orchestrator.ranking": "open"}
    assert state.models == {"orchestrator": ["m@2 (triton)"]}
    assert not state.caches  # nobody looked meanwhile
    assert [each.service for each in state.services if each.answers] == ["orchestrator"]


def test_the_first_look_counts_from_the_start():
    state = overview(_scrape(110, ok=100, failed=0))
    assert state.methods[0].calls_per_second == pytest.approx(10)
    assert (state.caches[0].name, state.caches[0].share) == ("orchestrator.parse", 0.75)


def test_a_restarted_service_counts_from_its_start():
    state = overview(_scrape(220, ok=10, failed=0, started=215), _scrape(210, ok=1000, failed=0))
    assert state.methods[0].calls_per_second == pytest.approx(2)


def test_quantiles_are_prometheus_own():
    buckets = {0.1: 50.0, 0.2: 100.0, math.inf: 100.0}
    assert quantile(0.75, buckets) == pytest.approx(0.15)
    assert quantile(0.99, {0.1: 0.0, math.inf: 5.0}) == 0.1
    assert quantile(0.5, {}) is None


@pytest.fixture
def ranking_metrics(monkeypatch):
    """A service with metrics, alone in its suite."""
    registry = CollectorRegistry()
    requests = Counter("wherefore_requests_total", "", ("method", "code"), registry=registry)
    requests.labels(SEARCH, "OK").inc(7)
    seconds = Histogram("wherefore_request_seconds", "", ("method",), registry=registry)
    seconds.labels(SEARCH).observe(0.02)
    Gauge("wherefore_breaker_state", "", ("dependency",), registry=registry).labels("nlu").set(1)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    for name in ("ORCHESTRATOR", "NLU", "RETRIEVAL", "REASON", "RECOMMEND"):
        monkeypatch.setenv(f"WHEREFORE_{name}_METRICS_PORT", "0")
    monkeypatch.setenv("WHEREFORE_RANKING_METRICS_PORT", str(server.server_port))
    yield
    server.shutdown()
    server.server_close()
    assert isinstance(thread, threading.Thread)
    thread.join()


def test_json_holds_all_of_it(ranking_metrics, capsys):
    assert main(["top", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["methods"][0]["method"] == "SearchService/Search"
    assert told["breakers"] == {"nlu": "half-open"}
    assert [each["service"] for each in told["services"] if each["answers"]] == ["ranking"]


def test_once_is_for_people(ranking_metrics, capsys):
    assert main(["top", "--once"]) == 0
    shown = capsys.readouterr().out
    assert "SearchService/Search" in shown
    assert "no metrics" in shown


def test_no_suite(monkeypatch, capsys):
    for name in ("ORCHESTRATOR", "NLU", "RETRIEVAL", "RANKING", "REASON", "RECOMMEND"):
        monkeypatch.setenv(f"WHEREFORE_{name}_METRICS_PORT", "0")
    assert main(["top", "--once"]) == 3
    assert "wherefore up" in capsys.readouterr().err
    assert main(["top", "--every", "0"]) == 2
