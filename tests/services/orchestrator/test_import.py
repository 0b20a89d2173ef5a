"""Imports over real ports: bad rows, unchanged ones, vectors that are reused or filled in later."""

import asyncio

import grpc
import pytest

from wherefore.common.v1.product_pb2 import Price, Product
from wherefore.orchestrator.v1 import product_service_pb2 as products_pb
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def imported(running, *messages):
    stub = ProductServiceStub(running.channel)
    return [r async for r in stub.Import(iter(messages), timeout=10)]


def batch(*products, **fields):
    return products_pb.ProductServiceImportRequest(products=products, **fields)


def cup(product_id: str, title: str = "Cup", price: float = 1.0) -> Product:
    return Product(
        id=product_id, titles={"en": title}, price=Price(currency_code="EUR", amount=price)
    )


async def test_bad_rows_are_reported_and_the_rest_goes_in(shop):
    messages = batch(cup("a"), Product(id="b"), cup("a", "Other")), batch(cup("c"))
    responses = await imported(shop, *messages)
    last = responses[-1]
    assert (last.imported_count, last.failed_count, last.acknowledged_row) == (2, 2, 4)
    errors = [error for response in responses for error in response.errors]
    assert {(error.row, error.id, error.field) for error in errors} == {
        (2, "b", "titles"),
        (3, "a", "id"),
    }
    assert shop.fake.products["a"].titles["en"] == "Cup"


async def test_rows_are_named_as_in_the_callers_file(shop):
    (response,) = await imported(shop, batch(Product(id="x"), cup("y"), first_row=41, rows=[7, 9]))
    assert response.acknowledged_row == 42
    assert [error.row for error in response.errors] == [7]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"products": [cup(f"n{n}") for n in range(257)]}, "products"),
        ({"products": [cup("n")], "rows": [1, 2]}, "rows"),
        ({"products": [cup("n")], "first_row": -1}, "first_row"),
        ({"products": [cup("n"), cup("m")], "first_row": 2**63 - 1}, "first_row"),
    ],
)
async def test_bad_messages(shop, fields, field):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await imported(shop, products_pb.ProductServiceImportRequest(**fields))
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")


async def test_unchanged_rows_are_not_embedded_again(shop):
    await imported(shop, batch(cup("u1", "Tea cup"), cup("u2", "Egg cup")))
    shop.fake.embedded.clear()
    rows = cup("u1", "Tea cup"), cup("u2", "Egg cup"), cup("u3", "Paper cup")
    (response,) = await imported(shop, batch(*rows))
    assert (response.imported_count, response.unchanged_count) == (1, 2)
    assert shop.fake.embedded == ["Paper cup"]


async def test_a_new_price_does_not_cost_an_embedding(shop):
    names = [f"m{n}" for n in range(40)]
    await imported(shop, batch(*(cup(name, f"Mug {name}", 1) for name in names)))
    sources = dict(shop.fake.sources)
    shop.fake.embedded.clear()
    rows = [cup(name, f"Mug {name}", 2) for name in names[1:]]
    (response,) = await imported(shop, batch(cup("m0", "Jug", 2), *rows))
    assert response.imported_count == 40
    assert shop.fake.embedded == ["Jug"]
    assert [shop.fake.products[name].price.amount for name in names] == [2.0] * 40
    changed = {i for i, source in shop.fake.sources.items() if sources.get(i) != source}
    assert changed == {"m0"}


async def test_equal_texts_are_embedded_once(shop):
    shop.fake.embedded.clear()
    (response,) = await imported(shop, batch(cup("e1", "Same"), cup("e2", "Same")))
    assert response.imported_count == 2
    assert shop.fake.embedded == ["Same"]
    assert shop.fake.sources["e1"] == shop.fake.sources["e2"]


async def test_a_later_import_fills_in_the_missing_vectors_alone(running):
    await imported(running, batch(cup("a", "Tea cup"), cup("b", "Egg cup", 1)))
    running.fake.broken.add("embed")
    rows = cup("a", "Tea cup"), cup("b", "Egg cup", 2), cup("c", "Coffee cup")
    (response,) = await imported(running, batch(*rows))
    assert (response.imported_count, response.unchanged_count) == (2, 1)
    assert response.degraded[0].stage == "nlu.embedding"
    assert {"a", "b"} <= running.fake.sources.keys()  # the text of b is the same: its vector stays
    assert "c" not in running.fake.sources
    (again,) = await imported(running, batch(*rows))
    assert (again.unchanged_count, len(again.degraded)) == (3, 1)

    running.fake.broken.clear()
    running.fake.embedded.clear()
    async with asyncio.timeout(10):
        while "c" not in running.fake.sources:
            await imported(running, batch(*rows))
            await asyncio.sleep(0.05)
    assert running.fake.embedded == ["Coffee cup"]
    (whole,) = await imported(running, batch(*rows))
    assert (whole.unchanged_count, len(whole.degraded)) == (3, 0)


async def test_vectors_of_an_older_recipe_are_made_again_when_the_model_is_there(running):
    await imported(running, batch(cup("a", "Tea cup"), cup("b", "Egg cup")))
    source = running.fake.sources["a"]
    running.fake.sources["a"] = "the text of an older release"
    running.fake.broken.add("embed")
    (response,) = await imported(running, batch(cup("a", "Tea cup"), cup("b", "Egg cup")))
    assert [d.stage for d in response.degraded] == ["nlu.embedding"]
    assert running.fake.sources["a"] == "the text of an older release"
    running.fake.broken.clear()
    running.fake.embedded.clear()
    async with asyncio.timeout(10):
        while running.fake.sources["a"] != source:
            await imported(running, batch(cup("a", "Tea cup"), cup("b", "Egg cup")))
            await asyncio.sleep(0.05)
    assert running.fake.embedded == ["Tea cup"]


async def test_a_row_that_changes_meanwhile_is_refused(running):
    await imported(running, batch(cup("a", price=1), cup("b", price=1)))

    def someone_else() -> None:
        running.fake.sources["a"] = "another text"

    running.fake.before_index = someone_else
    (response,) = await imported(running, batch(cup("a", price=2), cup("b", price=2), rows=[8, 9]))
    assert (response.imported_count, response.failed_count) == (1, 1)
    assert [(error.row, error.id) for error in response.errors] == [(8, "a")]
    assert response.errors[0].field == ""


async def test_lost_retrieval_ends_an_import_with_what_was_acknowledged(running):
    running.fake.broken.add("index")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await imported(running, *(batch(cup(f"n{n}")) for n in range(20)))
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
