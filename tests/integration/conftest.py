"""A whole suite on ports of its own, with the bundled catalogue in it, for all tests here."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest

from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.security.settings import SecuritySettings
from shared.security.setup import set_up
from shared.suite import PortPlan, Suite
from shared.suite.ports import ALL
from tests.fuzz.shop import TERMS
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceImportRequest,
    ProductServiceImportResponse,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

BATCH = 128


async def import_catalogue(target: str, path: Path) -> ProductServiceImportResponse:
    """Import a catalogue through the public service and return the last response."""

    def requests() -> Iterator[ProductServiceImportRequest]:
        batch = ProductServiceImportRequest()
        for row in read_catalogue(path):
            if row.product is not None:
                batch.products.append(row.product)
                batch.rows.append(row.number)
            if len(batch.products) == BATCH:
                yield batch
                batch = ProductServiceImportRequest()
        if batch.products:
            yield batch

    last = None
    async with grpc.aio.insecure_channel(target) as channel:
        call = ProductServiceStub(channel).Import(requests(), timeout=600)
        async for response in call:
            assert not response.degraded
            last = response
    assert last is not None
    return last


@pytest.fixture(scope="session")
def rules_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's rules of the running suite; none at first."""
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text("rules: []\n")
    return path


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory, rules_file: Path) -> Iterator[Suite]:
    """The running suite, with the bundled catalogue."""
    terms = rules_file.with_name("terms.yaml")
    terms.write_text(TERMS, encoding="utf-8")
    # Told to the suite alone: the tests after these share the process and its environment.
    variables = {
        "WHEREFORE_ORCHESTRATOR_RULES_FILE": str(rules_file),
        "WHEREFORE_ORCHESTRATOR_TERMS__FILE": str(terms),
        # On a busy machine the model would miss its time, and answers would say so.
        "WHEREFORE_REASON_MODEL_SECONDS": "2",
        "WHEREFORE_ORCHESTRATOR_BUDGETS__REASON": '{"seconds": 3, "reserve": 0.01}',
        "WHEREFORE_ORCHESTRATOR_BUDGETS__FACETS": '{"seconds": 3, "reserve": 0.01}',
    }
    with Suite(
        tmp_path_factory.mktemp("suite"),
        PortPlan.free(),
        services=ALL,
        private=True,
        variables=variables,
    ) as suite:
        suite.up()
        last = asyncio.run(import_catalogue(suite.target("orchestrator"), bundled_catalogue_path()))
        assert last.failed_count == 0
        assert last.imported_count >= 1_900
        yield suite


@pytest.fixture(scope="session")
def security(tmp_path_factory: pytest.TempPathFactory) -> SecuritySettings:
    """Certificates and keys of the secured suite."""
    folder = tmp_path_factory.mktemp("security")
    set_up(folder)
    return SecuritySettings(enabled=True, dir=folder)


@pytest.fixture(scope="session")
def experiments_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of experiments of the secured suite; those of tenants lie beside it."""
    path = tmp_path_factory.mktemp("experiments") / "experiments.yaml"
    path.write_text("layers: []\n")
    return path


@pytest.fixture(scope="session")
def pictures_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the secured suite finds pictures of products: each tenant's in a folder of its own."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="session")
def secured(
    tmp_path_factory: pytest.TempPathFactory,
    security: SecuritySettings,
    experiments_file: Path,
    pictures_dir: Path,
) -> Iterator[Suite]:
    """A suite with security on, without a catalogue."""
    quick = {
        "WHEREFORE_ORCHESTRATOR_COMPLETION_REFRESH_SECONDS": "0.5",
        "WHEREFORE_NLU_TERMS_POLL_SECONDS": "0.5",
        "WHEREFORE_RECOMMEND_CATALOGUE_POLL_SECONDS": "0.5",
    }
    # Aggregates of half a dozen users are told, with next to no noise.
    told = {"EPSILON": "1000", "CONTRIBUTIONS": "1"}
    quick |= {f"WHEREFORE_ORCHESTRATOR_PRIVACY__{name}": value for name, value in told.items()}
    quick["WHEREFORE_ORCHESTRATOR_EXPERIMENTS_FILE"] = str(experiments_file)
    quick["WHEREFORE_ORCHESTRATOR_PICTURES_DIR"] = str(pictures_dir)
    home = tmp_path_factory.mktemp("secured")
    with Suite(
        home,
        PortPlan.free(),
        services=ALL,
        private=True,
        triton=False,
        security=security,
        variables=quick,
    ) as suite:
        suite.up()
        yield suite


@pytest.fixture(scope="session")
def edge(secured: Suite, security: SecuritySettings) -> Iterator[grpc.Channel]:
    """The public port of the secured suite, as a shop back end reaches it."""
    authorities = grpc.ssl_channel_credentials(security.ca_file.read_bytes())
    with grpc.secure_channel(secured.target("orchestrator"), authorities) as channel:
        yield channel


@pytest.fixture
async def channel(suite: Suite) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the orchestrator."""
    async with grpc.aio.insecure_channel(suite.target("orchestrator")) as channel:
        yield channel
