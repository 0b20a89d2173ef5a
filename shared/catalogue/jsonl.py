"""JSON lines: the proto3 JSON form of Product, or a flat form that is easier to write.

The flat form has `title` (or `title_en`, `title_zh`, …), `description` likewise, `category` as
"A > B" or a list, `price` as a number with `currency`, and plain attribute values:

    {"id": "1", "title": "Steel kettle", "price": 19.9, "currency": "EUR",
     "category": "Kitchen > Kettles", "attributes": {"colour": "silver", "capacity": 1.7}}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from google.protobuf import json_format

from shared.catalogue.json_lines import JsonObject, read_json_lines
from shared.catalogue.rows import Row, RowValueError
from shared.text.language import detect_language
from wherefore.common.v1 import product_pb2


def read(path: Path) -> Iterator[Row]:
    """Yield the products of `path`, one a line."""
    return read_json_lines(path, to_product)


def to_product(row: JsonObject) -> product_pb2.Product:
    """Return the product of one line in either form.

    Raises:
        RowValueError: A field is unknown or has the wrong type.
    """
    product = product_pb2.Product()
    try:
        json_format.ParseDict(_unflatten(row), product)
    except json_format.ParseError as error:
        raise RowValueError("", str(error)) from None
    return product


def _unflatten(row: JsonObject) -> JsonObject:
    result = dict(row)
    for name, plural in (("title", "titles"), ("description", "descriptions")):
        texts: JsonObject = {}
        for key in [key for key in result if key == name or key.startswith(f"{name}_")]:
            value = result.pop(key)
            if not value:
                continue
            language = key[len(name) + 1 :].replace("_", "-")
            texts[language or language_of(str(value))] = value
        if texts:
            result[plural] = {**_object(result.get(plural, {}), plural), **texts}
    if "category" in result:
        category = result.pop("category")
        result["categoryPath"] = split_category(category) if isinstance(category, str) else category
    currency = result.pop("currency", "")
    if isinstance(result.get("price"), int | float | str):
        result["price"] = {"currencyCode": currency, "amount": result["price"]}
    if "attributes" in result:
        attributes = _object(result["attributes"], "attributes")
        result["attributes"] = {key: _attribute(value) for key, value in attributes.items()}
    return result


def _object(value: object, field: str) -> JsonObject:
    if not isinstance(value, dict):
        raise RowValueError(field, "must be an object")
    return cast("JsonObject", value)


def _attribute(value: object) -> object:
    if isinstance(value, bool):
        return {"boolean": value}
    if isinstance(value, str):
        return {"texts": [value]}
    if isinstance(value, int | float):
        return {"numbers": [value]}
    if isinstance(value, list):
        values = cast("list[object]", value)
        return {"texts" if all(isinstance(item, str) for item in values) else "numbers": values}
    return value


def split_category(text: str) -> list[str]:
    """Split "Kitchen > Kettles" into its levels."""
    return [level for part in text.split(">") if (level := part.strip())]


def language_of(text: str) -> str:
    """Return the language a text without a stated one is filed under."""
    return "zh" if detect_language(text)[0] == "zh" else "en"
