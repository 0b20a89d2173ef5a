"""A catalogue through the classifier: JSON lines out, and what is worth a review."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.category_path import category_text
from shared.cli import failures

if TYPE_CHECKING:
    import grpc.aio

    from shared.catalogue.taxonomy import CategoryPath
    from wherefore.common.v1.product_pb2 import Product
    from wherefore.reason.v1.classification_pb2 import Classification
    from wherefore.reason.v1.classification_service_pb2 import ClassifyProductsResponse

BATCH = 100
"""Products of one call, the most that the service takes."""
_DOUBTED = "STATED_CATEGORY_VERDICT_DOUBTED"


@dataclass(slots=True)
class Tally:
    """What was said so far.

    Attributes:
        outcomes: Products by outcome, without the enum's prefix, in lower case.
        verdicts: The same by verdict on the stated category.
        lost: Stages that an answer went without.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    verdicts: Counter[str] = field(default_factory=Counter[str])
    lost: set[str] = field(default_factory=set[str])

    def add(self, line: dict[str, Any]) -> None:
        """Counts one product."""
        self.outcomes[line["outcome"].removeprefix("CLASSIFICATION_OUTCOME_").lower()] += 1
        verdict = line.get("stated", {}).get("verdict", "")
        if verdict:
            self.verdicts[verdict.removeprefix("STATED_CATEGORY_VERDICT_").lower()] += 1


class ResultFile:
    """JSON lines, one a product, with its row in the catalogue.

    A run that was stopped leaves whole lines but for the last one, which is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yields what the file holds."""
        with self.path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def last_row(self) -> int:
        """Cuts a half line off and returns the row of the last whole one; 0 without any.

        Raises:
            CommandError: The file is of another kind.
        """
        try:
            with self.path.open("rb+") as file:
                content = file.read()
                whole = content.rfind(b"\n") + 1
                file.truncate(whole)
        except FileNotFoundError:
            return 0
        if not whole:
            return 0
        last = content[:whole].rstrip(b"\n").rsplit(b"\n", 1)[-1]
        try:
            return int(json.loads(last)["row"])
        except (ValueError, KeyError, TypeError) as error:
            raise failures.CommandError(
                f"{self.path} holds no results to go on from", code=failures.USAGE
            ) from error


def result_line(row: int, said: Classification, stated: Sequence[str]) -> dict[str, Any]:
    """Returns a product's line: the contract's fields, its row and the category it came with."""
    from google.protobuf.json_format import MessageToDict

    line = MessageToDict(
        said, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return {"row": row, **line, "stated_path": list(stated)}


async def classify_rows(
    channel: grpc.aio.Channel,
    rows: Iterable[tuple[int, Product]],
    taxonomy: Sequence[CategoryPath],
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
):
    """Yields the lines of each call, with its response."""
    from wherefore.reason.v1.classification_pb2 import Category
    from wherefore.reason.v1.classification_service_pb2 import ClassifyProductsRequest
    from wherefore.reason.v1.classification_service_pb2_grpc import ClassificationServiceStub

    stub = ClassificationServiceStub(channel)
    categories = [Category(path=path) for path in taxonomy]
    for batch in _batches(rows):
        request = ClassifyProductsRequest(
            products=[product for _, product in batch], taxonomy=categories
        )
        response: ClassifyProductsResponse = await stub.ClassifyProducts(request, timeout=timeout)
        lines = [
            result_line(row, said, product.category_path)
            for (row, product), said in zip(batch, response.classifications, strict=True)
        ]
        yield lines, response


def _batches(rows: Iterable[tuple[int, Product]]) -> Iterator[list[tuple[int, Product]]]:
    """Yields up to BATCH products at a time; one whose id is there already waits for the next."""
    batch: list[tuple[int, Product]] = []
    ids: set[str] = set()
    for row, product in rows:
        if len(batch) == BATCH or product.id in ids:
            yield batch
            batch, ids = [], set()
        batch.append((row, product))
        ids.add(product.id)
    if batch:
        yield batch


def write_review(lines: Iterable[dict[str, Any]], path: Path) -> int:
    """Writes the products whose stated category is doubted, the surest doubt first.

    Returns:
        How many.

    Raises:
        OSError: It cannot be written.
    """
    doubted = [line for line in lines if line["stated"]["verdict"] == _DOUBTED]
    doubted.sort(key=lambda line: (line["stated"]["probability"], -line["probability"]))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ("row", "id", "stated", "said", "probability", "probability_of_stated", "words")
        )
        for line in doubted:
            words = ", ".join(each["text"] for each in line["evidence"] if each["contribution"] > 0)
            table.writerow(
                (
                    line["row"],
                    line["product_id"],
                    category_text(line["stated_path"]),
                    category_text(line["category_path"]),
                    f"{line['probability']:.4f}",
                    f"{line['stated']['probability']:.4f}",
                    words,
                )
            )
    return len(doubted)
