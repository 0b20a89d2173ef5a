"""Reviews, ratings and opinions that agree with one another."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final, Literal

from shared.catalogue.generate.dates import REFERENCE_DATE
from shared.catalogue.generate.design import Design
from shared.catalogue.generate.vocabulary import Remark, Vocabulary
from wherefore.common.v1.product_pb2 import Product

Language = Literal["en", "zh"]
_GOOD: Final = 4
_MIXED: Final = 3
_SHARE_CHINESE: Final = 0.55
_MENTION_RATES: Final = {"value_for_money": 0.18, "quality": 0.3, "reputation": 0.07, "gift": 0.12}


@dataclass(frozen=True, slots=True)
class _Written:
    text: str
    praised: tuple[str, ...] = ()
    faulted: tuple[str, ...] = ()


def add_reviews(
    product: Product, words: Vocabulary, design: Design, rng: Random, rating_count: int
) -> None:
    """Add reviews, and a summary that counts them among the others that are not shown.

    Args:
        product: Gets `reviews`, newest first, and `review_summary`.
        words: What reviewers say.
        design: Its quality, value and brand decide how they like it.
        rng: Source of chance.
        rating_count: Number of all reviews, at least the six that may be shown.
    """
    mean = mean_rating(design, rng)
    shown = rng.randint(2, 6)
    ages = sorted(rng.randrange(1, design.age_days) for _ in range(shown))
    praised: Counter[str] = Counter()
    faulted: Counter[str] = Counter()
    used: set[str] = set()
    for index, age in enumerate(ages):
        stars = min(5, max(1, round(rng.gauss(mean, 0.75))))
        language: Language = "zh" if rng.random() < _SHARE_CHINESE else "en"
        written = _write(words, design, rng, stars, language, used)
        praised.update(written.praised)
        faulted.update(written.faulted)
        review = product.reviews.add(
            id=f"r{shown - index}", rating=stars, text=written.text, language_code=language
        )
        moment = REFERENCE_DATE - timedelta(days=age, seconds=rng.randrange(86_400))
        review.create_time.FromDatetime(moment.replace(tzinfo=None))
    summary = product.review_summary
    summary.average_rating = round(mean, 1)
    summary.rating_count = rating_count
    for aspect, rate in _MENTION_RATES.items():
        if aspect == "gift" and not design.is_gift:
            continue
        mentions = rating_count * rate * rng.uniform(0.6, 1.4)
        share = _share_of_praise(design, aspect)
        summary.opinions.add(
            aspect=aspect,
            positive_count=max(praised[aspect], round(mentions * share)),
            negative_count=max(faulted[aspect], round(mentions * (1 - share))),
        )


def mean_rating(design: Design, rng: Random) -> float:
    """Return the mean stars, 1.8 to 4.9: mostly quality, a little value for money."""
    mean = 4.4 + 0.42 * design.quality + 0.1 * design.value + rng.gauss(0, 0.08)
    return min(4.9, max(1.8, mean))


def _share_of_praise(design: Design, aspect: str) -> float:
    leaning = {
        "value_for_money": 1.2 + 0.7 * design.quality + 1.0 * design.value,
        "quality": 1.9 + 1.1 * design.quality,
        "reputation": 1.0 + 1.2 * design.reputation + 0.5 * design.quality,
        "gift": 1.8 + 0.9 * design.quality,
    }[aspect]
    return 1 / (1 + math.exp(-leaning))


def _write(
    words: Vocabulary,
    design: Design,
    rng: Random,
    stars: int,
    language: Language,
    used: set[str],
) -> _Written:
    if stars >= _GOOD:
        return _good(words, design, rng, stars, language, used)
    if stars == _MIXED:
        return _mixed(design, rng, language, used)
    opener = _opener(words, design, rng, "bad", language, used)
    fault = _remark(design.kind.faults, rng, language, used)
    aspect = _aspect(design, rng, praise=False)
    parts = [opener, _in(fault, language)]
    faulted = [fault.aspect]
    # A second complaint about the same thing would only repeat the first.
    if aspect and aspect != fault.aspect and rng.random() < 0.5:  # noqa: PLR2004
        parts.append(_sentence(words, design, rng, f"{aspect}_bad", language, used))
        faulted.append(aspect)
    return _Written(_join(parts, language), (), _named(faulted))


def _good(
    words: Vocabulary,
    design: Design,
    rng: Random,
    stars: int,
    language: Language,
    used: set[str],
) -> _Written:
    praise = _remark(design.kind.praise, rng, language, used)
    parts = [_in(praise, language)]
    praised, faulted = [praise.aspect], [""]
    if rng.random() < 0.6:  # noqa: PLR2004
        parts.insert(0, _opener(words, design, rng, "good", language, used))
    aspect = _aspect(design, rng, praise=True)
    if aspect and aspect != praise.aspect:
        parts.append(_sentence(words, design, rng, f"{aspect}_good", language, used))
        praised.append(aspect)
    if stars == _GOOD and rng.random() < 0.45:  # noqa: PLR2004
        fault = _remark(design.kind.faults, rng, language, used)
        if fault.aspect not in praised or not fault.aspect:
            text = _in(fault, language)
            parts.append(
                f"One drawback: {_lower(text)}" if language == "en" else f"美中不足：{text}"
            )
            faulted.append(fault.aspect)
    return _Written(_join(parts, language), _named(praised), _named(faulted))


def _mixed(design: Design, rng: Random, language: Language, used: set[str]) -> _Written:
    praise = _remark(design.kind.praise, rng, language, used)
    faults = [
        fault for fault in design.kind.faults if not fault.aspect or fault.aspect != praise.aspect
    ]
    fault = _remark(tuple(faults), rng, language, used)
    good, bad = _in(praise, language), _in(fault, language)
    text = f"{good} But {_lower(bad)}" if language == "en" else f"{good}不过{bad}"
    return _Written(text, _named([praise.aspect]), _named([fault.aspect]))


def _aspect(design: Design, rng: Random, *, praise: bool) -> str:
    """Return an aspect that this design's buyers praise or fault, or "" for none."""
    weights = {
        aspect: share if praise else 1 - share
        for aspect in _MENTION_RATES
        if aspect != "gift" or design.is_gift
        for share in (_share_of_praise(design, aspect),)
    }
    if rng.random() < 0.35:  # noqa: PLR2004
        return ""
    return rng.choices(list(weights), list(weights.values()))[0]


