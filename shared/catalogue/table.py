"""CSV with a header line.

Columns: `id`, `title` (or `title_en`, `title_zh`, …), `description` likewise, `brand`, `category`
("Kitchen > Kettles"), `price`, `list_price`, `currency`, `stock` (units), `image`, `uri`, `gtin`,
`tags` (comma-separated), `variant_group_id`, and `attributes.KEY`, where numbers, true and false
are read as such and "a | b" as several texts. An unknown column is an error of the file.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from shared.catalogue.files import text_lines
from shared.catalogue.jsonl import language_of, split_category
from shared.catalogue.rows import (
    CatalogueError,
    Row,
    RowValueError,
    accept,
    parse_count,
    parse_number,
    refuse,
    set_attribute,
)
from wherefore.common.v1 import product_pb2

_PLAIN = {
    "id", "brand", "category", "price", "list_price", "currency", "stock", "image", "uri", "gtin",
    "tags", "variant_group_id",
}  # fmt: skip
_PREFIXES = ("title", "description")


def records(path: Path, delimiter: str = ",") -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield each record with the line it ends on, or the reason why it cannot be read."""
    reader = csv.reader(text_lines(path), delimiter=delimiter)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, str(error)
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
        elif len(cells) > len(header):
            yield reader.line_num, f"has {len(cells)} cells for {len(header)} columns"
        elif cells:
            yield reader.line_num, dict(zip(header, cells, strict=False))


def read(path: Path) -> Iterator[Row]:
    """Yield the products of a CSV file."""
    for line, record in records(path):
        if isinstance(record, str):
            yield refuse(line, "", record)
            continue
        for column in record:
            if not _known(column):
                raise CatalogueError(f"{path}: unknown column {column!r}")
        try:
            yield accept(line, _to_product(record))
        except RowValueError as error:
            yield refuse(line, error.field, error.reason)


def _known(column: str) -> bool:
    return (
        column in _PLAIN
        or column.startswith("attributes.")
        or any(column == name or column.startswith(f"{name}_") for name in _PREFIXES)
    )


def _to_product(record: dict[str, str]) -> product_pb2.Product:
    values = {key: value.strip() for key, value in record.items() if value.strip()}
    product = product_pb2.Product(
        id=values.get("id", ""),
        brand=values.get("brand", ""),
        category_path=split_category(values.get("category", "")),
        uri=values.get("uri", ""),
        variant_group_id=values.get("variant_group_id", ""),
        tags=[tag.strip() for tag in values.get("tags", "").split(",") if tag.strip()],
        gtins=[values["gtin"]] if "gtin" in values else [],
    )
    for column, value in values.items():
        for name, target in zip(_PREFIXES, (product.titles, product.descriptions), strict=True):
            if column == name or column.startswith(f"{name}_"):
                target[column[len(name) + 1 :].replace("_", "-") or language_of(value)] = value
        if column.startswith("attributes."):
            set_attribute(product, column.removeprefix("attributes."), _typed(value))
    if "image" in values:
        product.images.add(uri=values["image"])
    if "price" in values:
        product.price.amount = parse_number("price.amount", values["price"])
        product.price.currency_code = values.get("currency", "")
        product.price.list_amount = parse_number("price.list_amount", values.get("list_price", 0))
    if "stock" in values:
        quantity = parse_count("stock.quantity", values["stock"])
        product.stock.quantity = quantity
        product.stock.availability = (
            product_pb2.AVAILABILITY_IN_STOCK if quantity else product_pb2.AVAILABILITY_OUT_OF_STOCK
        )
    return product


def _typed(value: str) -> object:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        number = float(value)
    except ValueError:
        return [part.strip() for part in value.split("|") if part.strip()]
    return number
