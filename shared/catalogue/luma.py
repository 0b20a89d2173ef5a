"""Luma, the fashion shop of Magento's sample data: CSV tables, prices in US dollars."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from shared.catalogue.plain_text import plain_line, strip_html
from shared.catalogue.rows import Row, RowValueError, accept, parse_count, parse_number, refuse
from shared.catalogue.table import records
from wherefore.common.v1 import product_pb2

CONFIGURABLE = "ConfigurableSampleData_products.csv"
SIMPLE = "*SampleData*_products_*.csv"
_REVIEWS = "ReviewSampleData_products_reviews.csv"
_KEYS = {"color": "colour", "gender": "audience", "category_gear": "product_type"}
_NOT_CONTENT = {"has_options", "required_options"}
# Merchandising flags: "Yes" makes a tag.
_FLAGS = {"new": "new-arrival", "sale": "sale", "eco_collection": "eco", "erin_recommends": "pick"}
_GEAR_ATTRIBUTES = (
    "activity", "category_gear", "gender", "material", "size", "color", "pattern", "format",
    "features_bags", "strap_bags", "style_bags", "performance_fabric", *_FLAGS,
)  # fmt: skip
_MAX_REVIEWS = 50


def read(path: Path) -> Iterator[Row]:
    """Yield the products of the folder, or of the folder that the file `path` is in."""
    folder = path if path.is_dir() else path.parent
    reviews = _read_reviews(folder / _REVIEWS)
    number = 0
    files = [folder / CONFIGURABLE, *sorted(folder.glob(SIMPLE))]
    for file in files:
        if not file.exists() or file.name == _REVIEWS or "_images_" in file.name:
            continue
        groups = _variant_groups(file) if file.name == CONFIGURABLE else {}
        for _, record in records(file):
            number += 1
            if isinstance(record, str):
                yield refuse(number, "", f"{file.name}: {record}")
                continue
            try:
                yield accept(number, _to_product(record, groups, reviews))
            except RowValueError as error:
                yield refuse(number, error.field, error.reason)


def _variant_groups(file: Path) -> dict[str, str]:
    groups: dict[str, str] = {}
    for _, record in records(file):
        if not isinstance(record, str):
            for sku in re.findall(r"sku=([^,|]+)", record.get("configurable_variations", "")):
                groups[sku] = record.get("sku", "")
    return groups


def _read_reviews(file: Path) -> dict[str, list[product_pb2.Review]]:
    reviews: dict[str, list[product_pb2.Review]] = defaultdict(list)
    if not file.exists():
        return reviews
    for line, record in records(file):
        if isinstance(record, str) or not record.get("review"):
            continue
        rating = record.get("rating_value", "")
        stars = int(rating) if rating in ("1", "2", "3", "4", "5") else 0
        reviews[record.get("sku", "")].append(
            product_pb2.Review(
                id=f"luma-{line}", rating=stars, text=record["review"], language_code="en"
            )
        )
    return reviews


def _to_product(
    record: dict[str, str], groups: dict[str, str], reviews: dict[str, list[product_pb2.Review]]
) -> product_pb2.Product:
    sku = record.get("sku", "").strip()
    configurable = record.get("product_type") == "configurable"
    product = product_pb2.Product(
        id=sku,
        language_code="en",
        variant_group_id=sku if configurable else groups.get(sku, ""),
        category_path=_category(record),
    )
    product.titles["en"] = plain_line(record.get("name", ""))
    if description := strip_html(record.get("description", "")):
        product.descriptions["en"] = description
    if record.get("price"):
        product.price.amount = parse_number("price", record["price"])
        product.price.currency_code = "USD"
    if image := record.get("base_image"):
        product.images.add(uri=image)
    if configurable or not record.get("qty"):
        # A configurable product is sold through its variants and keeps no units of its own.
        product.stock.availability = product_pb2.AVAILABILITY_IN_STOCK
    else:
        quantity = parse_count("qty", record["qty"])
        product.stock.quantity = quantity
        product.stock.availability = (
            product_pb2.AVAILABILITY_IN_STOCK if quantity else product_pb2.AVAILABILITY_OUT_OF_STOCK
        )
    for key, values in _attributes(record):
        _set_attribute(product, key, values)
    _set_reviews(product, reviews.get(sku, []))
    return product


def _category(record: dict[str, str]) -> list[str]:
    if categories := record.get("categories"):
        deepest = max(categories.split(","), key=lambda path: path.count("/"))
        return [level for level in deepest.split("/") if level != "Default Category"]
    return [level for level in record.get("category", "").split("\n") if level]


def _attributes(record: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    for pair in record.get("additional_attributes", "").split(","):
        key, _, value = pair.partition("=")
        if value:
            yield key, value.split("|")
    if "sku" in record and "additional_attributes" not in record:
        for key in _GEAR_ATTRIBUTES:
            yield (
                key,
                [value for part in record.get(key, "").split("\n") if (value := part.strip())],
            )


def _set_attribute(product: product_pb2.Product, key: str, values: list[str]) -> None:
    if not values or key in _NOT_CONTENT:
        return
    if key in _FLAGS:
        if values == ["Yes"]:
            product.tags.append(_FLAGS[key])
    elif key == "performance_fabric":
        product.attributes[key].boolean = values == ["Yes"]
    else:
        product.attributes[_KEYS.get(key, key)].texts.extend(map(plain_line, values))


def _set_reviews(product: product_pb2.Product, reviews: list[product_pb2.Review]) -> None:
    stars = [review.rating for review in reviews if review.rating]
    if stars:
        product.review_summary.average_rating = sum(stars) / len(stars)
        product.review_summary.rating_count = len(stars)
    product.reviews.extend(reviews[:_MAX_REVIEWS])
