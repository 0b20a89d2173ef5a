"""The marks that a model is taught with: tokens that are no text."""

from services.reason.train.frames import LANGUAGES, kinds
from services.reason.train.text_pairs import MAX_ATTRIBUTES
from services.reason.wording.filled import SLOTS
from services.reason.wording.tokens import (
    COPY,
    END,
    MAX_EVIDENCE,
    PAD,
    REASON,
    REVIEW,
    SAY,
    kind_mark,
    language_mark,
    place_mark,
)


def marks() -> list[str]:
    """Returns the tokens that are no text, in the order of their ids; PAD is the first."""
    return [
        PAD,
        END,
        SAY,
        REASON,
        COPY,
        REVIEW,
        *(language_mark(language) for language in LANGUAGES),
        *(place_mark(place) for place in range(1, MAX_EVIDENCE + 1)),
        *(f"<{slot}>" for slot in SLOTS),
        *(f"<a{number}>" for number in range(1, MAX_ATTRIBUTES + 1)),
        *(kind_mark(kind) for kind in kinds()),
    ]
