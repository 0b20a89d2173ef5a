"""Single products over real ports: masks, pages, and what becomes of their vectors."""

import grpc
import pytest

from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1 import product_service_pb2 as products_pb
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def update(running, paths, *, allow_missing=False, **fields):
    request = products_pb.ProductServiceUpdateRequest(
        product=Product(**fields), allow_missing=allow_missing
    )
    request.update_mask.paths.extend(paths)
    return await ProductServiceStub(running.channel).Update(request)


async def code_of(call) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code()


async def test_updates_follow_their_mask(shop):
    product = (
        await update(shop, ["price.amount"], id="p01", price={"amount": 3.5}, brand="Other")
    ).product
    assert (product.price.amount, product.price.currency_code) == (3.5, "EUR")
    assert product.brand == "Acme"
    product = (await update(shop, ["titles.zh"], id="p01", titles={"zh": "杯"})).product
    assert dict(product.titles) == {"en": "Steel cup 1", "zh": "杯"}
    product = (await update(shop, ["brand"], id="p01")).product
    assert product.brand == ""
    product = (await update(shop, [], id="p01", tags=["gift"])).product
    assert (list(product.tags), product.price.amount) == (["gift"], 3.5)
    product = (await update(shop, ["*"], id="p01", titles={"en": "Cup"})).product
    assert {field.name for field, _ in product.ListFields()} == {"id", "titles", "etag"}
    created = await update(shop, [], allow_missing=True, id="z", titles={"en": "New"})
    assert created.product.id == "z"


async def test_updates_that_are_refused(shop):
    current = shop.fake.products["p02"].etag
    assert await code_of(update(shop, ["brand"], id="p02", brand="New", etag="0" * 16)) is (
        grpc.StatusCode.ABORTED
    )
    assert await code_of(update(shop, ["brand"], id="unknown", brand="New")) is (
        grpc.StatusCode.NOT_FOUND
    )
    for paths, fields in (
        (["nope"], {}),
        (["tags.0"], {}),
        (["id\0"], {}),
        (["price.amount\0"], {}),
        (["titles"], {}),
        (["price"], {"price": {"currency_code": "EUR", "amount": -1}}),
    ):
        assert await code_of(update(shop, paths, id="p02", **fields)) is (
            grpc.StatusCode.INVALID_ARGUMENT
        )
    assert shop.fake.products["p02"].etag == current


async def test_a_new_price_does_not_cost_an_embedding(shop):
    await update(shop, ["titles.en"], id="p03", titles={"en": "Copper cup"})
    source = shop.fake.sources["p03"]
    shop.fake.embedded.clear()
    response = await update(shop, ["price.amount"], id="p03", price={"amount": 9})
    assert response.product.price.amount == 9
    assert (shop.fake.embedded, shop.fake.sources["p03"]) == ([], source)
    await update(shop, ["titles.en"], id="p03", titles={"en": "Silver cup"})
    assert len(shop.fake.embedded) == 1
    assert shop.fake.sources["p03"] != source


async def test_without_the_model_an_unchanged_text_keeps_its_vector(running):
    await update(running, ["brand"], id="p01", brand="Zeta")
    await update(running, ["brand"], id="p02", brand="Zeta")
    running.fake.broken.add("embed")
    response = await update(running, ["price.amount"], id="p01", price={"amount": 9})
    assert not response.degraded
    assert "p01" in running.fake.sources

    response = await update(running, ["brand"], id="p02", brand="Eta")
    assert response.product.brand == "Eta"
    assert [(d.stage, bool(d.fallback)) for d in response.degraded] == [("nlu.embedding", True)]
    assert "p02" not in running.fake.sources

    running.fake.broken.clear()
    for _ in range(200):
        response = await update(running, ["brand"], id="p02", brand="Eta")
        if not response.degraded:
            break
    assert "p02" in running.fake.sources
    running.fake.embedded.clear()
    await update(running, ["brand"], id="p02", brand="Eta")
    assert running.fake.embedded == []


async def test_a_product_that_changes_meanwhile_is_not_overwritten(running):
    await update(running, ["brand"], id="p01", brand="Zeta")

    def someone_else() -> None:
        running.fake.sources["p01"] = "another text"

    running.fake.before_index = someone_else
    assert await code_of(update(running, ["price.amount"], id="p01", price={"amount": 9})) is (
        grpc.StatusCode.ABORTED
    )
    assert running.fake.products["p01"].price.amount != 9


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        ([], {"titles", "brand", "category_path", "price", "reviews", "etag"}),
        (["*"], {"titles", "brand", "category_path", "price", "reviews", "etag"}),
        (["brand", "price.amount"], {"brand", "price"}),
        (["titles.zh"], set()),
    ],
)
async def test_read_masks(shop, paths, kept):
    stub = ProductServiceStub(shop.channel)
    get = products_pb.ProductServiceGetRequest(product_id="p20")
    get.read_mask.paths.extend(paths)
    lists = products_pb.ProductServiceListRequest(page_size=1)
    lists.read_mask.paths.extend(paths)
    got = (await stub.Get(get)).product
    (listed,) = (await stub.List(lists)).products
    for product in (got, listed):
        names = {field.name for field, _ in product.ListFields()}
        assert names == {"id", *kept}


async def test_a_mask_of_unknown_fields_is_refused(shop):
    stub = ProductServiceStub(shop.channel)
    for path in ("nope", "price.nope", "tags.0", "price."):
        get = products_pb.ProductServiceGetRequest(product_id="p20")
        get.read_mask.paths.append(path)
        assert await code_of(stub.Get(get)) is grpc.StatusCode.INVALID_ARGUMENT
        lists = products_pb.ProductServiceListRequest()
        lists.read_mask.paths.append(path)
        assert await code_of(stub.List(lists)) is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_is_not_there_is_not_found(shop):
    stub = ProductServiceStub(shop.channel)
    get = products_pb.ProductServiceGetRequest(product_id="unknown")
    assert await code_of(stub.Get(get)) is grpc.StatusCode.NOT_FOUND
    delete = products_pb.ProductServiceDeleteRequest(product_id="unknown")
    assert await code_of(stub.Delete(delete)) is grpc.StatusCode.NOT_FOUND
    delete.allow_missing = True
    await stub.Delete(delete)
    await stub.Delete(products_pb.ProductServiceDeleteRequest(product_id="p29"))
    get.product_id = "p29"
    assert await code_of(stub.Get(get)) is grpc.StatusCode.NOT_FOUND


async def test_the_list_is_paged(shop):
    stub, seen, token = ProductServiceStub(shop.channel), [], ""
    while True:
        page = await stub.List(products_pb.ProductServiceListRequest(page_size=8, page_token=token))
        seen += [p.id for p in page.products]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(shop.fake.products)
