"""Holds an answer against the records: every citation, and every word that is not cited.

It shares no code with what writes answers. What it cannot account for counts as unsupported.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from shared.evaluation.claims.checker import check_text
from shared.evaluation.claims.record import Record
from wherefore.assistant.v1 import answer_pb2 as pb
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Product

_FIXED: Final = re.compile(r"Reviewers write:|买家说：|[“”：:;；,，。.!！\s]+")
"""What joins claims and says nothing itself."""
_JOINTS: Final = re.compile(r"\band\b|\balso\b|\bit\b|而且|并且|另外|此外|它", re.IGNORECASE)
_COPULA: Final = re.compile(r"^它的?(?P<name>[\u4e00-\u9fff]{2,6})(?:为|是)(?P<value>.+)$")
"""A Chinese clause that states an attribute: 它净重是3,000 g. The checker reads 净重：3,000 g."""
_NUMBER: Final = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def unsupported(answer: pb.Answer, products: Mapping[str, Product], now: float) -> list[str]:
    """Returns what in an answer about a product the records do not support; none is good.

    Args:
        answer: As it was served.
        products: By id, as the catalogue has them.
        now: Seconds since 1970.
    """
    found = [f"citation {each.field}: {each.text}" for each in _wrong(answer, products)]
    rest = answer.text
    told: list[str] = []
    for citation in answer.citations:
        if citation.claim not in rest and citation.claim not in answer.text:
            found.append(f"claim is not in the answer: {citation.claim}")
        rest = rest.replace(citation.claim, " ")
        if citation.source == pb.CITATION_SOURCE_PRODUCT and not citation.field.startswith(
            ("titles.", "descriptions.")
        ):
            claim = _COPULA.sub(r"\g<name>：\g<value>", citation.claim.rstrip("。."))
            if claim not in told:
                told.append(claim)
    left = _JOINTS.sub("", _FIXED.sub("", rest))
    if left:
        found.append(f"not cited: {left}")
    product = next(
        (products[c.source_id] for c in answer.citations if c.source_id in products), None
    )
    if product is not None:
        record = Record(product, page=[product], now=now)
        checked = [fault for claim in told for fault in check_text(claim, record).unsupported]
        found += [f"{each.text}: {', '.join(each.causes)}" for each in checked]
    return found


def _wrong(answer: pb.Answer, products: Mapping[str, Product]) -> Iterator[pb.Citation]:
    for citation in answer.citations:
        product = products.get(citation.source_id)
        if product is None or not _stands(citation, product):
            yield citation


def _stands(citation: pb.Citation, product: Product) -> bool:
    """Whether what is cited stands where the citation says."""
    if citation.source == pb.CITATION_SOURCE_REVIEW:
        texts = [each.text for each in product.reviews if each.id == citation.field]
        return any(citation.text in text for text in texts)
    head, _, key = citation.field.partition(".")
    if head == "titles":
        return product.titles.get(key) == citation.text
    if head == "descriptions":
        return citation.text in product.descriptions.get(key, "")
    if head == "attributes":
        return key in product.attributes and _is_value(citation.text, product, key)
    if head == "review_summary":
        return _is_count(citation, product)
    return {
        "price": f"{product.price.amount!r} {product.price.currency_code}",
        "brand": product.brand,
        "stock": "in stock" if product.stock.availability == AVAILABILITY_IN_STOCK else None,
    }.get(head) == citation.text


def _is_value(text: str, product: Product, key: str) -> bool:
    value = product.attributes[key]
    if text in value.texts:
        return True
    told = _NUMBER.match(text)
    return (
        told is not None
        and len(value.numbers) == 1
        and abs(float(told[0].replace(",", "")) - value.numbers[0]) <= 0.005  # noqa: PLR2004
        and text[told.end() :].strip() == value.unit
    )


def _is_count(citation: pb.Citation, product: Product) -> bool:
    """Whether counted reviews or the mean rating are as the catalogue has them."""
    summary = product.review_summary
    aspect = citation.field.rpartition(".")[2]
    for opinion in summary.opinions:
        if opinion.aspect == aspect:
            whole = opinion.positive_count + opinion.negative_count
            return citation.text == f"{opinion.positive_count} {whole}"
    told = [float(each.replace(",", "")) for each in _NUMBER.findall(citation.text)]
    return told == [summary.average_rating, float(summary.rating_count)]
