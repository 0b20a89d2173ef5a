"""The products of the file that a command was given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli import failures

if TYPE_CHECKING:
    from wherefore.common.v1.product_pb2 import Product


def product_rows(
    file: Path,
    format: str | None = None,  # noqa: A002 - named as the option
    *,
    after: int = 0,
    limit: int = 0,
) -> Iterator[tuple[int, Product]]:
    """Yields products with their rows, and says at the end how many rows are none.

    Args:
        file: The catalogue.
        format: Its format; guessed when None.
        after: Row of the last product that is not wanted.
        limit: Rows read; all when 0.

    Raises:
        CommandError: It cannot be read.
    """
    from shared.catalogue import CatalogueError, read_catalogue

    refused = 0
    try:
        for row in read_catalogue(file, format):
            if limit and row.number > limit:
                break
            if row.product is None:
                refused += 1
            elif row.number > after:
                yield row.number, row.product
    except CatalogueError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    if refused:
        failures.say(f"{refused:,} rows are no products; `wherefore import --errors` lists them")


def all_products(
    file: Path | None,
    format: str | None = None,  # noqa: A002 - named as the option
) -> tuple[Path, list[Product]]:
    """Returns the file, the bundled catalogue when None, with its products.

    Raises:
        CommandError: It cannot be read, or holds none.
    """
    from shared.catalogue import bundled_catalogue_path

    path = file or bundled_catalogue_path()
    products = [product for _, product in product_rows(path, format)]
    if not products:
        raise failures.CommandError(f"{path} has no products", code=failures.USAGE)
    return path, products
