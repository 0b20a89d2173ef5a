import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st

from services.retrieval.blobs import (
    SUMMARY,
    WHOLE,
    blob_for,
    check_mask,
    decode,
    decode_summary,
    encode_summary,
    encode_whole,
)
from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import AttributeValue, Image, Product, Review


def product() -> Product:
    attributes = {f"key_{number:03}": AttributeValue(texts=["x"]) for number in range(100)}
    attributes["colour"] = AttributeValue(texts=["black"])
    attributes["prose"] = AttributeValue(texts=["long " * 40])
    attributes["absent"] = AttributeValue(boolean=False)
    return Product(
        id="1",
        titles={"en": "Kettle"},
        descriptions={"en": "Boils."},
        brand="Acme",
        attributes=attributes,
        images=[Image(uri="https://example.com/1.jpg")],
        reviews=[Review(id="r", text="good")],
    )


def test_the_whole_product_comes_back() -> None:
    assert decode(WHOLE, encode_whole(product()), ()) == product()


def test_a_summary_is_short_and_keeps_what_ranking_needs() -> None:
    summary = decode_summary(encode_summary(product()))
    assert (summary.id, summary.titles["en"], summary.brand) == ("1", "Kettle", "Acme")
    set_fields = {descriptor.name for descriptor, _ in summary.ListFields()}
    assert not {"descriptions", "images", "reviews"} & set_fields
    assert len(summary.attributes) == 12
    assert "colour" in summary.attributes
    assert not {"prose", "absent"} & set(summary.attributes)


@pytest.mark.parametrize(
    ("paths", "blob"),
    [
        ((), SUMMARY),
        (("titles", "brand"), SUMMARY),
        (("price.amount",), SUMMARY),
        (("titles", "attributes"), WHOLE),
        (("reviews",), WHOLE),
        (("*",), WHOLE),
    ],
)
def test_only_what_needs_it_reads_the_whole(paths: tuple[str, ...], blob: str) -> None:
    assert blob_for(paths, default=SUMMARY) == blob


def test_masks_keep_the_id() -> None:
    masked = decode(WHOLE, encode_whole(product()), ("titles", "descriptions"))
    assert masked == Product(id="1", titles={"en": "Kettle"}, descriptions={"en": "Boils."})


@given(
    st.lists(
        st.sampled_from([*Product.DESCRIPTOR.fields_by_name, "price.amount", "stock.quantity"]),
        min_size=1,
        max_size=6,
    )
)
def test_a_mask_leaves_what_field_masks_leave(paths: list[str]) -> None:
    whole = product()
    whole.price.amount, whole.etag = 3.5, "e"
    wanted = Product()
    FieldMask(paths=paths).MergeMessage(whole, wanted)
    wanted.id = whole.id
    assert decode(WHOLE, encode_whole(whole), paths) == wanted


@pytest.mark.parametrize(
    "path", ["nothing", "price.nothing", "titles.en", "", "Titles", "id.x", "**", "id\0"]
)
def test_unknown_paths_are_refused(path: str) -> None:
    with pytest.raises(InvalidArgumentError):
        check_mask(FieldMask(paths=["titles", path]))


def test_known_paths() -> None:
    paths = ["*", "titles", "price.amount", "review_summary"]
    assert list(check_mask(FieldMask(paths=paths))) == paths
