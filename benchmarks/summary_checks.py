"""Whether summaries in new words claim what reviews say, by the independent checker."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.summary_methods import say
from services.reason.summarise.sentences import Text, distinct
from services.reason.summarise.worded import SummaryWriter
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.evaluation.summary_claims import SummaryClaimText, unsupported

ENGLISH = "reviews_by_product_en"
CHECKED = 200
"""Products of ENGLISH, music and books above all, whose claims are checked."""
HEADS = ("reviews", "worded by", "texts", "claims", "by the model", "rejected", "unsupported")
SHOWN = 2


@dataclass(frozen=True, slots=True)
class Checked:
    """Claims of a set of products.

    Attributes:
        name: Of the set.
        worded_by: "fixed wordings" or the model.
        texts: Products of which something is said.
        claims: That were served.
        by_model: Of these, in the model's words.
        rejected: That the service's verifier left out.
        wrong: That the independent checker does not bear out, a line each.
        samples: Some of the texts.
    """

    name: str
    worded_by: str
    texts: int
    claims: int
    by_model: int
    rejected: int
    wrong: Sequence[str]
    samples: Sequence[str]

    def row(self) -> tuple[str, ...]:
        """Returns its row of a table under HEADS."""
        numbers = (self.texts, self.claims, self.by_model, self.rejected, len(self.wrong))
        return (self.name, self.worded_by, *map(str, numbers))


def check_all(folder: Path, writer: SummaryWriter) -> Iterator[Checked]:
    """Yields what was found of each set, by fixed wordings and by the model.

    Args:
        folder: Of the data sets.
        writer: The model.
    """
    english = list(islice(_english(folder), CHECKED))
    bundled = list(_bundled())
    sets = (
        (f"{ENGLISH}, {CHECKED} products", english, "en"),
        (f"bundled, {len(bundled)} products, en", bundled, "en"),
        (f"bundled, {len(bundled)} products, zh", bundled, "zh"),
    )
    for name, products, language in sets:
        yield check(name, products, language, None)
        yield check(name, products, language, writer)


def check(
    name: str, products: Sequence[Sequence[Text]], language: str, writer: SummaryWriter | None
) -> Checked:
    """Checks what is said of products in a language."""
    texts: list[str] = []
    wrong: list[str] = []
    claims = by_model = rejected = 0
    for written in products:
        reviews = distinct(written)
        found = say(reviews, language, writer)
        served = [SummaryClaimText(c.text, c.review_ids, c.praises) for c in found.claims]
        bodies = {review.id: review.body for review in reviews}
        ratings = {review.id: review.rating for review in reviews}
        wrong += unsupported(found.text, served, bodies, language, ratings)
        texts += [found.text] if found.text else []
        claims += len(served)
        by_model += sum(claim.by_model for claim in found.claims)
        rejected += len(found.rejected)
    worded_by = "fixed wordings" if writer is None else "the model"
    samples = texts[:: max(1, len(texts) // SHOWN)][:SHOWN]
    return Checked(name, worded_by, len(texts), claims, by_model, rejected, wrong, samples)


def _english(folder: Path) -> Iterator[list[Text]]:
    products: dict[str, list[Text]] = {}
    with (folder / ENGLISH / "reviews.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            products.setdefault(row["prod_id"], []).append(Text(row["review_id"], row["review"]))
    yield from products.values()


def _bundled() -> Iterator[list[Text]]:
    for row in read_catalogue(bundled_catalogue_path()):
        if row.product is not None and row.product.reviews:
            written = [Text(r.id, r.text, r.rating) for r in row.product.reviews]
            yield [text for text in written if text.body.strip()]
