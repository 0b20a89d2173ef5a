"""Writes products as gzipped JSON lines whose bytes depend on the products alone."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from google.protobuf import json_format

from wherefore.common.v1.product_pb2 import Product


def catalogue_lines(products: Iterable[Product]) -> Iterator[bytes]:
    """Yield each product as a line of proto3 JSON in UTF-8, keys sorted."""
    for product in products:
        value = json_format.MessageToDict(product)
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        yield text.encode() + b"\n"


def write_catalogue(path: Path, products: Iterable[Product]) -> int:
    """Write `products` to `path` and return how many they were.

    The gzip header carries neither a time nor a name, which would differ from run to run. The file
    appears under its name when it is whole, so that nobody reads half of it.
    """
    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with (
            part.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=raw, mtime=0) as file,
        ):
            for line in catalogue_lines(products):
                file.write(line)
                count += 1
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count
