"""Erasure and export of a user: conversations, and what was learnt from their questions."""

from typing import Any

import grpc
import pytest

from tests.services.assistant.serving import caught_up, fields_of
from tests.services.assistant.test_learnt import correct, listed
from wherefore.assistant.v1 import answer_pb2 as answers
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.assistant.v1 import user_data_service_pb2 as user_data
from wherefore.common.v1.user_profile_pb2 import UserContext

ANNA, BOB = UserContext(user_id="anna"), UserContext(user_id="bob")
VISIT = UserContext(session_id="visit-1")


async def ask(stub: Any, question: str, user: UserContext, conversation: str) -> pb.AskResponse:
    request = pb.AskRequest(question=question, conversation_id=conversation, user=user)
    return await stub.Ask(request)


async def exported(stub: Any, **fields: Any) -> tuple[list[user_data.Conversation], list[str]]:
    parts = [p async for p in stub.ExportUser(user_data.ExportUserRequest(**fields))]
    return (
        [each for part in parts for each in part.conversations],
        [each.question for part in parts for each in part.learnt],
    )


async def test_an_erased_user_is_gone_from_memory_and_from_disk(targets, tmp_path):
    async with caught_up(tmp_path, targets) as stub:
        await ask(stub, "cancel my order", ANNA, "c1")
        await ask(stub, "cancel my order", BOB, "c1")
        await ask(stub, "cancel my order", VISIT, "c2")
        await correct(stub, "do you sharpen knives", "No, we do not.", "anna")
        await correct(stub, "do you sharpen scissors", "On Mondays.", "bob")
        (told,), learnt = await exported(stub, user=ANNA)
        assert told.conversation_id == "c1"
        assert [turn.question for turn in told.turns] == ["cancel my order"]
        assert told.turns[0].answer.kind == answers.ANSWER_KIND_ASK_BACK
        assert told.last_message_time.seconds > 1_700_000_000
        assert learnt == ["do you sharpen knives"]
        request = user_data.EraseUserRequest(user=ANNA, session_ids=["visit-1", "visit-2"])
        erased = await stub.EraseUser(request)
        assert (erased.conversation_count, erased.learnt_count) == (2, 1)
        again = await stub.EraseUser(request)
        assert (again.conversation_count, again.learnt_count) == (0, 0)
        assert await exported(stub, user=ANNA, session_ids=["visit-1"]) == ([], [])
        for user, conversation in ((ANNA, "c1"), (VISIT, "c2")):
            response = await ask(stub, "00123842", user, conversation)
            assert response.answer.kind == answers.ANSWER_KIND_HAND_OVER
        assert [each.question for each in await listed(stub)] == ["do you sharpen scissors"]
    async with caught_up(tmp_path, targets) as stub:
        response = await ask(stub, "00123842", BOB, "c1")
        assert response.answer.answer_id == "cancel_order"
        assert [each.question for each in await listed(stub)] == ["do you sharpen scissors"]
    kept = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    for gone in (b"knives", b"anna", b"visit-1", b"cancel my order"):
        assert gone not in kept


async def test_many_conversations_come_in_pieces(stub: Any) -> None:
    for number in range(23):
        await ask(stub, "cancel my order", ANNA, f"c{number}")
    request = user_data.ExportUserRequest(user=ANNA)
    parts = [part async for part in stub.ExportUser(request)]
    assert [len(part.conversations) for part in parts] == [10, 10, 3]
    found = [each.conversation_id for part in parts for each in part.conversations]
    assert sorted(found) == sorted(f"c{number}" for number in range(23))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, ["user"]),
        ({"user": UserContext(user_id="u" * 257)}, ["user.user_id"]),
        ({"user": UserContext(session_id="u" * 257)}, ["user.session_id"]),
        ({"session_ids": ["v"] * 1001}, ["session_ids"]),
        ({"session_ids": ["v", ""]}, ["session_ids"]),
    ],
)
async def test_bad_requests_name_the_field(
    stub: Any, fields: dict[str, Any], named: list[str]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.EraseUser(user_data.EraseUserRequest(**fields))
    assert fields_of(caught.value) == named
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [part async for part in stub.ExportUser(user_data.ExportUserRequest(**fields))]
    assert fields_of(caught.value) == named
