"""The limits of a request for a summary."""

from typing import Final

from services.reason.language import LANGUAGES
from services.reason.summarise.summariser import QUOTED, REWRITTEN, SummaryInput
from shared.errors import InvalidArgumentError, entry_path
from shared.text.language import primary_language

MAX_REVIEWS: Final = 500
MAX_REVIEW, MAX_DESCRIPTION = 10_000, 20_000
MAX_DESCRIPTIONS: Final = 10
MIN_WORDS, MAX_WORDS = 10, 500
MAX_POINTS: Final = 10
STYLES: Final = frozenset({0, QUOTED, REWRITTEN})


def validate(wanted: SummaryInput) -> None:
    """Checks the limits of the contract.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    of = InvalidArgumentError.of
    if len(wanted.reviews) > MAX_REVIEWS:
        raise of("reviews", f"must hold at most {MAX_REVIEWS}, holds {len(wanted.reviews)}")
    if len(wanted.descriptions) > MAX_DESCRIPTIONS:
        raise of("descriptions", f"must hold at most {MAX_DESCRIPTIONS}")
    seen: set[str] = set()
    for index, review in enumerate(wanted.reviews):
        if not review.id:
            raise of(f"reviews[{index}].id", "must not be empty")
        if review.id in seen:
            raise of(f"reviews[{index}].id", "is there twice; send each review once")
        seen.add(review.id)
        if len(review.body) > MAX_REVIEW:
            raise of(f"reviews[{index}].text", f"must have at most {MAX_REVIEW:,} characters")
    for tag, body in wanted.descriptions.items():
        if len(body) > MAX_DESCRIPTION:
            raise of(
                entry_path("descriptions", tag), f"must have at most {MAX_DESCRIPTION:,} characters"
            )
    bodies = [*(review.body for review in wanted.reviews), *wanted.descriptions.values()]
    if not any(body.strip() for body in bodies):
        raise of("reviews", "must hold a text, or descriptions must")
    _check_wishes(wanted)


def _check_wishes(wanted: SummaryInput) -> None:
    of = InvalidArgumentError.of
    if wanted.language and primary_language(wanted.language) not in LANGUAGES:
        raise of("language_code", 'must be "zh", "en" or empty')
    if wanted.max_words and not MIN_WORDS <= wanted.max_words <= MAX_WORDS:
        raise of("max_words", f"must be {MIN_WORDS} to {MAX_WORDS}, or 0")
    if wanted.style not in STYLES:
        raise of("style", "must be a SummaryStyle of the contract")
    if not 0 <= wanted.max_points <= MAX_POINTS:
        raise of("max_points", f"must be 0 to {MAX_POINTS}")
