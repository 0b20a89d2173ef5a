"""`ClassifyProducts` through the real reason service, with an NLU of its own contract beside it."""

from dataclasses import replace

import grpc
import numpy as np
import pytest

from services.reason.classify.weights import Calibration, Meaning, load, quantise, save
from services.reason.config import CATEGORY_MODEL
from shared.errors import InvalidArgumentError, error_from_rpc
from tests.services.reason.running import nlu_beside, reason_service
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import nlu_service_pb2 as nlu_pb
from wherefore.nlu.v1 import nlu_service_pb2_grpc as nlu_grpc
from wherefore.reason.v1 import classification_pb2 as pb
from wherefore.reason.v1.classification_service_pb2 import ClassifyProductsRequest
from wherefore.reason.v1.classification_service_pb2_grpc import ClassificationServiceStub

TAXONOMY = [pb.Category(path=path) for path in (["Kitchen", "Kettles"], ["Bags", "Rucksacks"])]


class FakeNlu(nlu_grpc.NluServiceServicer):
    """Knows that a backpack is a rucksack."""

    def __init__(self):
        self.texts = []

    async def Embed(self, request, context):  # noqa: N802
        self.texts += request.texts
        bags = [("backpack" in text or "Rucksack" in text) for text in request.texts]
        return nlu_pb.EmbedResponse(
            vectors=[Vector(values=np.eye(2)[int(bag)], model="bags@1") for bag in bags]
        )


@pytest.fixture
async def nlu():
    async with nlu_beside(FakeNlu()) as fake:
        yield fake


@pytest.fixture
async def served():
    async with reason_service(ClassificationServiceStub) as serve:
        yield serve


def titled(title="Steel kettle", **fields):
    return Product(id="p1", titles={"en": title}, **fields)


async def test_a_product_of_a_trained_shop(served, shop_file):
    stub = await served(category_model=shop_file)
    product = titled("black steel kettle", category_path=["Bags", "Backpacks"])
    response = await stub.ClassifyProducts(ClassifyProductsRequest(products=[product]), timeout=5)
    (said,) = response.classifications
    assert said.product_id == "p1"
    assert said.outcome == pb.CLASSIFICATION_OUTCOME_CATEGORY
    assert list(said.category_path) == ["Kitchen", "Kettles"]
    assert said.stated.verdict == pb.STATED_CATEGORY_VERDICT_DOUBTED
    assert said.stated.probability < said.probability
    assert list(said.alternatives[0].category_path) == ["Kitchen", "Kettles"]
    assert len(said.alternatives) == 3
    added = sum(each.contribution for each in said.evidence)
    assert said.bias + said.other_contribution + added == pytest.approx(said.score)
    assert {each.text for each in said.evidence} == {"black", "steel", "kettle"}
    assert (response.model.name, response.model.category_count) == ("shop/1", 4)
    assert response.model.promised_precision == 0.95
    assert [timing.stage for timing in response.timings] == ["classify"]
    assert not response.degraded


async def test_the_model_that_comes_along_reads_both_languages(served):
    stub = await served(category_model=CATEGORY_MODEL)
    products = [
        Product(id="en", titles={"en": "Foldable hair dryer with ion care, pink"}),
        Product(id="zh", titles={"zh": "帆布双肩包 大容量 黑色"}),
        Product(id="other", titles={"en": "Diesel excavator bucket seal"}),
    ]
    response = await stub.ClassifyProducts(ClassifyProductsRequest(products=products), timeout=9)
    paths = {said.product_id: list(said.category_path) for said in response.classifications}
    assert paths == {
        "en": ["Beauty", "Devices", "Hair dryers"],
        "zh": ["Bags", "Backpacks"],
        "other": [],
    }


async def test_a_taxonomy_of_the_request(served, nlu):
    stub = await served(category_model=None, nlu_target=f"127.0.0.1:{nlu.port}")
    request = ClassifyProductsRequest(products=[titled("Canvas backpack")], taxonomy=TAXONOMY)
    for _ in range(2):
        response = await stub.ClassifyProducts(request, timeout=9)
        (said,) = response.classifications
        assert list(said.category_path) == ["Bags", "Rucksacks"]
        assert said.bias == pytest.approx(said.score)
        assert response.model.name == "zero_shot/bags@1"
        assert response.model.promised_precision == 0
    # Categories are read once, titles each time.
    assert nlu.texts == ["Kettles. Kitchen", "Rucksacks. Bags", *["Canvas backpack"] * 2]


async def test_without_the_nlu_words_are_compared(served):
    stub = await served(nlu_target="127.0.0.1:9")
    request = ClassifyProductsRequest(products=[titled()], taxonomy=TAXONOMY)
    response = await stub.ClassifyProducts(request, timeout=9)
    assert list(response.classifications[0].category_path) == ["Kitchen", "Kettles"]
    assert response.model.name == "zero_shot/tf_idf"
    (lost,) = response.degraded
    assert (lost.stage, lost.fallback) == ("nlu.embedding", "tf_idf")


@pytest.fixture
def vector_file(trained_shop, tmp_path):
    """The shop's classifier, which reads vectors of `FakeNlu` too: those of bags are backpacks."""
    tree = trained_shop.model.tree
    means = np.zeros((2, len(tree.categories)))
    means[1, tree.column(("Bags", "Backpacks"))] = 9.0
    steps, scales = quantise(means)
    calibration = Calibration(category_threshold=0.9, parent_threshold=0.9)
    meaning = Meaning("bags@1", 0.01, steps, scales, calibration)
    save(replace(trained_shop.model, meaning=meaning), tmp_path / "vectors.npz")
    return tmp_path / "vectors.npz"


