"""Pictures that come with an import as bytes: real retrieval, the NLU's service, real ports."""

from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio
from PIL import Image as Pillow

from services.orchestrator.pictures.embedder import PictureEmbedder
from services.orchestrator.pictures.sent import SentPictures
from services.orchestrator.pictures.sources import PictureSources
from shared.errors import InvalidArgumentError, error_from_rpc
from tests.services.nlu.pictures.files import ColourEncoder, encoded, plain, png
from tests.services.orchestrator.pictured import imports, pictured_shop, product
from tests.shared.pictures.png import png_that_says
from wherefore.common.v1.product_pb2 import Image
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.picture_service_pb2 import EmbedPicturesResponse, Picture
from wherefore.orchestrator.v1 import product_service_pb2 as pb
from wherefore.orchestrator.v1.picture_query_pb2 import PictureQuery
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexDocument

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEB = "https://cdn.example/{}.png"


@pytest.fixture(scope="module")
def encoder() -> ColourEncoder:
    return ColourEncoder()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory, encoder):
    """No folder of pictures: there is nothing but what is sent."""
    rows = [product("plain")]
    async with pictured_shop(tmp_path_factory.mktemp("sent"), encoder, rows) as running:
        yield running


async def found(shop: SimpleNamespace, colour: str) -> dict[str, float]:
    """Products that a picture of a colour finds, with how well theirs fit."""
    sought = PictureQuery(picture=Picture(frames=[png(colour)]))
    request = SearchRequest(pictures=sought, skip_reasons=True)
    response = await SearchServiceStub(shop.channel).Search(request, timeout=10)
    return {each.product.id: each.picture_match.picture for each in response.results}


async def send(shop: SimpleNamespace, *products, **pictures):
    *_, last = [each async for each in imports(shop, *products, **pictures)]
    return last


async def test_bytes_make_a_vector_whatever_the_uri_is(shop):
    uri = WEB.format("red")
    answer = await send(shop, product("s-red", uri), pictures={uri: png("red")})
    assert answer.imported_count == 1
    assert not answer.degraded
    assert (await found(shop, "red"))["s-red"] > 0.999


async def test_the_vector_stays_for_as_long_as_the_images_do(shop):
    uri = WEB.format("blue")
    row = product("s-blue", uri)
    await send(shop, row, pictures={uri: png("blue")})
    assert (await send(shop, row, pictures={uri: png("blue")})).unchanged_count == 1
    assert (await send(shop, row)).unchanged_count == 1
    row.price.amount = 2
    assert (await send(shop, row)).imported_count == 1
    assert (await found(shop, "blue"))["s-blue"] > 0.999
    # Other bytes are another picture.
    assert (await send(shop, row, pictures={uri: png("green")})).imported_count == 1
    assert (await found(shop, "green"))["s-blue"] > 0.999
    # Other images are not what the vector was made of.
    row.images[0].uri = WEB.format("other")
    assert (await send(shop, row)).imported_count == 1
    assert "s-blue" not in await found(shop, "green")


async def test_a_change_of_one_product_keeps_it_too(shop):
    uri = WEB.format("pink")
    await send(shop, product("s-pink", uri), pictures={uri: png("pink")})
    change = product("s-pink", uri)
    change.brand = "Acme"
    await ProductServiceStub(shop.channel).Update(
        pb.ProductServiceUpdateRequest(product=change), timeout=10
    )
    assert (await found(shop, "pink"))["s-pink"] > 0.999


async def test_variants_share_a_picture_that_is_sent_once(shop, encoder, monkeypatch):
    uri = WEB.format("orange")
    seen: list[int] = []
    encode = encoder.encode_pictures

    async def counted(pictures):
        seen.append(len(pictures))
        return await encode(pictures)

    monkeypatch.setattr(encoder, "encode_pictures", counted)
    rows = [product(f"v-{size}", uri) for size in "SML"]
    await send(shop, *rows, pictures={uri: png("orange")})
    assert seen == [1]
    assert {f"v-{size}" for size in "SML"} <= set(await found(shop, "orange"))


async def test_pictures_of_strangers_never_keep_products_out(shop):
    bad = {
        "truncated": encoded(Pillow.effect_noise((200, 200), 90))[:900],
        "bomb": png_that_says(20_000, 20_000),
        "huge": encoded(Pillow.new("1", (20_000, 20_000))),
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        "pdf": b"%PDF-1.7",
        "tiff": encoded(plain("red"), "TIFF"),
        "empty": b"",
        "large": b"\xff" * (10 * 2**20 + 1),
    }
    good = {
        "cmyk": encoded(plain("purple").convert("CMYK"), "JPEG"),
        "palette": encoded(plain("purple").convert("P"), "GIF"),
    }
    rows = [product(f"x-{name}", WEB.format(name)) for name in (*bad, *good)]
    files = {WEB.format(name): data for name, data in (bad | good).items()}
    answer = await send(shop, *rows, pictures=files)
    assert answer.imported_count == len(rows)
    assert not answer.errors
    (told,) = answer.degraded
    assert told.stage == "pictures"
    assert f"{len(bad)} products, such as x-" in told.detail
    hits = await found(shop, "purple")
    assert {each for each in hits if each.startswith("x-")} == {f"x-{name}" for name in good}


@pytest.mark.parametrize(
    ("pictures", "field"),
    [
        ([pb.ImportedPicture(uri="other.png")], "pictures[0].uri"),
        ([pb.ImportedPicture()], "pictures[0].uri"),
        ([pb.ImportedPicture(uri="a.png")] * 2, "pictures[1].uri"),
        ([pb.ImportedPicture(uri="a.png")] * 513, "pictures"),
    ],
)
async def test_messages_that_make_no_sense(shop, pictures, field):
    request = pb.ProductServiceImportRequest(products=[product("m", "a.png")], pictures=pictures)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in ProductServiceStub(shop.channel).Import(iter([request]), timeout=10):
            pass
    error = error_from_rpc(caught.value)
    assert isinstance(error, InvalidArgumentError)
    assert [violation.field for violation in error.violations] == [field]


async def test_a_batch_of_large_pictures_is_read_in_parts(tmp_path):
    """What is in memory at once is one call, and not the batch."""
    sizes: list[int] = []
    read: list[int] = []

    class Files:
        def __init__(self, at: int) -> None:
            self.source = str(at)

        def read(self):
            for _ in range(4):
                read.append(2**20)
                yield bytes(2**20)

    class Sources:
        def find(self, row):
            return Files(int(row.id))

    async def embed_pictures(request, _):
        sizes.append(sum(len(data) for each in request.pictures for data in each.frames))
        # No more was read by now than was sent, and the next one.
        assert sum(read) <= sum(sizes) + 4 * 2**20
        vector = Vector(values=[1.0], model="m@1")
        return EmbedPicturesResponse(vectors=[vector] * len(request.pictures))

    clients = SimpleNamespace(
        settings=SimpleNamespace(embed_timeout_seconds=5), embed_pictures=embed_pictures
    )
    embedder = PictureEmbedder(clients, Sources())  # type: ignore[arg-type]
    documents = [IndexDocument(product=product(str(at))) for at in range(20)]
    assert await embedder.add(documents, {}) is None
    assert all(each.HasField("picture_vector") for each in documents)
    assert sum(sizes) == 80 * 2**20
    assert max(sizes) <= 12 * 2**20


async def test_what_was_sent_comes_before_files_and_drawings(tmp_path):
    (tmp_path / "a.png").write_bytes(png("red"))
    embedder = PictureEmbedder(
        SimpleNamespace(settings=SimpleNamespace(embed_timeout_seconds=5)),  # type: ignore[arg-type]
        PictureSources(tmp_path),
    )
    row = product("p", "a.png")
    sent = SentPictures(row, {"a.png": png("blue")})
    assert embedder.differ(row, {}, sent)
    assert not embedder.differ(row, {"p": sent.source}, sent)
    assert not embedder.differ(row, {"p": sent.source})
    row.images.append(Image(uri="b.png"))
    assert embedder.differ(row, {"p": sent.source})
    assert not SentPictures(row, {"c.png": png("blue")})
