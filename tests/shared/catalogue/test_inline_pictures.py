"""Pictures that a catalogue holds itself."""

import base64
import json
from hashlib import sha256

import pytest

from shared.catalogue import read_catalogue
from shared.catalogue.inline_pictures import InlinePictureError, take_out_pictures
from wherefore.common.v1.product_pb2 import Image, Product

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


def address(data: bytes, head: str = "image/png;base64") -> str:
    return f"data:{head},{base64.b64encode(data).decode()}"


def test_a_line_may_hold_its_picture(tmp_path):
    file = tmp_path / "shop.jsonl"
    rows = [
        {"id": "1", "title": "Cup", "images": [{"uri": address(PICTURE)}, {"uri": "b.png"}]},
        {"id": "2", "title": "Cup", "images": [{"uri": "data:image/png;base64,???"}]},
        {"id": "3", "title": "Cup", "images": [{"uri": "c.png"}]},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    first, second, third = read_catalogue(file)
    assert first.product
    name = first.product.images[0].uri
    digest = base64.urlsafe_b64encode(sha256(PICTURE).digest()).decode().rstrip("=")
    assert name == f"ni:///sha-256;{digest}"
    assert first.pictures == {name: PICTURE}
    assert first.product.images[1].uri == "b.png"
    assert second.error
    assert second.error.field == "images[0].uri"
    assert third.pictures == {}


def test_names_follow_the_content():
    one, same, other = (
        Product(images=[Image(uri=address(data))]) for data in (PICTURE, PICTURE, b"other")
    )
    for each in (one, same, other):
        take_out_pictures(each)
    assert one == same
    assert one != other


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("data:", "must be data:image"),
        ("data:image/png,plain", "must be data:image"),
        (address(PICTURE, "text/html;base64"), "must be data:image"),
        ("DATA:image/png;base64,a", "is not base64"),
        ("data:image/png;base64,aé==", "is not base64"),
        (address(bytes(10 * 2**20 + 1)), "at most 10 MiB"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_field(uri, told):
    product = Product(images=[Image(uri="a.png"), Image(uri=uri)])
    with pytest.raises(InlinePictureError, match=told) as caught:
        take_out_pictures(product)
    assert caught.value.field == "images[1].uri"
