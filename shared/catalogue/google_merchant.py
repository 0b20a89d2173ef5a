"""Google Merchant Center feeds: tab-separated text, or RSS 2.0 / Atom.

Source: the product data specification of Google Merchant Center.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from shared.catalogue.files import READ_ERRORS, open_binary
from shared.catalogue.jsonl import language_of, split_category
from shared.catalogue.plain_text import plain_line, strip_html
from shared.catalogue.rows import Row, RowValueError, accept, parse_number, refuse
from shared.catalogue.table import records
from wherefore.common.v1 import product_pb2

_PRICE = re.compile(r"([0-9][0-9.,]*)\s*([A-Za-z]{3})|([A-Za-z]{3})\s*([0-9][0-9.,]*)")
_AVAILABILITY = {
    "in_stock": product_pb2.AVAILABILITY_IN_STOCK,
    "out_of_stock": product_pb2.AVAILABILITY_OUT_OF_STOCK,
    "preorder": product_pb2.AVAILABILITY_PREORDER,
    "backorder": product_pb2.AVAILABILITY_BACKORDER,
}
_ATTRIBUTES = {"color": "colour", "size": "size", "material": "material", "pattern": "pattern"}
_AUDIENCES = {"male": "men", "female": "women", "unisex": "unisex"}
_GTIN_LENGTHS = (8, 12, 13, 14)


def read(path: Path) -> Iterator[Row]:
    """Yield the products of a feed."""
    with open_binary(path) as file:
        try:
            is_xml = file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
        except READ_ERRORS as error:
            yield refuse(1, "", f"the file is damaged: {error}")
            return
    for number, record in _items(path) if is_xml else records(path, "\t"):
        if isinstance(record, str):
            yield refuse(number, "", record)
            continue
        try:
            yield accept(number, _to_product(record))
        except RowValueError as error:
            yield refuse(number, error.field, error.reason)


def _items(path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    number = 0
    root: Element | None = None
    with open_binary(path) as file:
        try:
            for event, element in ElementTree.iterparse(
                file, events=("start", "end"), forbid_dtd=True
            ):
                if root is None:
                    root = element
                if event == "end" and _local(element.tag) in ("item", "entry"):
                    number += 1
                    yield number, {_local(child.tag): child.text or "" for child in element}
                    element.clear()
        except (ParseError, DefusedXmlException, ValueError, LookupError, *READ_ERRORS) as error:
            yield number + 1, f"not well-formed or not safe XML: {error}"


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _to_product(record: dict[str, str]) -> product_pb2.Product:
    values = {
        key.removeprefix("g:").strip().lower().replace(" ", "_"): value.strip()
        for key, value in record.items()
        if value.strip()
    }
    category = values.get("product_type") or values.get("google_product_category", "")
    product = product_pb2.Product(
        id=values.get("id", ""),
        brand=plain_line(values.get("brand", "")),
        category_path=[] if category.isdigit() else split_category(category),
        uri=values.get("link", ""),
        variant_group_id=values.get("item_group_id", ""),
    )
    if title := plain_line(values.get("title", "")):
        product.titles[language_of(title)] = title
    if description := strip_html(values.get("description", "")):
        product.descriptions[language_of(description)] = description
    if "image_link" in values:
        product.images.add(uri=values["image_link"])
    gtin = values.get("gtin", "").replace("-", "")
    if gtin.isascii() and gtin.isdigit() and len(gtin) in _GTIN_LENGTHS:
        product.gtins.append(gtin)
    _set_price(product, values)
    if "availability" in values:
        stated = values["availability"].lower().replace(" ", "_")
        if stated not in _AVAILABILITY:
            raise RowValueError("availability", f"must be one of {', '.join(_AVAILABILITY)}")
        product.stock.availability = _AVAILABILITY[stated]
    for source, key in _ATTRIBUTES.items():
        if source in values:
            parts = [part.strip() for part in values[source].split("/") if part.strip()]
            product.attributes[key].texts.extend(parts)
    _set_audience(product, values)
    return product


def _set_audience(product: product_pb2.Product, values: dict[str, str]) -> None:
    age = values.get("age_group", "adult").lower()
    gender = values.get("gender", "").lower()
    if age != "adult":
        product.attributes["audience"].texts.append("kids" if age in ("kids", "toddler") else age)
    elif gender in _AUDIENCES:
        product.attributes["audience"].texts.append(_AUDIENCES[gender])


def _set_price(product: product_pb2.Product, values: dict[str, str]) -> None:
    if "price" not in values:
        return
    regular, currency = _parse_price("price", values["price"])
    product.price.currency_code = currency
    product.price.amount = regular
    if "sale_price" in values:
        product.price.amount, sale_currency = _parse_price("sale_price", values["sale_price"])
        if sale_currency != currency:
            raise RowValueError("sale_price", "must be in the currency of price")
        product.price.list_amount = regular


def _parse_price(field: str, text: str) -> tuple[float, str]:
    match = _PRICE.fullmatch(text)
    if match is None:
        raise RowValueError(field, 'must be an amount and a currency such as "19.99 EUR"')
    amount = (match[1] or match[4]).replace(",", "")
    return parse_number(field, amount), (match[2] or match[3]).upper()
