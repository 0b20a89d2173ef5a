"""Scores reasons: are they true, do they meet the query, do they differ, who wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from google.protobuf.json_format import MessageToDict

from shared.evaluation.claims import CheckedText, check_text
from shared.evaluation.reasons.collect import GivenReason, ReasonPage
from shared.text.analysis import terms
from shared.text.lexicon import find_mentions
from wherefore.reason.v1.reason_pb2 import Generator

_OF_HISTORY = frozenset(
    {
        "because_you_viewed",
        "because_you_bought",
        "brand_affinity",
        "category_affinity",
        "bought_before",
        "bought_often",
        "fits_yours",
    }
)
"""Codes that name what the user did."""


@dataclass(frozen=True, slots=True)
class ScoredReason:
    """A reason with the checker's verdict."""

    given: GivenReason
    checked: CheckedText
    coverage: float
    """Share of the query's words that the sentence takes up, 0 to 1."""

    @property
    def by_model(self) -> bool:
        """Whether a language model wrote it."""
        return self.given.reason.generator == Generator.GENERATOR_MODEL

    def as_json(self) -> dict[str, object]:
        """A sample for readers and other checkers."""
        reason, record = self.given.reason, self.given.record
        return {
            "query": record.query,
            "product": MessageToDict(record.product, preserving_proto_field_name=True),
            "history": [
                {"product_id": seen.product.id, "bought": seen.bought} for seen in record.history
            ],
            "evidence": [
                MessageToDict(each, preserving_proto_field_name=True) for each in reason.evidence
            ],
            "text": reason.text,
            "language": reason.language_code,
            "generator": Generator.Name(reason.generator).removeprefix("GENERATOR_").lower(),
            "claims": [
                {"text": claim.text, "causes": list(claim.causes)} for claim in self.checked.claims
            ],
        }


@dataclass(frozen=True, slots=True)
class ReasonEvaluation:
    """All figures of one evaluation."""

    pages: Sequence[ReasonPage]
    scored: Sequence[ScoredReason]
    """Reasons with a text."""
    empty: int
    """Results without one."""
    causes: Counter[str] = field(default_factory=Counter[str])
    """Unsupported claims by cause."""

    @property
    def claims(self) -> int:
        """Claims of all reasons."""
        return sum(len(each.checked.claims) for each in self.scored)

    @property
    def unsupported(self) -> int:
        """Claims that the records do not support."""
        return sum(len(each.checked.unsupported) for each in self.scored)

    @property
    def model_share(self) -> float:
        """Share of the reasons that the language model wrote."""
        return _share(each.by_model for each in self.scored)

    @property
    def most_repeated(self) -> int:
        """How often the most repeated sentence stands on one page."""
        return max((_repeats(page) for page in self.pages), default=0)

    def as_json(self) -> dict[str, object]:
        """The report as `wherefore eval reasons --json` prints it."""
        known = [page for page in self.pages if page.history]
        strangers = [page for page in self.pages if not page.history]
        return {
            "reasons": len(self.scored),
            "without_text": self.empty,
            "claims": self.claims,
            "unsupported": self.unsupported,
            "faithfulness": 1 - self.unsupported / self.claims if self.claims else None,
            "unsupported_by_cause": dict(self.causes),
            "model_share": self.model_share,
            "languages": dict(Counter(each.given.reason.language_code for each in self.scored)),
            "query_coverage": _mean(each.coverage for each in self.scored),
            "distinct_on_page": _mean(_distinct(page) for page in self.pages if page.reasons),
            "most_repeated_on_page": self.most_repeated,
            "distinct_1": distinct(self._texts(), 1),
            "distinct_2": distinct(self._texts(), 2),
            "history_named": _share(map(_names_history, known)),
            "history_named_to_strangers": _share(map(_names_history, strangers)),
            "pages": len(self.pages),
            "degraded_pages": sum(bool(page.degraded) for page in self.pages),
            "samples": [each.as_json() for each in self.scored],
        }

    def _texts(self) -> list[str]:
        return [each.checked.text for each in self.scored]


def score(pages: Sequence[ReasonPage]) -> ReasonEvaluation:
    """Checks every reason of the pages."""
    given = [each for page in pages for each in page.reasons]
    scored = [
        ScoredReason(each, check_text(each.reason.text, each.record), _coverage(each))
        for each in given
        if each.reason.text
    ]
    causes = Counter(
        cause for each in scored for claim in each.checked.unsupported for cause in claim.causes
    )
    return ReasonEvaluation(pages, scored, len(given) - len(scored), causes)


def distinct(texts: Sequence[str], size: int) -> float:
    """Different n-grams over all n-grams of words (distinct-n, Li et al., NAACL 2016), 0 to 1."""
    grams = [
        tuple(words[start : start + size])
        for words in map(terms, texts)
        for start in range(len(words) - size + 1)
    ]
    return len(set(grams)) / len(grams) if grams else 0.0


def _coverage(given: GivenReason) -> float:
    wanted = set(terms(given.record.query))
    if not wanted:
        return 1.0
    said = set(terms(given.reason.text))
    meant = {(m.kind, m.canonical) for m in find_mentions(given.reason.text)}
    met = wanted & said
    for mention in find_mentions(given.record.query):
        if (mention.kind, mention.canonical) in meant:
            met |= wanted & set(terms(mention.text))
    return len(met) / len(wanted)


def _names_history(page: ReasonPage) -> bool:
    return any(_OF_HISTORY & set(given.reason.codes) for given in page.reasons)


def _repeats(page: ReasonPage) -> int:
    counts = Counter(given.reason.text for given in page.reasons if given.reason.text)
    return max(counts.values(), default=0)


def _distinct(page: ReasonPage) -> float:
    texts = [given.reason.text for given in page.reasons]
    return len(set(texts)) / len(texts)


def _share(values: Iterable[bool]) -> float:
    return _mean(float(value) for value in values)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
