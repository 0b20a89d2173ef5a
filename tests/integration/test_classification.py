"""`ClassifyProducts` through the running suite: its own catalogue, strangers, and a taxonomy."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import grpc
import pytest

from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.suite import Suite
from wherefore.common.v1.product_pb2 import Product
from wherefore.reason.v1 import classification_pb2 as pb
from wherefore.reason.v1.classification_service_pb2 import ClassifyProductsRequest
from wherefore.reason.v1.classification_service_pb2_grpc import ClassificationServiceStub

pytestmark = pytest.mark.suite


def sample(count: int) -> list[Product]:
    rows = [row.product for row in read_catalogue(bundled_catalogue_path()) if row.product]
    return rows[:: len(rows) // count][:count]


@pytest.fixture
async def stub(suite: Suite):
    async with grpc.aio.insecure_channel(suite.target("reason")) as channel:
        yield ClassificationServiceStub(channel)


async def test_its_own_catalogue_with_evidence_that_is_written_there(stub) -> None:
    products = sample(80)
    request = ClassifyProductsRequest(products=products, max_evidence=8)
    response = await stub.ClassifyProducts(request, timeout=30)
    assert response.model.name.startswith("classifier/")
    verdicts = Counter(said.stated.verdict for said in response.classifications)
    agreed = verdicts[pb.STATED_CATEGORY_VERDICT_AGREES]
    assert agreed >= 4  # of the test part; the others were taught to the model
    assert agreed + verdicts[pb.STATED_CATEGORY_VERDICT_LEARNT] >= 76
    for product, said in zip(products, response.classifications, strict=True):
        assert said.product_id == product.id
        assert 1 <= len(said.evidence) <= 8
        for each in said.evidence:
            text = getattr(product, each.field)[each.language_code]
            assert text[each.start : each.end] == each.text
        whole = sum(each.contribution for each in said.evidence)
        assert whole + said.bias + said.other_contribution == pytest.approx(said.score)


async def test_a_taxonomy_by_the_encoder_of_the_suite(stub) -> None:
    taxonomy = [["Luggage", "Rucksacks"], ["Kitchenware", "Kettles"], ["Garden", "Spades"]]
    request = ClassifyProductsRequest(
        products=[Product(id="p", titles={"en": "Canvas backpack for school"})],
        taxonomy=[pb.Category(path=path) for path in taxonomy],
    )
    response = await stub.ClassifyProducts(request, timeout=30)
    assert not response.degraded
    assert response.model.name.startswith("zero_shot/")
    (said,) = response.classifications
    assert list(said.alternatives[0].category_path) == ["Luggage", "Rucksacks"]


async def test_bad_input_names_the_field(stub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.ClassifyProducts(ClassifyProductsRequest(products=[Product()]), timeout=5)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "products[0].id" in (error.value.details() or "")


def test_the_command_over_a_catalogue(suite: Suite, tmp_path: Path) -> None:
    out = tmp_path / "said.jsonl"
    command = [sys.executable, "-m", "shared.cli", "classify", str(bundled_catalogue_path())]
    command += ["--out", str(out), "--limit", "150", "--reason-target", suite.target("reason")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["row"] for line in lines] == list(range(1, 151))
    assert "150 products" in done.stderr
