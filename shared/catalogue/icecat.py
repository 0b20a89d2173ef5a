"""Icecat's electronics as the Chorus project packs them: one JSON object a line.

Prices are bare cents. They are taken as euros: Icecat is a European catalogue whose titles carry
European part numbers, and the source states no currency.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp

from shared.catalogue.json_lines import JsonObject, read_json_lines, text_of, texts_of
from shared.catalogue.rows import Row, RowValueError, parse_number, set_attribute
from wherefore.common.v1 import product_pb2

CURRENCY = "EUR"
_CANONICAL = {
    "product_colour": "colour",
    "colour_name": "colour",
    "cable_colour": "colour",
    "housing_colour": "colour",
    "housing_material": "material",
    "target_audience": "audience",
}
_NOT_STATED = {"", "N", "Y", "-", "N/A", "Not available", "Not applicable", "Other"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MAX_TEXT = 1_000
_MAX_CATEGORY = 60
_MAX_ATTRIBUTES = 500


def read(path: Path) -> Iterator[Row]:
    """Yield the products of `path`, one a line."""
    return read_json_lines(path, to_product)


def to_product(row: JsonObject) -> product_pb2.Product:
    """Return the product of one line."""
    product = product_pb2.Product(
        id=text_of(row, "id", required=True),
        brand=text_of(row, "supplier"),
        language_code="en",
    )
    title = text_of(row, "title") or text_of(row, "name")
    if not title:
        raise RowValueError("title", "is missing")
    product.titles["en"] = title
    if description := text_of(row, "short_description"):
        product.descriptions["en"] = description
    if row.get("price") is not None:
        product.price.amount = parse_number("price", row["price"]) / 100
        product.price.currency_code = CURRENCY
    product.gtins.extend(code for code in texts_of(row, "ean") if _is_gtin(code))
    if image := text_of(row, "img_500x500") or text_of(row, "img_high"):
        product.images.add(uri=image)
    if released := text_of(row, "date_released"):
        _set_time(product.release_time, released)
    _set_attributes(product, row)
    # No categories are stated; where the type is, it is the one level that can be told.
    if "product_type" in product.attributes:
        kind = product.attributes["product_type"].texts[0]
        if len(kind) <= _MAX_CATEGORY:
            product.category_path.append(kind)
    return product


def _is_gtin(code: str) -> bool:
    return code.isascii() and code.isdigit() and len(code) in (8, 12, 13, 14)


def _set_time(target: Timestamp, text: str) -> None:
    try:
        target.FromJsonString(text)
    except ValueError:
        raise RowValueError(
            "date_released", "must be a time such as 2020-01-31T00:00:00Z"
        ) from None


def _set_attributes(product: product_pb2.Product, row: JsonObject) -> None:
    name = text_of(row, "name")
    if name and name != product.titles["en"]:
        set_attribute(product, "model", name[:_MAX_TEXT])
    for source, value in row.items():
        if not source.startswith(("attr_t_", "attr_n_", "attr_b_")):
            continue
        if len(product.attributes) >= _MAX_ATTRIBUTES:
            break
        key = re.sub(r"_+", "_", source[7:]).strip("_").lower()
        if source.startswith("attr_t_"):
            _set_text(product, key, value)
        elif key and source.startswith("attr_n_"):
            set_attribute(product, _free(product, key, "number"), parse_number(source, value))
        elif key:
            if not isinstance(value, bool):
                raise RowValueError(source, "must be true or false")
            # "attr_b_colour" says that a device prints in colour, not which colour it has.
            key = "colour_output" if key == "colour" else key
            set_attribute(product, _free(product, key, "flag"), value)


def _set_text(product: product_pb2.Product, key: str, value: object) -> None:
    # The source has stray control characters in a few long texts.
    text = _CONTROL.sub(" ", text_of({key: value}, key))
    # Icecat packs several values into one text, and fragments of HTML into a few.
    if not key or text in _NOT_STATED or text.startswith("<"):
        return
    key = _CANONICAL.get(key, key)
    if key == "product_type" and text.isdigit():
        return
    if key not in product.attributes and len(text) <= _MAX_TEXT:
        parts = text.split(",") if key in ("colour", "material") else [text]
        values = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
        product.attributes[key].texts.extend(values[:50])


def _free(product: product_pb2.Product, key: str, kind: str) -> str:
    # A few products state one key both as text and as a number or flag; both are kept.
    return f"{key}_{kind}" if key in product.attributes else key