def _opener(
    words: Vocabulary, design: Design, rng: Random, tone: str, language: Language, used: set[str]
) -> str:
    return _fill(_fresh(list(words.openers[tone][language]), rng, used), design)


def _sentence(
    words: Vocabulary, design: Design, rng: Random, key: str, language: Language, used: set[str]
) -> str:
    return _fill(_fresh(list(words.aspects[key][language]), rng, used), design)


def _remark(remarks: tuple[Remark, ...], rng: Random, language: Language, used: set[str]) -> Remark:
    fresh = [remark for remark in remarks if remark.text.en not in used] or list(remarks)
    remark = rng.choice(fresh)
    used.add(remark.text.en)
    return remark


def _fresh(texts: list[str], rng: Random, used: set[str]) -> str:
    text = rng.choice([text for text in texts if text not in used] or texts)
    used.add(text)
    return text


def _fill(text: str, design: Design) -> str:
    """Fill the noun and the words that agree with it."""
    noun, plural = design.kind.noun, design.kind.plural
    return text.format(
        noun=noun.en,
        zh=noun.zh,
        This="These" if plural else "This",
        this="these" if plural else "this",
        It="They" if plural else "It",
        it="they" if plural else "it",
        them="them" if plural else "it",
        is_="are" if plural else "is",
        was="were" if plural else "was",
        s="" if plural else "s",
        does="do" if plural else "does",
    )


def _in(remark: Remark, language: Language) -> str:
    return remark.text.zh if language == "zh" else remark.text.en


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _join(parts: list[str], language: Language) -> str:
    return ("" if language == "zh" else " ").join(parts)


def _named(aspects: list[str]) -> tuple[str, ...]:
    return tuple(aspect for aspect in dict.fromkeys(aspects) if aspect)
