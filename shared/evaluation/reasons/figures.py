"""The figures of an evaluation of reasons, as `wherefore eval reasons --json` prints them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from statistics import median, quantiles

from shared.evaluation.claims import CheckedClaim
from shared.evaluation.reasons.collect import ReasonPage
from shared.evaluation.reasons.faithfulness import by_kind, tally, upper_bound
from shared.evaluation.reasons.score import ReasonEvaluation, ScoredReason
from shared.evaluation.reasons.variety import distinct, repeats, self_bleu

_OF_HISTORY = frozenset(
    {
        "because_you_viewed",
        "because_you_bought",
        "brand_affinity",
        "category_affinity",
        "bought_before",
        "bought_often",
        "fits_yours",
        "seen_before",
        "price_like_yours",
    }
)
"""Codes that name what the user did."""
_TWICE = 2


def document(evaluation: ReasonEvaluation) -> dict[str, object]:
    """The report as `wherefore eval reasons --json` prints it."""
    known = [page for page in evaluation.pages if page.history]
    strangers = [page for page in evaluation.pages if not page.history]
    texts = [each.checked.text for each in evaluation.scored]
    pages = [page.texts for page in evaluation.pages if page.reasons]
    met = sum(len(each.wishes.met) for each in evaluation.scored)
    named = sum(len(each.wishes.named) for each in evaluation.scored)
    return {
        "reasons": len(evaluation.scored),
        "without_text": evaluation.empty,
        "claims": evaluation.claims,
        "unsupported": evaluation.unsupported,
        "faithfulness": evaluation.faithfulness if evaluation.claims else None,
        "unsupported_at_most": upper_bound(evaluation.unsupported, evaluation.claims),
        "unsupported_by_cause": dict(evaluation.causes),
        "by_language": _grouped(evaluation.scored, lambda each: each.given.reason.language_code),
        "by_kind": _by_kind(evaluation.scored),
        "by_page": _by_page(evaluation),
        "by_generator": _grouped(evaluation.scored, lambda each: each.generator),
        "model_share": evaluation.model_share,
        "languages": dict(Counter(each.given.reason.language_code for each in evaluation.scored)),
        "query_coverage": _mean(e.coverage for e in evaluation.scored if e.given.record.query),
        "wishes_met": met,
        "wishes_named": named / met if met else None,
        "distinct_on_page": _mean(len(set(page)) / len(page) for page in pages),
        "most_repeated_on_page": evaluation.most_repeated,
        "pages_with_a_repeat": _share(repeats(page) > 1 for page in pages),
        "pages_with_more_than_one_repeat": _share(repeats(page) > _TWICE for page in pages),
        "self_bleu": _mean(map(self_bleu, pages)),
        "distinct_1": distinct(texts, 1),
        "distinct_2": distinct(texts, 2),
        "history_named": _share(map(_names_history, known)),
        "history_named_to_strangers": _share(map(_names_history, strangers)),
        "pages": len(evaluation.pages),
        "degraded_pages": sum(bool(page.degraded) for page in evaluation.pages),
        "milliseconds_per_page": _times(evaluation.pages),
        "perplexity": {
            language: {name: group.as_json() for name, group in groups.items()}
            for language, groups in evaluation.fluency.items()
        },
        "checker_on_falsehoods": evaluation.checker.as_json(),
        "verifier_under_attack": evaluation.verifier.as_json() if evaluation.verifier else None,
        "samples": [each.as_json() for each in evaluation.scored],
    }


def _grouped(
    scored: Sequence[ScoredReason], key: Callable[[ScoredReason], str]
) -> Mapping[str, object]:
    groups = groupby(sorted(scored, key=key), key)
    return {
        name: {
            "reasons": len(members),
            **tally([c for each in members for c in each.checked.claims]).as_json(),
        }
        for name, members in ((name, list(group)) for name, group in groups)
    }


def _by_kind(scored: Sequence[ScoredReason]) -> Mapping[str, object]:
    found: dict[str, list[CheckedClaim]] = {}
    for each in scored:
        for kind, claim in by_kind(each.given.reason, each.checked.claims):
            found.setdefault(kind, []).append(claim)
    return {kind: tally(claims).as_json() for kind, claims in sorted(found.items())}


def _by_page(evaluation: ReasonEvaluation) -> Mapping[str, object]:
    """Of searches and of each serving config."""
    kinds = {id(g): page.kind for page in evaluation.pages for g in page.reasons}
    return _grouped(evaluation.scored, lambda each: kinds[id(each.given)])


def _names_history(page: ReasonPage) -> bool:
    return any(_OF_HISTORY & set(given.reason.codes) for given in page.reasons)


def _times(pages: Sequence[ReasonPage]) -> Mapping[str, float] | None:
    told = [page.milliseconds for page in pages if page.milliseconds is not None]
    if len(told) < 2:  # noqa: PLR2004 - quantiles of one value are nothing
        return None
    return {"p50": median(told), "p95": quantiles(told, n=20)[-1]}


def _share(values: Iterable[bool]) -> float:
    return _mean(float(value) for value in values)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
