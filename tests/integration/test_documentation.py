"""Every command of README.md and docs/ runs: ```sh and ```python blocks.

`grpcurl` is stood in for by `tests/grpcurl.py`; addresses are those of the suite that the tests
started, or of one with security on where a block names its folder. ```console blocks hold what is
run elsewhere: `make up` by test_make_up.py, `make test` by continuous integration.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import grpc
import pytest

from shared.security.settings import SecuritySettings
from shared.suite import Suite
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.suite

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
GRPCURL = f'#!/bin/sh\nexec {sys.executable} {ROOT / "tests" / "grpcurl.py"} "$@"\n'
SECURITY = ".wherefore/security/"
"""The folder of certificates and keys, as the documents name it."""


def blocks(language: str) -> list[pytest.ParameterSet]:
    return [
        pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text("utf-8")), 1)
        if kind == language
    ]


@pytest.fixture(scope="module")
def product_id(suite: Suite) -> str:
    """Some product, for the documents' PRODUCT_ID."""
    with grpc.insecure_channel(suite.target("orchestrator")) as channel:
        response = SearchServiceStub(channel).Search(SearchRequest(query="mug"), timeout=5)
    return response.results[0].product.id


@pytest.fixture
def environment(suite: Suite, tmp_path: Path) -> dict[str, str]:
    shim = tmp_path / "bin" / "grpcurl"
    shim.parent.mkdir()
    shim.write_text(GRPCURL)
    shim.chmod(0o755)
    folders = [str(shim.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    return (
        os.environ
        | suite.ports.environment()
        | {
            "PATH": os.pathsep.join(folders),
            "WHEREFORE_HOME": str(suite.home),
            "WHEREFORE_TARGET": suite.target("orchestrator"),
            "WHEREFORE_ORCHESTRATOR_NLU_TARGET": suite.target("nlu"),
            "WHEREFORE_ORCHESTRATOR_REASON_TARGET": suite.target("reason"),
            "WHEREFORE_ORCHESTRATOR_RETRIEVAL_TARGET": suite.target("retrieval"),
        }
    )


@pytest.fixture
def localised(request: pytest.FixtureRequest, suite: Suite, product_id: str) -> str:
    """The commands of a block for a suite of the tests."""
    block: str = request.param
    if SECURITY in block:
        suite = request.getfixturevalue("secured")
        security: SecuritySettings = request.getfixturevalue("security")
        block = block.replace(SECURITY, f"{security.dir}/")
    return (
        block.replace("localhost:7700", suite.target("orchestrator"))
        .replace("localhost:7701", suite.target("nlu"))
        .replace("localhost:7704", suite.target("reason"))
        .replace("localhost:7705", suite.target("recommend"))
        .replace("localhost:7706", suite.inner_target("orchestrator"))
        .replace("localhost:7790", f"127.0.0.1:{suite.ports.orchestrator_metrics}")
        .replace("PRODUCT_ID", product_id)
    )


@pytest.mark.parametrize("localised", blocks("sh"), indirect=True)
def test_commands(environment: dict[str, str], localised: str) -> None:
    if "jq " in localised and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", localised],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout


@pytest.mark.parametrize("localised", blocks("python"), indirect=True)
def test_python(environment: dict[str, str], localised: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(localised)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_links_lead_somewhere() -> None:
    broken = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        prose = re.sub(r"`[^`\n]*`", "", page.read_text("utf-8"))  # marks in code are no links
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
            if not target.startswith(("http:", "https:")) and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken
