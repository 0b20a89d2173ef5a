"""PictureService over a real port: vectors, compositions, and files as strangers send them."""

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from services.nlu.pictures import opening
from services.nlu.pictures.requests import decoded
from services.nlu.server import NluService
from shared.errors import InvalidArgumentError, error_from_rpc
from shared.server import start_server
from tests.services.nlu.hash_encoder import HashEncoder, settings_of
from tests.services.nlu.pictures.files import (
    ColourEncoder,
    animation,
    encoded,
    plain,
    png,
)
from tests.shared.pictures.png import png_that_says
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import picture_service_pb2 as pb
from wherefore.nlu.v1.picture_service_pb2_grpc import PictureServiceStub


@pytest.fixture
def colours() -> ColourEncoder:
    return ColourEncoder()


@pytest_asyncio.fixture
async def stub(
    colours: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PictureServiceStub]:
    monkeypatch.setattr(opening, "open_dual_encoder", lambda *_: colours)
    settings = settings_of()
    server = await start_server(NluService(settings, HashEncoder()), settings)
    await server.wait_ready()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield PictureServiceStub(channel)
    await server.stop()
    assert colours.closed == 1


def one(*frames: bytes) -> pb.Picture:
    return pb.Picture(frames=frames)


def values(vector: Vector) -> np.ndarray:
    return np.array(vector.values, dtype=np.float32)


async def embedded(stub: PictureServiceStub, *frames: bytes) -> np.ndarray:
    response = await stub.EmbedPictures(pb.EmbedPicturesRequest(pictures=[one(*frames)]), timeout=9)
    return values(response.vectors[0])


async def refused(call: "grpc.aio.UnaryUnaryCall[object, object]") -> InvalidArgumentError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = error_from_rpc(caught.value)
    assert isinstance(error, InvalidArgumentError), error
    return error


async def test_pictures_and_texts_share_a_space(stub: PictureServiceStub):
    pictures = await stub.EmbedPictures(
        pb.EmbedPicturesRequest(pictures=[one(png("red")), one(png("blue"))]), timeout=9
    )
    texts = await stub.EmbedTexts(pb.EmbedTextsRequest(texts=["red", "blue"]), timeout=9)
    assert {each.model for each in (*pictures.vectors, *texts.vectors)} == {"colours@1"}
    fit = np.stack([*map(values, texts.vectors)]) @ np.stack([*map(values, pictures.vectors)]).T
    assert fit.argmax(axis=1).tolist() == [0, 1]
    assert {timing.stage for timing in pictures.timings} == {
        "pictures.decoding", "pictures.embedding",
    }  # fmt: skip


async def test_frames_of_a_video_and_of_an_animation_are_pooled(stub: PictureServiceStub):
    red, blue = await embedded(stub, png("red")), await embedded(stub, png("blue"))
    mean = (red + blue) / np.linalg.norm(red + blue)
    assert await embedded(stub, png("red"), png("blue")) == pytest.approx(mean, abs=1e-5)
    moving = await embedded(stub, animation("red", "blue"))
    assert moving == pytest.approx(mean, abs=0.02)


async def test_chinese_is_given_to_the_encoder_as_its_gloss(
    stub: PictureServiceStub, colours: ColourEncoder
):
    await stub.EmbedTexts(pb.EmbedTextsRequest(texts=["红色连衣裙", "red dress"]), timeout=9)
    assert colours.texts[-1] == "red dress"
    assert "red" in colours.texts[-2]
    assert colours.texts[-2].isascii()


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (encoded(plain("red").convert("CMYK"), "JPEG"), "red"),
        (encoded(plain("red").convert("P"), "GIF"), "red"),
        (encoded(plain("red").convert("RGBA"), "WEBP"), "red"),
        (encoded(Image.fromarray(np.full((32, 24), 32_896, dtype=np.uint16)), "PNG"), "gray"),
        (animation("red", "red", "red"), "red"),
    ],
    ids=["CMYK", "palette", "transparent", "16 bit", "animated"],
)
async def test_odd_pictures_are_read(stub: PictureServiceStub, data: bytes, colour: str):
    usual = await embedded(stub, png(colour))
    assert float(usual @ await embedded(stub, data)) > 0.9


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (encoded(Image.effect_noise((200, 200), 90), "PNG")[:900], "broken or cut off"),
        (encoded(plain("red", (400, 400)), "JPEG")[:400], "broken"),
        (png_that_says(20_000, 20_000), "at most 40,000,000 pixels"),
        (encoded(Image.new("1", (20_000, 20_000)), "PNG"), "at most 40,000,000 pixels"),
        (b"%PDF-1.7 no picture at all", "is no JPEG, PNG, WEBP or GIF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no JPEG"),
        (encoded(plain("red"), "TIFF"), "is no JPEG"),
        (encoded(plain("red", (4, 40)), "PNG"), "8 pixels or more"),
        (b"", "is empty"),
        (b"\xff" * (10 * 2**20 + 1), "at most 10 MiB"),
    ],
    ids=[
        "truncated PNG", "truncated JPEG", "says 20,000 x 20,000", "is 20,000 x 20,000", "PDF",
        "SVG", "TIFF", "thin", "empty", "large",
    ],
)  # fmt: skip
async def test_bad_pictures_are_refused_with_their_field(
    stub: PictureServiceStub, data: bytes, told: str
):
    pictures = [one(png("red")), one(png("red"), data)]
    error = await refused(stub.EmbedPictures(pb.EmbedPicturesRequest(pictures=pictures), timeout=9))
    assert [violation.field for violation in error.violations] == ["pictures[1].frames[1]"]
    assert told in error.message
    error = await refused(stub.ComposeQuery(pb.ComposeQueryRequest(picture=one(data)), timeout=9))
    assert [violation.field for violation in error.violations] == ["picture.frames[0]"]