async def test_a_trained_model_may_read_vectors_of_english_texts(served, nlu, vector_file):
    stub = await served(category_model=vector_file, nlu_target=f"127.0.0.1:{nlu.port}")
    products = [
        Product(id="en", titles={"en": "Rucksack"}, descriptions={"en": "Blue."}),
        Product(id="zh", titles={"zh": "不锈钢水壶"}),
    ]
    response = await stub.ClassifyProducts(ClassifyProductsRequest(products=products), timeout=9)
    english, chinese = response.classifications
    assert list(english.alternatives[0].category_path) == ["Bags", "Backpacks"]
    assert english.bias + english.other_contribution == pytest.approx(
        english.score - sum(each.contribution for each in english.evidence)
    )
    assert list(chinese.category_path) == ["Kitchen", "Kettles"]
    assert nlu.texts == ["Rucksack. Blue."]
    assert response.model.category_threshold == 0.9
    assert not response.degraded


async def test_without_vectors_a_trained_model_reads_words(served, nlu, vector_file, shop_file):
    request = ClassifyProductsRequest(products=[titled("black steel kettle")])
    words = await served(category_model=shop_file)
    expected = (await words.ClassifyProducts(request, timeout=5)).classifications[0]
    lost = await served(category_model=vector_file, nlu_target="127.0.0.1:9")
    response = await lost.ClassifyProducts(request, timeout=9)
    assert response.classifications[0] == expected
    (told,) = response.degraded
    assert (told.stage, told.fallback) == ("nlu.embedding", "words")


async def test_vectors_of_another_encoder_are_not_read(served, nlu, vector_file):
    model = load(vector_file)
    save(replace(model, meaning=replace(model.meaning, encoder="other@2")), vector_file)
    stub = await served(category_model=vector_file, nlu_target=f"127.0.0.1:{nlu.port}")
    request = ClassifyProductsRequest(products=[titled("black steel kettle")])
    response = await stub.ClassifyProducts(request, timeout=9)
    assert list(response.classifications[0].category_path) == ["Kitchen", "Kettles"]
    (told,) = response.degraded
    assert "other@2" in told.detail
    assert "bags@1" in told.detail


async def test_what_the_model_was_taught_is_no_second_opinion(served, shop_file, trained_shop):
    stub = await served(category_model=shop_file)
    taught = trained_shop.learnt[0].example
    product = titled("black steel kettle", category_path=list(taught.category))
    product.id = taught.group
    response = await stub.ClassifyProducts(ClassifyProductsRequest(products=[product]), timeout=5)
    assert response.classifications[0].stated.verdict == pb.STATED_CATEGORY_VERDICT_LEARNT


async def test_chinese_titles_ask_no_encoder(served):
    stub = await served(nlu_target="127.0.0.1:9")
    product = Product(id="p", titles={"zh": "不锈钢水壶"})
    taxonomy = [pb.Category(path=["水壶"]), pb.Category(path=["背包"])]
    request = ClassifyProductsRequest(products=[product], taxonomy=taxonomy)
    response = await stub.ClassifyProducts(request, timeout=9)
    assert list(response.classifications[0].category_path) == ["水壶"]
    assert not response.degraded


@pytest.mark.parametrize("missing", [True, False])
async def test_without_a_model_a_taxonomy_is_needed(served, tmp_path, missing):
    stub = await served(category_model=tmp_path / "none.npz" if missing else None)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.ClassifyProducts(ClassifyProductsRequest(products=[titled()]), timeout=5)
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "WHEREFORE_REASON_CATEGORY_MODEL" in error.value.details()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"products": []}, "products"),
        ({"products": [Product(id=str(n), titles={"en": "x"}) for n in range(101)]}, "products"),
        ({"products": [titled(), titled()]}, "products[1].id"),
        ({"products": [Product(id="p1")]}, "products[0].titles"),
        ({"products": [Product(titles={"en": "x"})]}, "products[0].id"),
        ({"products": [titled(" ")]}, 'products[0].titles["en"]'),
        ({"products": [titled("x" * 1_001)]}, 'products[0].titles["en"]'),
        ({"max_alternatives": 21}, "max_alternatives"),
        ({"max_alternatives": -1}, "max_alternatives"),
        ({"max_evidence": 51}, "max_evidence"),
        ({"taxonomy": [pb.Category(path=["a"])]}, "taxonomy"),
        ({"taxonomy": [pb.Category(path=[str(n)]) for n in range(5_001)]}, "taxonomy"),
        ({"taxonomy": [pb.Category(path=["a"]), pb.Category()]}, "taxonomy[1].path"),
        ({"taxonomy": [pb.Category(path=["a"]), pb.Category(path=["b", ""])]}, "taxonomy[1].path"),
        ({"taxonomy": [pb.Category(path=["a"])] * 2}, "taxonomy[1].path"),
        ({"taxonomy": [pb.Category(path=["a"]), pb.Category(path=["a"] * 11)]}, "taxonomy[1].path"),
    ],
)
async def test_bad_input_names_the_field(served, fields, named):
    stub = await served()
    request = ClassifyProductsRequest(**({"products": [titled()]} | fields))
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.ClassifyProducts(request, timeout=5)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "Traceback" not in error.value.details()
    refused = error_from_rpc(error.value)
    assert isinstance(refused, InvalidArgumentError)
    assert named in {violation.field for violation in refused.violations}
