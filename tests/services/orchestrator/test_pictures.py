"""Pictures from a folder into the index, and searched by: real retrieval, the NLU's service."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio

from services.orchestrator.pictures.files import PictureFolder
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.weights import load_weights
from shared.errors import InvalidArgumentError, error_from_rpc
from tests.services.nlu.pictures.files import ColourEncoder, encoded, plain, png
from tests.services.orchestrator.pictured import imports, pictured_shop, product
from wherefore.nlu.v1.picture_service_pb2 import Picture
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.picture_query_pb2 import PictureQuery
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

COLOURS = ("red", "blue", "green", "yellow")


@pytest.fixture(scope="module")
def colours() -> ColourEncoder:
    return ColourEncoder()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(
    tmp_path_factory: pytest.TempPathFactory, colours: ColourEncoder
) -> AsyncIterator[SimpleNamespace]:
    """Cups of four colours with pictures, one without, one whose picture is broken."""
    folder = tmp_path_factory.mktemp("shop")
    pictures = folder / "pictures"
    (pictures / "cups").mkdir(parents=True)
    for colour in COLOURS:
        (pictures / "cups" / f"{colour}.png").write_bytes(png(colour))
    (pictures / "broken.jpg").write_bytes(encoded(plain("red", (400, 400)), "JPEG")[:400])
    (folder / "secret.png").write_bytes(png("red"))
    rows = [product(f"c-{colour}", f"/cups/{colour}.png") for colour in COLOURS]
    rows += [product("c-none", title="Kettle"), product("c-broken", "broken.jpg")]
    rows += [product("c-secret", "../secret.png")]
    rows += [product("c-web", "https://127.0.0.1:1/red.png")]
    async with pictured_shop(folder, colours, rows, pictures_dir=pictures) as running:
        running.pictures = pictures
        yield running


async def search(shop: SimpleNamespace, query: str = "", **pictures: object) -> SearchResponse:
    request = SearchRequest(query=query, skip_reasons=True)
    if pictures:
        request.pictures.CopyFrom(PictureQuery(**pictures))  # type: ignore[arg-type]
    return await SearchServiceStub(shop.channel).Search(request, timeout=10)


def ids(response: SearchResponse) -> list[str]:
    return [result.product.id for result in response.results]


def legs(response: SearchResponse) -> dict[str, set[str]]:
    return {each.product.id: {leg.leg for leg in each.legs} for each in response.results}


def picture(colour: str) -> Picture:
    return Picture(frames=[png(colour)])


async def test_what_cannot_be_read_is_told_and_goes_in_without(shop):
    assert shop.first.imported_count == 8
    assert not shop.first.errors
    told = [each for each in shop.first.degraded if each.stage == "pictures"]
    assert len(told) == 1
    assert "c-broken" in told[0].detail


async def test_a_picture_finds_what_looks_like_it(shop):
    response = await search(shop, picture=picture("blue"))
    assert ids(response)[0] == "c-blue"
    # Only what has a picture below the folder is found by pictures.
    assert set(ids(response)) == {f"c-{colour}" for colour in COLOURS}
    assert response.picture_model == "colours@1"
    assert not response.degraded
    assert [leg.leg for leg in response.results[0].legs] == ["picture"]


async def test_a_text_is_sought_in_pictures(shop):
    for text in ("green", "绿色"):
        assert ids(await search(shop, text=text))[0] == "c-green"


async def test_like_this_but(shop):
    response = await search(shop, product_id="c-blue", edit="red")
    assert ids(response)[0] == "c-red"
    assert "c-blue" not in ids(response)
    assert ids(await search(shop, picture=picture("blue"), edit="yellow"))[0] == "c-yellow"


async def test_results_say_how_well_their_pictures_fit(shop):
    asked = {"picture": picture("red"), "text": "blue"}
    response = await search(shop, "kettle", **asked)
    found = {each.product.id: each.picture_match for each in response.results}
    assert found["c-red"].picture == pytest.approx(1, abs=0.01)
    assert found["c-red"].text < found["c-blue"].text
    assert found["c-blue"].picture < 0.9
    assert not found["c-none"].HasField("picture")
    by_text = await search(shop, text="blue")
    assert all(not each.picture_match.HasField("picture") for each in by_text.results)
    edited = await search(shop, product_id="c-blue", edit="red")
    assert edited.results[0].picture_match.picture > 0.9
    assert not (await search(shop, "kettle")).results[0].HasField("picture_match")


async def test_weights_of_picture_and_text(shop):
    def asked(picture_weight: float, text_weight: float) -> dict[str, object]:
        return {
            "picture": picture("red"),
            "text": "blue",
            "picture_weight": picture_weight,
            "text_weight": text_weight,
        }

    assert ids(await search(shop, **asked(9, 1)))[0] == "c-red"
    assert ids(await search(shop, **asked(1, 9)))[0] == "c-blue"


async def test_words_and_pictures_are_fused(shop):
    alone = await search(shop, "kettle")
    assert legs(alone)["c-none"] == {"dense", "sparse"}
    assert alone.picture_model == ""
    mostly_picture = await search(shop, "kettle", picture=picture("red"), leg_weight=50)
    assert ids(mostly_picture)[0] == "c-red"
    assert legs(mostly_picture)["c-none"] == {"dense", "sparse"}
    assert legs(mostly_picture)["c-red"] == {"dense", "picture"}
    mostly_words = await search(shop, "kettle", picture=picture("red"), leg_weight=0.01)
    assert ids(mostly_words)[0] == "c-none"


async def test_words_and_pictures_are_ranked_together(shop):
    """Each alone leaves open which; and the answer says what each of them added."""
    request = SearchRequest(query="blue cup", skip_reasons=True, include_contributions=True)
    request.pictures.CopyFrom(PictureQuery(picture=picture("red")))
    response = await SearchServiceStub(shop.channel).Search(request, timeout=10)
    assert not response.degraded
    added = {
        each.product.id: {part.feature: part.contribution for part in each.contributions}
        for each in response.results
    }
    assert added["c-red"]["picture_cosine"] > 0 > added["c-none"]["picture_cosine"]
    assert added["c-none"]["sparse_score"] < added["c-blue"]["sparse_score"]
    # The confidence is calibrated for what words say alone.
    assert {each.confidence for each in response.results} == {0}


@pytest.mark.parametrize("words", ["", "cup"])
async def test_pictures_can_be_explained(shop, words):
    found = await search(shop, words, picture=picture("green"))
    request = ExplainRequest(attribution_token=found.attribution_token, skip_words=True)
    explained = await ExplanationServiceStub(shop.channel).Explain(request, timeout=10)
    assert explained.model == "linear-pictures@1"
    best = explained.explanations[0]
    assert best.product.id == ids(found)[0] == "c-green"
    assert best.explanation.score == pytest.approx(found.results[0].score)
    groups = {group.group: group.contribution for group in best.explanation.groups}
    assert groups["pictures"] > 0


async def test_reasons_may_tell_of_the_place_by_pictures(shop):
    shop.fake.explained.clear()
    request = SearchRequest(pictures=PictureQuery(picture=picture("yellow")))
    response = await SearchServiceStub(shop.channel).Search(request, timeout=10)
    (asked,) = shop.fake.explained
    places = {
        item.product.id: [leg.rank for leg in item.legs if leg.leg == "picture"]
        for item in asked.items
    }
    assert places["c-yellow"] == [1]
    assert sorted(places.values()) == [[1], [2], [3], [4]]
    assert set(places) == set(ids(response))


async def test_places_by_pictures_go_on_from_one_lot_of_candidates_to_the_next(shop, monkeypatch):
    monkeypatch.setattr(shop.service._settings, "candidates", 2)
    response = await search(shop, picture=picture("red"))
    ranks = [leg.rank for each in response.results for leg in each.legs if leg.leg == "picture"]
    assert ranks == [1, 2, 3, 4]
    assert len(set(ids(response))) == 4


async def test_pages_belong_to_their_picture(shop):
    stub = SearchServiceStub(shop.channel)
    request = SearchRequest(
        page_size=2, skip_reasons=True, pictures=PictureQuery(picture=picture("red"))
    )
    first = await stub.Search(request, timeout=10)
    request.page_token = first.next_page_token
    second = await stub.Search(request, timeout=10)
    assert len({*ids(first), *ids(second)}) == 4
    request.pictures.picture.frames[0] = png("blue")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Search(request, timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"picture_weight": 1.0}, "pictures"),
        ({"text": "red", "edit": "blue"}, "pictures.edit"),
        ({"text": "red", "leg_weight": -1.0}, "pictures.leg_weight"),
        ({"text": "red", "text_weight": float("inf")}, "pictures.text_weight"),
        ({"text": "a" * 1_001}, "pictures.text"),
        ({"picture": Picture()}, "pictures.picture.frames"),
        ({"picture": Picture(frames=[b"no picture"])}, "pictures.picture.frames[0]"),
        ({"product_id": "nobody"}, "pictures.product_id"),
        ({"product_id": "c-none"}, "pictures.product_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_bad_queries_name_their_field(shop, asked, field):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await search(shop, **asked)
    error = error_from_rpc(caught.value)
    assert isinstance(error, InvalidArgumentError)
    assert [violation.field for violation in error.violations] == [field]


async def test_a_lost_encoder_leaves_the_words(shop, colours):
    colours.lost = True
    try:
        response = await search(shop, "kettle", picture=picture("red"))
        assert legs(response)["c-none"] == {"dense", "sparse"}
        assert [each.stage for each in response.degraded] == ["pictures"]
        assert response.picture_model == ""
        assert "sparse" in legs(await search(shop, text="kettle"))["c-none"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await search(shop, picture=picture("red"))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    finally:
        colours.lost = False


async def test_changed_files_are_read_again_and_others_are_not(shop, colours):
    path = shop.pictures / "cups" / "green.png"
    row = product("c-green", "/cups/green.png")
    (same,) = [r async for r in imports(shop, row)]
    assert same.unchanged_count == 1
    path.write_bytes(png("purple"))
    os.utime(path, (1, 1))
    (changed,) = [r async for r in imports(shop, row)]
    assert changed.imported_count == 1
    assert ids(await search(shop, picture=picture("purple")))[0] == "c-green"
    path.write_bytes(png("green"))
    (back,) = [r async for r in imports(shop, row)]
    assert back.imported_count == 1


async def test_without_the_encoder_products_go_in_and_are_filled_in_later(shop, colours):
    (shop.pictures / "late.png").write_bytes(png("orange"))
    row = product("c-late", "late.png")
    colours.lost = True
    try:
        (lost,) = [r async for r in imports(shop, row)]
    finally:
        colours.lost = False
    assert lost.imported_count == 1
    assert [each.stage for each in lost.degraded] == ["pictures"]
    assert "c-late" not in ids(await search(shop, picture=picture("orange")))
    (later,) = [r async for r in imports(shop, row)]
    assert later.imported_count == 1
    assert ids(await search(shop, picture=picture("orange")))[0] == "c-late"


async def test_without_ranking_pictures_stand_in_the_order_of_retrieval(shop):
    await shop.ranking.stop()  # the last test of this shop
    response = await search(shop, picture=picture("blue"))
    assert ids(response)[0] == "c-blue"
    assert [each.stage for each in response.degraded] == ["ranking"]


async def test_a_weights_file_that_knows_no_pictures_leaves_the_order_of_retrieval(
    tmp_path, colours
):
    weights = load_weights(DEFAULT_WEIGHTS)
    del weights.serving["pictures"]
    (tmp_path / "own.json").write_text(weights.model_dump_json())
    (tmp_path / "pictures").mkdir()
    for colour in COLOURS:
        (tmp_path / "pictures" / f"{colour}.png").write_bytes(png(colour))
    rows = [product(f"c-{colour}", f"{colour}.png") for colour in COLOURS]
    async with pictured_shop(
        tmp_path,
        colours,
        rows,
        pictures_dir=tmp_path / "pictures",
        weights_path=tmp_path / "own.json",
    ) as own:
        response = await search(own, picture=picture("blue"))
        assert ids(response)[0] == "c-blue"
        (loss,) = response.degraded
        assert loss.stage == "ranking"
        assert loss.detail == "INVALID_ARGUMENT"


async def test_nothing_outside_of_the_folder_is_read(tmp_path: Path):
    root = tmp_path / "pictures"
    root.mkdir()
    (root / "a b.png").write_bytes(png("red"))
    outside = tmp_path / "outside.png"
    outside.write_bytes(png("red"))
    (root / "link.png").symlink_to(outside)
    folder = PictureFolder(root)

    def found(uri: str) -> bool:
        return folder.find(product("p", uri)) is not None

    assert found("a%20b.png")
    assert found("/a b.png")
    assert found(f"file://{root}/a%20b.png")
    for uri in (
        "../outside.png", "/../outside.png", "link.png", str(outside), f"file://{outside}",
        "http://localhost/a b.png", "//localhost/a b.png", "data:image/png;base64,AA",
        "nothing.png", "a\x00b", "x" * 2_000, "http://[", "",
    ):  # fmt: skip
        assert not found(uri), uri