async def test_a_picture_is_changed_as_a_text_says(stub: PictureServiceStub):
    blue = await embedded(stub, png("blue"))
    edited = await stub.ComposeQuery(
        pb.ComposeQueryRequest(vector=Vector(values=blue, model="colours@1"), edit="but red"),
        timeout=9,
    )
    red = await embedded(stub, png("red"))
    assert float(values(edited.vector) @ red) > float(values(edited.vector) @ blue)


async def test_parts_of_a_query_are_told(stub: PictureServiceStub):
    request = pb.ComposeQueryRequest(picture=one(png("blue")), edit="red", text="green")
    response = await stub.ComposeQuery(request, timeout=9)
    green = await stub.EmbedTexts(pb.EmbedTextsRequest(texts=["green"]), timeout=9)
    assert response.text_vector == green.vectors[0]
    edited = await stub.ComposeQuery(
        pb.ComposeQueryRequest(picture=one(png("blue")), edit="red"), timeout=9
    )
    assert response.picture_vector == edited.picture_vector == edited.vector
    assert not edited.HasField("text_vector")


async def test_large_pictures_are_made_small_before_they_gather():
    files = [encoded(plain("red", (3_000, 2_000)))] * 3 + [png("red")]
    made = await decoded(one(*files), "picture")
    assert [pixels.shape for pixels in made] == [(683, 1024, 3)] * 3 + [(32, 24, 3)]
    assert made[0].mean(axis=(0, 1)) == pytest.approx([210, 20, 30], abs=1)


async def test_weights_decide_between_picture_and_text(stub: PictureServiceStub):
    picture = await embedded(stub, png("blue"))

    async def composed(picture_weight: float, text_weight: float) -> float:
        response = await stub.ComposeQuery(
            pb.ComposeQueryRequest(
                picture=one(png("blue")),
                text="red",
                picture_weight=picture_weight,
                text_weight=text_weight,
            ),
            timeout=9,
        )
        return float(values(response.vector) @ picture)

    assert await composed(1, 0) == pytest.approx(1, abs=1e-5)
    assert await composed(1, 0) > await composed(3, 1) > await composed(1, 3) > await composed(0, 1)
    assert await composed(0, 0) == pytest.approx(await composed(1, 1), abs=1e-6)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ComposeQueryRequest(), "picture"),
        (pb.ComposeQueryRequest(edit="red", text="tee"), "edit"),
        (pb.ComposeQueryRequest(picture=pb.Picture(), vector=Vector()), "vector"),
        (pb.ComposeQueryRequest(picture=pb.Picture()), "picture.frames"),
        (pb.ComposeQueryRequest(text="a" * 1_001), "text"),
        (pb.ComposeQueryRequest(text="a\x00b"), "text"),
        (pb.ComposeQueryRequest(text="tee", text_weight=-1), "text_weight"),
        (pb.ComposeQueryRequest(text="tee", picture_weight=float("nan")), "picture_weight"),
        (pb.ComposeQueryRequest(vector=Vector(values=[1, 1], model="colours@1")), "vector.values"),
    ],
)
async def test_queries_that_make_no_sense(
    stub: PictureServiceStub, request_: pb.ComposeQueryRequest, field: str
):
    error = await refused(stub.ComposeQuery(request_, timeout=9))
    assert [violation.field for violation in error.violations] == [field]


async def test_too_many_pictures_and_frames(stub: PictureServiceStub):
    for pictures, field in (
        ([], "pictures"),
        ([one(b"")] * 65, "pictures"),
        ([one(*[b""] * 17)], "pictures[0].frames"),
        ([one(*[b""] * 16)] * 9, "pictures"),
    ):
        request = pb.EmbedPicturesRequest(pictures=pictures)
        error = await refused(stub.EmbedPictures(request, timeout=9))
        assert [violation.field for violation in error.violations] == [field]
    error = await refused(stub.EmbedTexts(pb.EmbedTextsRequest(texts=["tee", " "]), timeout=9))
    assert [violation.field for violation in error.violations] == ["texts[1]"]


async def test_vectors_of_another_model_are_no_pictures(stub: PictureServiceStub):
    request = pb.ComposeQueryRequest(vector=Vector(values=[1.0] + [0.0] * 7, model="other@1"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ComposeQuery(request, timeout=9)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_lost_encoder_is_unavailable(stub: PictureServiceStub, colours: ColourEncoder):
    colours.lost = True
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.EmbedTexts(pb.EmbedTextsRequest(texts=["red"]), timeout=9)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_without_a_model_pictures_alone_are_unavailable():
    settings = settings_of(picture_model="no_such_model")
    server = await start_server(NluService(settings, HashEncoder()), settings)
    await server.wait_ready()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        request = pb.EmbedPicturesRequest(pictures=[one(png("red"))])
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await PictureServiceStub(channel).EmbedPictures(request, timeout=9)
    await server.stop()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "no_such_model" in (caught.value.details() or "")
