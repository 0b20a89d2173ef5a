"""Scores reasons: are they true, do they meet the query, do they differ, who wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.json_format import MessageToDict

from shared.evaluation.claims import CheckedText, check_text
from shared.evaluation.fluency import Fluency, HeldOut, measure, slotted
from shared.evaluation.reasons.collect import GivenReason, ReasonPage
from shared.evaluation.reasons.coverage import Wishes, wishes, word_coverage
from shared.evaluation.reasons.falsified import Given, Noticed, check_falsified
from shared.evaluation.reasons.variety import repeats
from wherefore.reason.v1.reason_pb2 import Generator


@dataclass(frozen=True, slots=True)
class ScoredReason:
    """A reason with the checker's verdict."""

    given: GivenReason
    checked: CheckedText
    coverage: float
    """Share of the query's words that the sentence takes up, 0 to 1."""
    wishes: Wishes
    """What the query wishes that the product has, and what of it the sentence names."""

    @property
    def by_model(self) -> bool:
        """Whether a language model wrote it."""
        return self.given.reason.generator == Generator.GENERATOR_MODEL

    @property
    def generator(self) -> str:
        """What wrote it: "model" or "template"."""
        name = Generator.Name(self.given.reason.generator)
        return name.removeprefix("GENERATOR_").lower()

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
            "generator": self.generator,
            "generator_version": reason.generator_version,
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
    checker: Noticed = field(default_factory=Noticed)
    """The same sentences made false, and what the checker noticed of it."""
    fluency: Mapping[str, Mapping[str, Fluency]] = field(
        default_factory=dict[str, Mapping[str, Fluency]]
    )
    """By language and by who wrote the sentences; empty without text to compare with."""
    verifier: Noticed | None = None
    """False claims, and what the service's own verifier rejected of them."""

    @property
    def claims(self) -> int:
        """Claims of all reasons."""
        return sum(len(each.checked.claims) for each in self.scored)

    @property
    def unsupported(self) -> int:
        """Claims that the records do not support."""
        return sum(len(each.checked.unsupported) for each in self.scored)

    @property
    def faithfulness(self) -> float:
        """Share of the claims that the records support, 0 to 1; 1 when there are none."""
        return 1 - self.unsupported / self.claims if self.claims else 1.0

    @property
    def model_share(self) -> float:
        """Share of the reasons that the language model wrote."""
        return sum(e.by_model for e in self.scored) / len(self.scored) if self.scored else 0.0

    @property
    def most_repeated(self) -> int:
        """How often the most repeated sentence stands on one page."""
        return max((repeats(page.texts) for page in self.pages), default=0)


def score(
    pages: Sequence[ReasonPage],
    held_out: Sequence[HeldOut] = (),
    verifier: Noticed | None = None,
) -> ReasonEvaluation:
    """Checks every reason of the pages.

    Args:
        pages: See `collect_pages`.
        held_out: Models of text that people wrote, one a language, for fluency.
        verifier: What the verifier of the service made of false claims.
    """
    scored: list[ScoredReason] = []
    empty = 0
    for page in pages:
        for given in page.reasons:
            text, record = given.reason.text, given.record
            if not text:
                empty += 1
                continue
            scored.append(
                ScoredReason(
                    given,
                    check_text(text, record),
                    word_coverage(record.query, text),
                    wishes(page.understanding, record, text),
                )
            )
    causes = Counter(
        cause for each in scored for claim in each.checked.unsupported for cause in claim.causes
    )
    held = [Given(e.given.reason, e.given.record) for e in scored if not e.checked.unsupported]
    return ReasonEvaluation(
        pages,
        scored,
        empty,
        causes,
        check_falsified(held),
        {each.language: measure(each, _by_writer(scored, each.language)) for each in held_out},
        verifier,
    )


def _by_writer(scored: Sequence[ScoredReason], language: str) -> dict[str, list[list[str]]]:
    """Sentences of one language as words, names and values under slots."""
    groups: dict[str, list[list[str]]] = {}
    for each in scored:
        reason = each.given.reason
        if reason.language_code == language:
            names = [text for fact in reason.evidence for text in (fact.value, fact.meets)]
            words = slotted(reason.text, language, names)
            groups.setdefault(each.generator, []).append(words)
    return groups
