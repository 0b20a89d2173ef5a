"""Pictures as strangers send them: each is decoded, or refused with the field named."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared.errors import InvalidArgumentError
from shared.pictures.decoding import Limits, decode, frames
from tests.shared.pictures.png import png_that_says

RED = (200, 30, 40)
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "luma" / "images"


def encoded(picture: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_, **options)
    return buffer.getvalue()


def red(mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> Image.Image:
    return Image.new("RGB", size, RED).convert(mode)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "GIF"])
def test_formats(format_: str):
    pixels = decode(encoded(red(), format_), "picture")
    assert pixels.shape == (20, 40, 3)
    assert np.abs(pixels.reshape(-1, 3).mean(axis=0) - RED).max() < 6


@pytest.mark.parametrize(
    ("mode", "format_"),
    [("CMYK", "JPEG"), ("L", "JPEG"), ("1", "PNG"), ("P", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP")],
)
def test_modes_become_rgb(mode: str, format_: str):
    pixels = decode(encoded(red(mode), format_), "picture")
    assert pixels.shape == (20, 40, 3)
    assert pixels.dtype == np.uint8


def test_cmyk_keeps_its_colour():
    red_of_print = decode(encoded(red("CMYK"), "JPEG"), "picture").reshape(-1, 3).mean(axis=0)
    assert red_of_print[0] > 2 * red_of_print[1]


def test_sixteen_bits_are_scaled_and_not_cut():
    grey = Image.fromarray(np.full((10, 10), 32_896, dtype=np.uint16))
    assert set(decode(encoded(grey, "PNG"), "picture").ravel()) == {128}


def test_what_is_transparent_is_white():
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert decode(encoded(clear, "PNG"), "picture").min() == 255


def test_a_turned_camera_is_turned_back():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(red(), "JPEG", exif=exif), "picture").shape == (40, 20, 3)


def animation(count: int, format_: str = "GIF") -> bytes:
    shades = [Image.new("RGB", (16, 16), (n * 8, 0, 0)) for n in range(count)]
    return encoded(shades[0], format_, save_all=True, append_images=shades[1:], lossless=True)


@pytest.mark.parametrize("format_", ["GIF", "WEBP"])
def test_of_an_animation_frames_are_spread_over_its_length(format_: str):
    data = animation(30, format_)
    assert decode(data, "picture").max() <= 8  # the first
    found = [frame[:, :, 0].mean() for frame in frames(data, "picture", Limits(most_frames=5))]
    assert len(found) == 5
    assert found == sorted(found)
    assert found[-1] > 150
    assert len(list(frames(encoded(red(), "PNG"), "picture"))) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"\x00" * 100, "is no JPEG, PNG, WEBP or GIF"),
        (b"%PDF-1.7 not a picture at all", "is no JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no JPEG"),
        (encoded(red(), "BMP"), "is no JPEG"),
        (encoded(red(), "TIFF"), "is no JPEG"),
        (encoded(red(size=(400, 400)), "JPEG")[:400], "broken"),
        (encoded(Image.effect_noise((200, 200), 90), "PNG")[:900], "broken"),
        (encoded(Image.effect_noise((200, 200), 90), "WEBP")[:900], "broken"),
        (png_that_says(20_000, 20_000), "at most 40,000,000 pixels"),
        (png_that_says(2**31 - 1, 2**31 - 1), "at most 40,000,000 pixels"),
        (png_that_says(12_001, 10), "12,000 a side"),
        (png_that_says(0, 10), "is no JPEG"),
        (png_that_says(300, 300), "broken"),
        (encoded(red(size=(4, 40)), "PNG"), "8 pixels or more"),
        (b"\xff" * (10 * 2**20 + 1), "at most 10 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_is_refused(data: bytes, told: str):
    with pytest.raises(InvalidArgumentError, match=told) as caught:
        decode(data, "request.picture")
    assert caught.value.violations[0].field == "request.picture"


def test_a_real_bomb_of_many_pixels_is_refused_before_it_is_decoded():
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(InvalidArgumentError, match="pixels"):
        decode(bomb, "picture")


@given(
    st.binary(max_size=300), st.integers(0, 600), st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"])
)
def test_broken_bytes_never_raise_anything_else(noise: bytes, at: int, format_: str):
    whole = encoded(red(), format_)
    data = whole[:at] + noise + whole[at + len(noise) :]
    try:
        pixels = decode(data, "picture")
    except InvalidArgumentError:
        return
    assert pixels.ndim == 3
    assert pixels.dtype == np.uint8


@pytest.mark.skipif(not DATA.exists(), reason="the luma pictures are not there")
def test_pictures_of_a_shop_are_taken():
    for path in sorted(DATA.iterdir())[:40]:
        assert decode(path.read_bytes(), "picture").shape[2] == 3
