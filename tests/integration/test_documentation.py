"""Every command of README.md and docs/ runs: ```sh and ```python blocks.

`grpcurl` is stood in for by `buf curl`, which speaks the same protocols; addresses are those of
the suite that the tests started. ```console blocks hold what is run elsewhere: `make up` by
test_make_up.py, `make test` by continuous integration.
"""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import grpc
import pytest

from shared.suite import Suite
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.suite

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
GRPCURL = """\
#!{python}
import os, sys
arguments = [a for a in sys.argv[1:] if a != "-plaintext"]
data = []
if arguments[0] == "-d":
    data, arguments = ["--data", arguments[1]], arguments[2:]
address, method = arguments
base = ["buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge"]
if method == "list":
    os.execvp("buf", [*base, "--list-services", f"http://{{address}}"])
os.execvp("buf", [*base, *data, f"http://{{address}}/{{method}}"])
"""


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
    shim.write_text(GRPCURL.format(python=sys.executable))
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
        }
    )


def localised(text: str, suite: Suite, product_id: str) -> str:
    """The same commands for the suite of the tests."""
    return (
        text.replace("localhost:7700", suite.target("orchestrator"))
        .replace("localhost:7701", suite.target("nlu"))
        .replace("localhost:7704", suite.target("reason"))
        .replace("localhost:7705", suite.target("recommend"))
        .replace("localhost:7790", f"127.0.0.1:{suite.ports.orchestrator_metrics}")
        .replace("PRODUCT_ID", product_id)
    )


@pytest.mark.parametrize("block", blocks("sh"))
def test_commands(suite: Suite, environment: dict[str, str], product_id: str, block: str) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", localised(block, suite, product_id)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout


@pytest.mark.parametrize("block", blocks("python"))
def test_python(suite: Suite, environment: dict[str, str], product_id: str, block: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(localised(block, suite, product_id))],
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
