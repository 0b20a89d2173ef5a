"""Catalogues: what a product may be, files read into products, and the bundled catalogue."""

from shared.catalogue.etag import content_etag
from shared.catalogue.readers import (
    FORMATS,
    bundled_catalogue_path,
    count_rows,
    guess_format,
    read_catalogue,
)
from shared.catalogue.rows import CatalogueError, Row, RowError
from shared.catalogue.validate import validate_product

__all__ = [
    "FORMATS",
    "CatalogueError",
    "Row",
    "RowError",
    "bundled_catalogue_path",
    "content_etag",
    "count_rows",
    "guess_format",
    "read_catalogue",
    "validate_product",
]
