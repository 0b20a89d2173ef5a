"""What someone with grpcurl sees; `buf curl` speaks the same protocols."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.suite import Suite

pytestmark = pytest.mark.suite

SERVICES = {
    "orchestrator": {
        "wherefore.orchestrator.v1.SearchService",
        "wherefore.orchestrator.v1.CompletionService",
        "wherefore.orchestrator.v1.ExplanationService",
        "wherefore.orchestrator.v1.RecommendationService",
        "wherefore.orchestrator.v1.ProductService",
        "wherefore.orchestrator.v1.UserEventService",
        "wherefore.orchestrator.v1.EventLogService",
        "wherefore.orchestrator.v1.SummaryService",
    },
    "nlu": {"wherefore.nlu.v1.NluService", "wherefore.nlu.v1.PictureService"},
    "retrieval": {
        "wherefore.retrieval.v1.IndexAdminService",
        "wherefore.retrieval.v1.RetrievalService",
    },
    "ranking": {"wherefore.ranking.v1.RankingService"},
    "reason": {
        "wherefore.reason.v1.ClassificationService",
        "wherefore.reason.v1.ReasonService",
        "wherefore.reason.v1.TagService",
    },
    "recommend": {"wherefore.recommend.v1.RecommendService"},
}


def buf_curl(*arguments: str) -> str:
    buf = shutil.which("buf") or str(Path(sys.executable).with_name("buf"))
    done = subprocess.run(
        [buf, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_reflection_lists_every_service(suite: Suite, name: str) -> None:
    listed = set(buf_curl("--list-services", f"http://{suite.target(name)}").split())
    assert SERVICES[name] <= listed
    assert "grpc.health.v1.Health" in listed


@pytest.mark.parametrize(
    ("name", "service"), [(name, s) for name, all_ in SERVICES.items() for s in sorted(all_)]
)
def test_health_answers_per_service(suite: Suite, name: str, service: str) -> None:
    answer = buf_curl(
        "--data",
        json.dumps({"service": service}),
        f"http://{suite.target(name)}/grpc.health.v1.Health/Check",
    )
    assert json.loads(answer) == {"status": "SERVING"}


def test_a_search_needs_no_schema(suite: Suite) -> None:
    answer = buf_curl(
        "--data",
        '{"query": "wireless headphones under 300", "page_size": 3}',
        f"http://{suite.target('orchestrator')}/wherefore.orchestrator.v1.SearchService/Search",
    )
    response = json.loads(answer)
    assert len(response["results"]) == 3
    assert all(result["reason"]["text"] for result in response["results"])
