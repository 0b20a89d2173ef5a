"""What was learnt is listed with who and when, and deleted, over a real port."""

from typing import Any

import grpc
import pytest

from shared.request_context import Caller, set_caller
from tests.services.assistant.serving import fields_of
from wherefore.assistant.v1 import answer_pb2 as answers
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.assistant.v1 import learnt_service_pb2 as learnt
from wherefore.common.v1.user_profile_pb2 import UserContext

KNIVES = "do you sharpen knives"


async def correct(stub: Any, question: str, answer: str, user: str = "") -> pb.RecordAnswerResponse:
    request = pb.RecordAnswerRequest(
        question=question, verdict=pb.VERDICT_CORRECTED, answer=answer, user={"user_id": user}
    )
    return await stub.RecordAnswer(request)


async def listed(stub: Any, **fields: Any) -> list[learnt.LearntExample]:
    return list((await stub.ListLearnt(learnt.ListLearntRequest(**fields))).examples)


async def test_what_was_learnt_is_listed_newest_first_and_found_by_its_words(stub: Any) -> None:
    await correct(stub, KNIVES, "No, we do not.")
    await correct(stub, "能磨刀吗", "可以。")
    await stub.RecordAnswer(
        pb.RecordAnswerRequest(
            question="I moved house", verdict=pb.VERDICT_ACCEPTED, answer_id="change_address"
        )
    )
    found = await listed(stub)
    assert [each.question for each in found] == ["I moved house", "能磨刀吗", KNIVES]
    assert [each.source for each in found] == [
        learnt.LEARNT_SOURCE_ACCEPTED,
        learnt.LEARNT_SOURCE_CORRECTED,
        learnt.LEARNT_SOURCE_CORRECTED,
    ]
    assert (found[0].answer_id, found[0].answer) == ("change_address", "")
    assert (found[1].language_code, found[1].answer) == ("zh", "可以。")
    assert all(each.learnt_time.seconds > 1_700_000_000 for each in found)
    assert await listed(stub, text="KNIVES") == [found[2]]
    assert await listed(stub, text="we do not") == [found[2]]
    assert await listed(stub, answer_id="change_address") == [found[0]]
    assert await listed(stub, text="nothing") == []


async def test_pages_go_on_where_the_last_one_ended(stub: Any) -> None:
    for number in range(5):
        await correct(stub, f"question number {'x' * (number + 1)}", "yes")
    whole = await listed(stub)
    first = await stub.ListLearnt(learnt.ListLearntRequest(page_size=2))
    second = await stub.ListLearnt(
        learnt.ListLearntRequest(page_size=3, page_token=first.next_page_token)
    )
    assert [*first.examples, *second.examples] == whole
    assert second.next_page_token == ""


async def test_what_is_deleted_answers_nobody(stub: Any) -> None:
    await correct(stub, KNIVES, "No, we do not.")
    await correct(stub, "do you sharpen scissors", "On Mondays.")
    known = {each.question: each.id for each in await listed(stub)}
    assert (await stub.Ask(pb.AskRequest(question=KNIVES))).answer.text == "No, we do not."
    request = learnt.DeleteLearntRequest(ids=[known[KNIVES], "none"])
    assert (await stub.DeleteLearnt(request)).deleted_count == 1
    assert (await stub.DeleteLearnt(request)).deleted_count == 0
    assert (await stub.Ask(pb.AskRequest(question=KNIVES))).answer.text != "No, we do not."
    other = await stub.Ask(pb.AskRequest(question="do you sharpen scissors"))
    assert other.answer.kind == answers.ANSWER_KIND_LEARNT
    assert len(await listed(stub)) == 1
    # The deleted answer is no answer any more, and can be learnt anew.
    again = await correct(stub, KNIVES, "No, we do not.")
    assert not again.unchanged


async def test_a_conversation_that_waits_for_a_deleted_answer_goes_on(stub: Any) -> None:
    await correct(stub, "is parcel 12345678 gift wrapped", "Parcel 12345678 is gift wrapped.")
    asked = await stub.Ask(pb.AskRequest(question="is parcel gift wrapped"))
    assert asked.answer.missing_slot == "order_id"
    (known,) = await listed(stub)
    await stub.DeleteLearnt(learnt.DeleteLearntRequest(ids=[known.id]))
    response = await stub.Ask(
        pb.AskRequest(question="00123842", conversation_id=asked.conversation_id)
    )
    assert response.answer.kind == answers.ANSWER_KIND_HAND_OVER


async def test_who_taught_it_is_kept(knowledge: Any) -> None:
    from services.assistant.server import _to_learn

    set_caller(Caller("key-of-the-help-desk"))
    made = _to_learn(pb.Dialogue(question="q", answer="a", user_id="anna"))
    assert (made.learnt_by, made.asker) == ("key-of-the-help-desk", "u:anna")


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (learnt.ListLearntRequest(page_size=-1), ["page_size"]),
        (learnt.ListLearntRequest(page_size=1001, text="x" * 1001), ["text", "page_size"]),
        (learnt.ListLearntRequest(answer_id="x" * 201), ["answer_id"]),
        (learnt.ListLearntRequest(**{"page_token": "!"}), ["page_token"]),
        (learnt.ListLearntRequest(**{"page_token": "bm9uZQ=="}), ["page_token"]),
    ],
)
async def test_bad_lists_name_the_field(
    stub: Any, request_: learnt.ListLearntRequest, fields: list[str]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListLearnt(request_)
    assert fields_of(caught.value) == fields


@pytest.mark.parametrize("ids", [[], [""], ["x"] * 1001])
async def test_bad_deletions_name_the_field(stub: Any, ids: list[str]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.DeleteLearnt(learnt.DeleteLearntRequest(ids=ids))
    assert fields_of(caught.value) == ["ids"]


async def test_a_user_that_is_no_user_is_refused(stub: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RecordAnswer(
            pb.RecordAnswerRequest(
                question="q",
                verdict=pb.VERDICT_CORRECTED,
                answer="a",
                user=UserContext(user_id="u" * 257),
            )
        )
    assert fields_of(caught.value) == ["user.user_id"]
