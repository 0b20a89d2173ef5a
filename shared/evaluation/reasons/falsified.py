"""Sentences made false, to see whether the checker that counts unsupported claims would notice.

No unsupported claim says little of a checker that never objects. So sentences that it let pass are
falsified in one way each, from the records alone: a value of another product, another number, a
denial, a superlative, another product's sentence, a history that nobody has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared.evaluation.claims import Record, check_text
from shared.evaluation.claims.record import KIND_OF_KEY
from shared.text.lexicon import find_mentions
from wherefore.reason.v1.reason_pb2 import Reason

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w.]*\d)")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_HISTORY = frozenset({"because_you_viewed", "because_you_bought"})
SHOWN = 20


@dataclass(slots=True)
class Noticed:
    """Falsehoods by kind, and those that were noticed."""

    made: Counter[str] = field(default_factory=Counter[str])
    rejected: Counter[str] = field(default_factory=Counter[str])
    passed: list[str] = field(default_factory=list[str])
    """Some that were not, in words."""

    @property
    def share(self) -> float | None:
        """Share that was rejected, 0 to 1; None when nothing was made."""
        total = self.made.total()
        return self.rejected.total() / total if total else None

    def note(self, kind: str, words: str, *, rejected: bool) -> None:
        """Counts one."""
        self.made[kind] += 1
        if rejected:
            self.rejected[kind] += 1
        elif len(self.passed) < SHOWN:
            self.passed.append(f"{kind}: {words}")

    def as_json(self) -> dict[str, object]:
        """The figures by name."""
        return {
            "made": self.made.total(),
            "rejected": self.rejected.total(),
            "share": self.share,
            "by_kind": {
                kind: {"made": count, "rejected": self.rejected[kind]}
                for kind, count in sorted(self.made.items())
            },
            "passed": self.passed,
        }


@dataclass(frozen=True, slots=True)
class Given:
    """A sentence that holds, with its records."""

    reason: Reason
    record: Record


def check_falsified(given: Sequence[Given]) -> Noticed:
    """Falsifies each sentence and has it checked."""
    noticed = Noticed()
    for at, one in enumerate(given):
        # Not its neighbour, which the same query found for the same reasons.
        other = given[(at + len(given) // 2) % len(given)]
        for kind, text, record in falsehoods(one, other):
            rejected = bool(check_text(text, record).unsupported)
            noticed.note(kind, f"{text} ({record.product.id})", rejected=rejected)
    return noticed


def falsehoods(one: Given, other: Given) -> Iterator[tuple[str, str, Record]]:
    """Yields kind, false sentence and the records that belie it.

    Args:
        one: A true sentence.
        other: A true sentence of another query and product.
    """
    reason, record = one.reason, one.record
    chinese = reason.language_code == "zh"
    yield from _swapped(reason, record, other.record)
    yield from _renumbered(reason, record)
    own = _QUOTED.sub(lambda found: "\0" * len(found[0]), reason.text)
    for mention in find_mentions(own):
        if mention.kind in KIND_OF_KEY.values() and mention.kind in record.stated:
            denied = "不是" if chinese else "not "
            text = reason.text[: mention.start] + denied + reason.text[mention.start :]
            if not re.search(r"(?:\bnot|\bwithout|不是|不含|非)\W*$", own[: mention.start]):
                yield "value denied", text, record
            break
    praise = "品质第一，" if chinese else "The best of all, "
    yield "superlative", praise + reason.text, record
    if other.record.product.id != record.product.id and not _alike(other, one):
        yield "another product's sentence", other.reason.text, record
    if _HISTORY & set(reason.codes) and record.history:
        yield "history of nobody", reason.text, replace(record, history=())


def _swapped(reason: Reason, record: Record, other: Record) -> Iterator[tuple[str, str, Record]]:
    """The value of an attribute that another product has in the place of the product's own."""
    own = {fact.value for fact in reason.evidence if fact.source.startswith("attributes.")}
    for mention in find_mentions(reason.text):
        stated = record.stated.get(mention.kind, frozenset())
        if mention.canonical not in stated or not own:
            continue
        for key, kind in KIND_OF_KEY.items():
            if kind != mention.kind or key not in other.product.attributes:
                continue
            for value in other.product.attributes[key].texts:
                swapped = {m.canonical for m in find_mentions(value, [kind])}
                if not swapped or swapped & stated or value.casefold() in record.folded:
                    continue
                text = reason.text[: mention.start] + value + reason.text[mention.end :]
                yield "value swapped", text, record
                return


def _renumbered(reason: Reason, record: Record) -> Iterator[tuple[str, str, Record]]:
    own = _QUOTED.sub(lambda found: "\0" * len(found[0]), reason.text)
    shown = [fact.value for fact in reason.evidence if fact.code == "title_match"]
    for found in _NUMBER.finditer(own):
        if any(found[0] in title for title in shown):
            continue  # of a name
        number = float(found[0].replace(",", ""))
        changed = f"{number * 1.37 + 3:.0f}"
        if changed not in record.folded and changed not in record.query:
            text = reason.text[: found.start()] + changed + reason.text[found.end() :]
            yield "number changed", text, record


def _alike(other: Given, one: Given) -> bool:
    """Whether another product's sentence may be true of this one as well."""
    product = one.record.product
    own = {
        "brand_match": product.brand.casefold(),
        "popular": str(product.statistics.purchase_count),
        "price_fit": repr(product.price.amount),
        "well_reviewed": repr(product.review_summary.average_rating),
    }
    return not any(
        fact.code in own
        and fact.value.partition(" ")[0].casefold() != own[fact.code].partition(" ")[0]
        for fact in other.reason.evidence
    )
