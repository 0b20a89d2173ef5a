"""What is learnt from dialogues and from people's verdicts: a question, and the answer it wants.

A number of an order that question and answer share becomes a slot, so that the answer serves
others. Personal data is masked in questions; an answer that holds any is refused.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.assistant.domain import Language
from services.assistant.reader import language_of
from shared.errors import FieldViolation, InvalidArgumentError
from shared.privacy.personal import masked, personal_data
from shared.text.control import CONTROL
from shared.text.normalise import fold

LONGEST_QUESTION: Final = 1_000
LONGEST_ANSWER: Final = 4_000
ORDER_SLOT: Final = "order_id"
PREFIX: Final = "learnt."
_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9_.,-])#?(\d{5,20})(?![A-Za-z0-9_]|[.,]\d)")
_PLACE: Final = f"{{{ORDER_SLOT}}}"


class Source(StrEnum):
    """Where an example comes from."""

    DIALOGUE = "dialogue"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Learnt:
    """A question with the answer that it wants.

    Attributes:
        key: Tells questions apart; of two with the same key the later one counts.
        answer_id: Of the answer: a template's, an article's, or of a text of its own.
        answer: The text of an answer of its own; empty for others.
        intent: The NLU's label of the concern; "" when it has none.
        learnt_ms: When, in milliseconds since 1970; 0 where it is not known.
        learnt_by: Who taught it, by the name of their credential; "" for nobody known.
        asker: Whose question it is, as by `actor_of`; in memory only until it is written.
    """

    key: str
    question: str
    language: Language
    intent: str
    answer_id: str
    answer: str
    source: Source
    learnt_ms: int = field(default=0, compare=False)
    learnt_by: str = field(default="", compare=False)
    asker: str = field(default="", compare=False)

    @property
    def slots(self) -> tuple[str, ...]:
        """What an answer of its own needs."""
        return (ORDER_SLOT,) if _PLACE in self.answer else ()

    def filled(self, given: Mapping[str, str]) -> str:
        """Returns the answer of its own with its slot filled."""
        return self.answer.replace(_PLACE, given.get(ORDER_SLOT, ""))


def learn(
    question: str,
    answer: str = "",
    *,
    answer_id: str = "",
    language: str = "",
    intent: str = "",
    source: Source,
    learnt_by: str = "",
    asker: str = "",
) -> Learnt:
    """Makes an example of a question and its answer.

    Args:
        question: As a customer wrote it.
        answer: Text of the best answer; or
        answer_id: an answer that is known already.
        language: BCP-47; told from the question when empty.
        intent: The NLU's label of the concern.
        source: Where it comes from.
        learnt_by: Who teaches it.
        asker: Whose question it is, as by `actor_of`.

    Raises:
        InvalidArgumentError: Names the fields at fault.
    """
    check(question, answer, answer_id)
    spoken = language_of(question, language)
    number = _NUMBER.search(question)
    said, asked = answer.strip(), question.strip()
    if number:
        asked = _NUMBER.sub(number[1], asked)
        said = re.sub(rf"(?<!\d){number[1]}(?!\d)", _PLACE, said)
    if said:
        answer_id = PREFIX + _digest(spoken, said)
    kept = masked(asked.replace(number[1], "").strip() if number else asked) or asked
    return Learnt(
        _digest(spoken, fold(kept)),
        kept,
        spoken,
        intent,
        answer_id,
        said,
        source,
        learnt_ms=time.time_ns() // 1_000_000,
        learnt_by=learnt_by,
        asker=asker,
    )


def check(question: str, answer: str, answer_id: str) -> None:
    """Checks what is to be learnt.

    Raises:
        InvalidArgumentError: Names the fields at fault.
    """
    found: list[FieldViolation] = []
    for name, text, most in (
        ("question", question, LONGEST_QUESTION),
        ("answer", answer, LONGEST_ANSWER),
    ):
        if len(text) > most:
            found.append(FieldViolation(name, f"at most {most:,} characters, not {len(text):,}"))
        elif CONTROL.search(text):
            found.append(FieldViolation(name, "holds control characters"))
    if not question.strip():
        found.append(FieldViolation("question", "must not be empty"))
    if bool(answer.strip()) == bool(answer_id):
        found.append(FieldViolation("answer", "give either a text or the id of an answer"))
    elif len(answer) <= LONGEST_ANSWER and (kind := personal_data(_NUMBER.sub("", answer))):
        found.append(
            FieldViolation("answer", f"holds personal data ({kind}): others would read it")
        )
    if found:
        raise InvalidArgumentError(*found)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=10).hexdigest()
