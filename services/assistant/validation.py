"""Checks of requests, before anything is done."""

import re
from collections.abc import Iterable
from typing import Final

from services.assistant.learnt import LONGEST_QUESTION
from shared.errors import FieldViolation, InvalidArgumentError
from shared.text.control import CONTROL
from wherefore.assistant.v1 import assistant_service_pb2 as pb

MAX_DIALOGUES: Final = 100
_MAX_USER: Final = 256
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_MAX_LANGUAGE: Final = 35
_CONVERSATION: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_ask(request: pb.AskRequest) -> None:
    """Checks a message.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found = [
        *_question(request.question),
        *_conversation(request.conversation_id, required=False),
        *_user(request.user.user_id),
        *language_violations(request.language_code),
    ]
    if found:
        raise InvalidArgumentError(*found)


def check_end(request: pb.EndConversationRequest) -> None:
    """Checks what names a conversation.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found = [
        *_conversation(request.conversation_id, required=True),
        *_user(request.user.user_id),
    ]
    if found:
        raise InvalidArgumentError(*found)


def check_verdict(request: pb.RecordAnswerRequest, *, known: bool) -> None:
    """Checks a verdict; texts are checked where they are learnt.

    Args:
        request: The verdict.
        known: Whether its `answer_id` names an answer.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found = [*language_violations(request.language_code)]
    if request.verdict not in (pb.VERDICT_ACCEPTED, pb.VERDICT_CORRECTED):
        found.append(FieldViolation("verdict", "say whether it was accepted or corrected"))
    elif request.verdict == pb.VERDICT_ACCEPTED and request.answer:
        found.append(FieldViolation("answer", "belongs to a correction: name the answer_id"))
    if request.answer_id and not known:
        found.append(FieldViolation("answer_id", "there is no such answer"))
    if found:
        raise InvalidArgumentError(*found)


def check_dialogues(request: pb.ImportDialoguesRequest) -> None:
    """Checks how many rows a message has.

    Raises:
        InvalidArgumentError: They are too many.
    """
    if len(request.dialogues) > MAX_DIALOGUES:
        raise InvalidArgumentError.of(
            "dialogues", f"at most {MAX_DIALOGUES} a message, not {len(request.dialogues):,}"
        )


def _question(text: str) -> Iterable[FieldViolation]:
    stripped = text.strip()
    if not stripped:
        yield FieldViolation("question", "is empty: give 1 to 1,000 characters")
    elif len(stripped) > LONGEST_QUESTION:
        yield FieldViolation("question", f"has {len(stripped):,} characters: give at most 1,000")
    if control := CONTROL.search(text):
        yield FieldViolation("question", f"control character at {control.start()}: remove it")


def _conversation(given: str, *, required: bool) -> Iterable[FieldViolation]:
    if (given or required) and not _CONVERSATION.fullmatch(given):
        yield FieldViolation("conversation_id", '1 to 64 letters, digits, "-" and "_"')


def _user(user_id: str) -> Iterable[FieldViolation]:
    if len(user_id) > _MAX_USER:
        yield FieldViolation("user.user_id", f"at most {_MAX_USER} characters")


def language_violations(code: str) -> Iterable[FieldViolation]:
    """Yields what is wrong with a language code."""
    if code and (len(code) > _MAX_LANGUAGE or not _LANGUAGE.fullmatch(code)):
        yield FieldViolation(
            "language_code", 'is no BCP-47 tag: give one such as "en" or "zh-CN", or none'
        )
