"""The Python client against the suite itself, and from its wheel alone."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.security.api_keys import new_key
from shared.security.settings import SecuritySettings
from shared.suite import Suite
from wherefore.common.v1.user_event_pb2 import UserEvent, UserEventType
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceListRequest
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchStreamRequest
from wherefore.orchestrator.v1.summary_service_pb2 import SummariseRequest
from wherefore_client import AsyncClient, Client, Deadlines, Tls, errors, event_after

pytestmark = pytest.mark.suite

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "python"
CLICK = UserEventType.USER_EVENT_TYPE_CLICK
PATIENT = Deadlines(page=20, stream=20, study=60, write=20)
"""For a machine that does other things too."""


@pytest.fixture
def client(suite: Suite) -> Iterator[Client]:
    with Client(suite.target("orchestrator"), deadlines=PATIENT) as client:
        yield client


def test_from_a_search_to_the_event_that_followed(client: Client):
    ada = UserContext(user_id="client-ada")
    page = client.search(SearchRequest(query="wireless headphones", page_size=5, user=ada))
    assert len(page.results) == 5
    assert all(result.reason.text for result in page.results)
    clicked = page.results[1].product.id
    event = event_after(page, clicked, CLICK, user=ada)
    first = client.write_event(event)
    assert not first.duplicate
    assert first.event.query == "wireless headphones"
    assert client.write_event(event).duplicate
    answer = client.recommend(RecommendRequest(user=ada))
    assert answer.serving_config == "for-you"
    assert client.write_event(
        event_after(answer, answer.results[0].product.id, CLICK, user=ada)
    ).event.attribution_token


def test_a_token_that_was_altered_is_named(client: Client):
    page = client.search(SearchRequest(query="mug", page_size=1))
    event = event_after(page, page.results[0].product.id, CLICK, user=UserContext(user_id="x"))
    event.attribution_token = event.attribution_token[:-4] + "AAAA"
    with pytest.raises(errors.InvalidArgumentError) as raised:
        client.write_event(event)
    assert [each.field for each in raised.value.violations] == ["event.attribution_token"]


def test_bad_filters_are_named(client: Client):
    with pytest.raises(errors.InvalidArgumentError) as raised:
        client.search(SearchRequest(query="mug", filter="colour ="), request_id="bad-1")
    assert [each.field for each in raised.value.violations] == ["filter"]
    assert raised.value.request_id == "bad-1"
    with pytest.raises(errors.NotFoundError):
        client.get_product("no such product")


def test_pages(client: Client):
    request = SearchRequest(query="双肩包", page_size=4, skip_reasons=True)
    seen: list[str] = []
    for number, page in enumerate(client.search_pages(request), 1):
        seen += [result.product.id for result in page.results]
        if number == 3:
            break
    assert len(seen) == len(set(seen)) == 12
    listed = [
        product.id
        for page in client.product_pages(ProductServiceListRequest(page_size=500))
        for product in page.products
    ]
    assert len(listed) >= 1_900
    assert listed == sorted(set(listed))


def test_streams(client: Client):
    request = SearchStreamRequest(request=SearchRequest(query="running shoes", page_size=3))
    parts = list(client.search_stream(request))
    assert parts[0].WhichOneof("part") == "page"
    assert parts[-1].WhichOneof("part") == "end"
    assert sum(part.WhichOneof("part") == "reason" for part in parts) == 3


def test_imports_of_what_is_there_change_nothing(client: Client):
    listing = client.product_pages(ProductServiceListRequest(page_size=150))
    products = list(next(iter(listing)).products)
    for product in products:
        product.etag = ""
    *_, last = client.import_products(products)
    assert (last.acknowledged_row, last.failed_count) == (150, 0)
    assert last.unchanged_count == 150


def test_events_that_are_refused_are_told_by_row(client: Client):
    good = UserEvent(
        id="bulk-1", type=UserEventType.USER_EVENT_TYPE_SEARCH, query="mug", user_id="x"
    )
    bad = UserEvent(id="bulk-2", user_id="x")
    *_, last = client.import_events([good, bad])
    assert (last.imported_count, last.failed_count) == (1, 1)


def test_other_methods(client: Client):
    assert client.complete(CompleteRequest(prefix="headp")).completions
    page = client.search(SearchRequest(query="mug", page_size=1))
    product = page.results[0].product.id
    explained = client.explain(ExplainRequest(query="mug", product_ids=[product]))
    assert explained.explanations[0].product.id == product
    assert client.summarise(SummariseRequest(product_id=product)).request_id
    assert client.get_product(product).id == product


async def test_asyncio(suite: Suite):
    ada = UserContext(user_id="client-async")
    async with AsyncClient([suite.target("orchestrator")], deadlines=PATIENT) as client:
        page = await client.search(SearchRequest(query="steel kettle", page_size=2, user=ada))
        event = event_after(page, page.results[0].product.id, CLICK, user=ada)
        written = await client.write_event(event)
        assert written.event.id == event.id
        request = SearchStreamRequest(request=SearchRequest(query="mug", page_size=2))
        parts = [part.WhichOneof("part") async for part in client.search_stream(request)]
        assert (parts[0], parts[-1]) == ("page", "end")
        progress = [
            each
            async for each in client.import_products(
                [await client.get_product(page.results[0].product.id)]
            )
        ]
        assert progress[-1].failed_count == 0


@pytest.fixture(scope="module")
def tls(security: SecuritySettings) -> Tls:
    return Tls(ca=security.ca_file, server_name="localhost")


def test_keys_and_certificates(secured: Suite, security: SecuritySettings, tls: Tls):
    target = secured.target("orchestrator")
    shopper = new_key(security.api_keys_file, "client", ["shopper"])
    with Client(target, api_key=shopper, tls=tls, deadlines=PATIENT) as client:
        assert client.search(SearchRequest(query="mug")).request_id
        with pytest.raises(errors.PermissionDeniedError):
            client.explain(ExplainRequest(query="mug"))
    for wrong in ({"api_key": "wk_000000000000_guess"}, {"token": "a.b.c"}, {}):
        with (
            Client(target, tls=tls, deadlines=PATIENT, **wrong) as client,
            pytest.raises(errors.UnauthenticatedError),
        ):
            client.search(SearchRequest(query="mug"))


def test_a_server_that_cannot_be_trusted_is_not_talked_to(secured: Suite, tls: Tls):
    target = secured.target("orchestrator")
    for trusting in (None, Tls(), Tls(ca=tls.ca, server_name="shop.example")):
        with (
            Client(target, tls=trusting, deadlines=PATIENT) as client,
            pytest.raises(errors.UnavailableError),
        ):
            client.search(SearchRequest(query="mug"))


def test_a_certificate_of_ones_own(secured: Suite, security: SecuritySettings):
    certificate, key = security.pair("operator")
    own = Tls(security.ca_file, certificate, key, server_name="localhost")
    with Client(secured.inner_target("orchestrator"), tls=own, deadlines=PATIENT) as client:
        assert client.search(SearchRequest(query="mug")).request_id


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's wheel, built as it is published."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=CLIENT,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_what_the_suite_holds(wheel: Path):
    """Stubs of both distributions are the same, so either may stand for the other."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    stubs = {name: data for name, data in packed.items() if name.startswith("wherefore/")}
    ours = {
        str(path.relative_to(ROOT)): path.read_bytes()
        for path in (ROOT / "wherefore").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert stubs == ours
    assert "wherefore/py.typed" in stubs
    assert "wherefore/orchestrator/v1/search_service_pb2_grpc.pyi" in stubs
    assert {"wherefore_client/py.typed", "wherefore_client/LICENSE"} <= packed.keys()
    version = re.compile(r'^version = "(.+)"$', re.MULTILINE)
    assert version.findall((CLIENT / "pyproject.toml").read_text()) == version.findall(
        (ROOT / "pyproject.toml").read_text()
    )


def test_the_example_runs_from_the_wheel_alone(suite: Suite, wheel: Path, tmp_path: Path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    needed = ["grpcio", "protobuf", "googleapis-common-protos"]
    fetched = subprocess.run(
        [*pip, "--constraint", str(ROOT / "constraints.txt"), *needed],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        pytest.skip(f"no package index to install grpcio from: {fetched.stderr[-200:]}")
    subprocess.run([*pip, "--no-index", str(wheel)], check=True)
    readme = (CLIENT / "README.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [str(python), "-c", example.replace("localhost:7700", suite.target("orchestrator"))],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
