"""`make up` itself, with the bundled catalogue, on ports of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.suite import PortPlan

pytestmark = pytest.mark.suite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    ports = PortPlan.free()
    environment = os.environ | ports.environment()
    environment |= {
        "WHEREFORE_HOME": str(tmp_path_factory.mktemp("home")),
        "WHEREFORE_TARGET": f"127.0.0.1:{ports.orchestrator}",
        "WHEREFORE_REASON_MODEL_SECONDS": "2",  # or a busy machine leaves reasons to templates
        "WHEREFORE_ORCHESTRATOR_BUDGETS__REASON": '{"seconds": 3, "reserve": 0.01}',
    }
    yield environment
    make("down", environment)


def make(goal: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--silent", goal],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_up_imports_once_and_search_answers(environment: dict[str, str]) -> None:
    first = make("up", environment)
    assert first.returncode == 0, first.stdout + first.stderr
    search = ["wherefore", "search", "wireless headphones", "--json"]
    command = [str(ROOT / ".venv" / "bin" / search[0]), *search[1:]]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["results"]
    assert not answer.get("degraded")

    again = make("up", environment)
    assert again.returncode == 0, again.stdout + again.stderr
    status = make("status", environment)
    assert status.returncode == 0
    for name in ("orchestrator", "nlu", "retrieval", "ranking", "reason", "recommend"):
        assert name in status.stdout
