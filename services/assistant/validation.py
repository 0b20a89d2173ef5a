"""Checks of requests, before anything is done."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from services.assistant.learnt import LONGEST_QUESTION
from shared.errors import FieldViolation, InvalidArgumentError
from shared.language_tag import is_language_tag
from shared.privacy.actors import actor_of, actors_named
from shared.text.control import CONTROL
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.assistant.v1 import learnt_service_pb2 as learnt_pb
from wherefore.assistant.v1 import user_data_service_pb2 as user_pb
from wherefore.common.v1.user_profile_pb2 import UserContext

MAX_DIALOGUES: Final = 100
_MAX_USER: Final = 256
_MAX_ID: Final = 200
_MAX_IDS: Final = 1_000
_MAX_PAGE, _DEFAULT_PAGE = 1_000, 50
_CONVERSATION: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_ask(request: pb.AskRequest) -> None:
    """Checks a message.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found = [
        *_question(request.question),
        *_conversation(request.conversation_id, required=False),
        *_user(request.user),
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
        *_user(request.user),
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
    found = [*language_violations(request.language_code), *_user(request.user)]
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


def page_size(request: learnt_pb.ListLearntRequest) -> int:
    """Checks a request for what was learnt; returns the size of a page.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found: list[FieldViolation] = []
    for field, most in (("answer_id", _MAX_ID), ("text", LONGEST_QUESTION)):
        if len(getattr(request, field)) > most:
            found.append(FieldViolation(field, f"at most {most:,} characters"))
    if not 0 <= request.page_size <= _MAX_PAGE:
        found.append(FieldViolation("page_size", f"give 1 to {_MAX_PAGE:,}, or 0 for the default"))
    if found:
        raise InvalidArgumentError(*found)
    return request.page_size or _DEFAULT_PAGE


def check_delete(request: learnt_pb.DeleteLearntRequest) -> None:
    """Checks what is to be deleted.

    Raises:
        InvalidArgumentError: It names nothing, or too much.
    """
    if not 1 <= len(request.ids) <= _MAX_IDS or not all(request.ids):
        raise InvalidArgumentError.of("ids", f"give 1 to {_MAX_IDS:,} ids, none of them empty")


def actors(request: user_pb.EraseUserRequest | user_pb.ExportUserRequest) -> Sequence[str]:
    """Checks who is meant; returns them as by `actor_of`.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found = [*_user(request.user)]
    if len(request.session_ids) > _MAX_IDS or not all(request.session_ids):
        found.append(FieldViolation("session_ids", f"at most {_MAX_IDS:,}, none of them empty"))
    visits = (actor_of("", each) for each in request.session_ids)
    named = list(dict.fromkeys([*actors_named(request.user), *visits]))
    if not named:
        found.append(FieldViolation("user", "give user_id, session_id or session_ids"))
    if found:
        raise InvalidArgumentError(*found)
    return named


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


def _user(user: UserContext) -> Iterable[FieldViolation]:
    yield from user_violations(user.user_id, "user.user_id")
    yield from user_violations(user.session_id, "user.session_id")


def user_violations(user_id: str, field: str) -> Iterable[FieldViolation]:
    """Yields what is wrong with the id of a user or a visit."""
    if len(user_id) > _MAX_USER:
        yield FieldViolation(field, f"at most {_MAX_USER} characters")


def language_violations(code: str) -> Iterable[FieldViolation]:
    """Yields what is wrong with a language code."""
    if code and not is_language_tag(code):
        yield FieldViolation(
            "language_code", 'is no BCP-47 tag: give one such as "en" or "zh-CN", or none'
        )
