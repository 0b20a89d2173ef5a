"""A product of the catalogue with a change: what it is sought among, over real ports."""

from types import SimpleNamespace

import pytest
import pytest_asyncio

from tests.services.nlu.pictures.files import ColourEncoder, png
from tests.services.orchestrator.pictured import pictured_shop, product
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.picture_service_pb2 import Picture
from wherefore.orchestrator.v1.picture_query_pb2 import PictureQuery
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1.facet_pb2 import FacetSpec

pytestmark = pytest.mark.asyncio(loop_scope="module")
CUPS = 'category: "Kitchen > Cups"'


def of(name: str, colour: str, *path: str) -> Product:
    made = product(name, f"/{colour}.png")
    made.category_path.extend(path)
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory):
    """Cups and plates of some colours, a single jug, and a thing without a category."""
    folder = tmp_path_factory.mktemp("shop")
    pictures = folder / "pictures"
    pictures.mkdir()
    for colour in ("red", "blue", "green"):
        (pictures / f"{colour}.png").write_bytes(png(colour))
    rows = [of(f"cup-{colour}", colour, "Kitchen", "Cups") for colour in ("blue", "green")]
    rows += [of(f"plate-{colour}", colour, "Kitchen", "Plates") for colour in ("red", "blue")]
    rows += [of("jug", "blue", "Kitchen", "Jugs"), of("thing", "blue")]
    async with pictured_shop(folder, ColourEncoder(), rows, pictures_dir=pictures) as running:
        yield running


async def search(shop: SimpleNamespace, query: str = "", filter: str = "", **pictures: object):  # noqa: A002
    request = SearchRequest(query=query, filter=filter, skip_reasons=True)
    request.facets.append(FacetSpec(key="category"))
    request.pictures.CopyFrom(PictureQuery(**pictures))  # type: ignore[arg-type]
    return await SearchServiceStub(shop.channel).Search(request, timeout=10)


def ids(response: SearchResponse) -> list[str]:
    return [result.product.id for result in response.results]


async def test_it_is_sought_among_products_of_its_kind_and_the_answer_says_so(shop):
    response = await search(shop, product_id="cup-blue", edit="red")
    assert ids(response) == ["cup-green"]
    assert response.applied_filter == CUPS
    assert not response.relaxed_constraints
    assert {value.value for value in response.facets[0].values} <= {"kitchen", "kitchen > cups"}


async def test_what_is_alone_in_its_kind_is_sought_among_all_and_the_answer_says_so(shop):
    response = await search(shop, product_id="jug", edit="red")
    assert ids(response)[0] == "plate-red"
    assert response.applied_filter == ""
    assert list(response.relaxed_constraints) == ['category: "Kitchen > Jugs"']


async def test_the_caller_s_filter_is_never_given_up(shop):
    response = await search(shop, product_id="cup-blue", edit="red", filter='category: "Plates"')
    assert set(ids(response)) == {"plate-red", "plate-blue"}
    assert list(response.relaxed_constraints) == [CUPS]


@pytest.mark.parametrize(
    "asked",
    [
        {"product_id": "cup-blue"},
        {"product_id": "cup-blue", "edit": "red", "text": "red"},
        {"product_id": "thing", "edit": "red"},
        {"picture": Picture(frames=[png("blue")]), "edit": "red"},
    ],
    ids=["no edit", "a text says the kind", "no category", "a picture from elsewhere"],
)
async def test_else_it_is_sought_among_all(shop, asked):
    response = await search(shop, **asked)
    assert "plate-red" in ids(response)
    assert response.applied_filter == ""
    assert not response.relaxed_constraints


async def test_words_say_the_kind(shop):
    assert "plate-red" in ids(await search(shop, "plate", product_id="cup-blue", edit="red"))
