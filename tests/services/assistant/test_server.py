from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from shared.privacy.sealing import KeyRing, read_or_make_keys
from tests.services.assistant.peers import Nlu, reasons
from tests.services.assistant.serving import assistant, caught_up, fields_of, until_whole
from wherefore.assistant.v1 import answer_pb2 as answers
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.common.v1.user_profile_pb2 import UserContext


@pytest.fixture
async def explained(targets: dict[str, str], tmp_path: Path) -> AsyncIterator[Any]:
    """As `stub`, with the reason service beside it."""
    async with (
        reasons(targets["nlu_target"]) as target,
        caught_up(tmp_path, targets | {"reason_target": target}) as found,
    ):
        yield found


async def test_a_template_is_filled_from_what_the_conversation_gives(stub: Any) -> None:
    first = await stub.Ask(pb.AskRequest(question="cancel my order"))
    assert first.answer.kind == answers.ANSWER_KIND_ASK_BACK
    assert first.answer.missing_slot == "order_id"
    second = await stub.Ask(
        pb.AskRequest(question="00123842", conversation_id=first.conversation_id)
    )
    assert second.answer.kind == answers.ANSWER_KIND_TEMPLATE
    assert second.answer.answer_id == second.answer.intent == "cancel_order"
    assert dict(second.answer.slots) == {"order_id": "00123842"}
    assert "00123842" in second.answer.text
    assert {each.stage for each in second.timings} >= {"assistant.read", "assistant.match"}


async def test_a_conversation_is_its_users_alone_and_can_be_ended(stub: Any) -> None:
    anna, bob = UserContext(user_id="anna"), UserContext(user_id="bob")
    await stub.Ask(pb.AskRequest(question="cancel my order", conversation_id="c1", user=anna))
    other = await stub.Ask(pb.AskRequest(question="00123842", conversation_id="c1", user=bob))
    assert other.answer.kind == answers.ANSWER_KIND_HAND_OVER
    own = await stub.Ask(pb.AskRequest(question="00123842", conversation_id="c1", user=anna))
    assert own.answer.answer_id == "cancel_order"
    ended = await stub.EndConversation(pb.EndConversationRequest(conversation_id="c1", user=anna))
    assert ended.found
    again = await stub.EndConversation(pb.EndConversationRequest(conversation_id="c1", user=anna))
    assert not again.found


async def test_a_stream_is_one_conversation(explained: Any) -> None:
    asked = ["cancel my order", "00123842", "what material is the Lumoria", "and its price"]

    async def requests() -> AsyncIterator[pb.ConverseRequest]:
        for question in asked:
            yield pb.ConverseRequest(request=pb.AskRequest(question=question))

    told = [each.response async for each in explained.Converse(requests())]
    assert [each.answer.kind for each in told] == [
        answers.ANSWER_KIND_ASK_BACK,
        answers.ANSWER_KIND_TEMPLATE,
        answers.ANSWER_KIND_GENERATED,
        answers.ANSWER_KIND_GENERATED,
    ]
    assert len({each.conversation_id for each in told}) == 1
    assert "aluminium" in told[2].answer.text
    assert "199" in told[3].answer.text


async def test_what_is_said_of_a_product_comes_from_the_verifier_with_evidence(
    explained: Any,
) -> None:
    response = await explained.Ask(pb.AskRequest(question="what material is the Lumoria"))
    title, fact = response.answer.citations
    assert (title.source_id, title.field) == ("lamp-white", "titles.en")
    assert fact.source == answers.CITATION_SOURCE_PRODUCT
    assert (fact.field, fact.text) == ("attributes.material", "aluminium")
    assert fact.claim.strip()
    assert fact.claim.lower().rstrip(".") in response.answer.text.lower()


async def test_a_person_gets_a_summary(stub: Any) -> None:
    response = await stub.Ask(pb.AskRequest(question="zzz qqq"))
    assert response.answer.kind == answers.ANSWER_KIND_HAND_OVER
    assert response.answer.hand_over.reason == answers.HAND_OVER_REASON_UNSURE
    assert "zzz qqq" in response.answer.hand_over.summary


async def test_dialogues_are_learnt_with_bad_rows_told(stub: Any) -> None:
    question = "does your courier climb stairs"

    async def requests() -> AsyncIterator[pb.ImportDialoguesRequest]:
        yield pb.ImportDialoguesRequest(
            dialogues=[
                pb.Dialogue(question=question, answer="Up to the third floor."),
                pb.Dialogue(question="", answer="Nothing."),
                pb.Dialogue(question="who are you", answer="", language_code="en"),
            ]
        )
        yield pb.ImportDialoguesRequest(
            dialogues=[
                pb.Dialogue(question=question, answer="Up to the third floor."),
                pb.Dialogue(question="a", answer="b", language_code="??"),
            ]
        )

    told = [each async for each in stub.ImportDialogues(requests())]
    assert [each.acknowledged_row for each in told] == [3, 5]
    assert (told[1].imported_count, told[1].unchanged_count, told[1].failed_count) == (1, 1, 3)
    assert [(each.row, each.field) for each in told[0].errors] == [(2, "question"), (3, "answer")]
    assert [(each.row, each.field) for each in told[1].errors] == [(5, "language_code")]
    response = await stub.Ask(pb.AskRequest(question=question))
    assert response.answer.kind == answers.ANSWER_KIND_LEARNT
    assert response.answer.text == "Up to the third floor."


async def test_a_verdict_counts_at_once_and_after_a_restart(
    targets: dict[str, str], tmp_path: Path
) -> None:
    question = "is the parcel heavy for granny"
    # Right after a start the NLU may not have been found yet, and nothing is learnt without it.
    async with caught_up(tmp_path, targets) as stub:
        recorded = await stub.RecordAnswer(
            pb.RecordAnswerRequest(
                question=question, verdict=pb.VERDICT_CORRECTED, answer="No, it is light."
            )
        )
        assert recorded.answer_id.startswith("learnt.")
        accepted = await stub.RecordAnswer(
            pb.RecordAnswerRequest(
                question="granny wants it lighter",
                verdict=pb.VERDICT_ACCEPTED,
                answer_id=recorded.answer_id,
            )
        )
        assert accepted.answer_id == recorded.answer_id
        assert not accepted.unchanged
    async with caught_up(tmp_path, targets) as stub:
        for asked in (question, "granny wants it lighter"):
            response = await stub.Ask(pb.AskRequest(question=asked))
            assert response.answer.text == "No, it is light."


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (pb.AskRequest(question="  "), ["question"]),
        (pb.AskRequest(question="q" * 1001), ["question"]),
        (pb.AskRequest(question="a\x01b"), ["question"]),
        (pb.AskRequest(question="q", conversation_id="a b"), ["conversation_id"]),
        (pb.AskRequest(question="q", user=UserContext(user_id="u" * 257)), ["user.user_id"]),
        (pb.AskRequest(question="", language_code="??"), ["question", "language_code"]),
    ],
)
async def test_bad_messages_are_refused_by_the_field(
    stub: Any, request_: pb.AskRequest, fields: list[str]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Ask(request_)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(caught.value) == fields

    async def requests() -> AsyncIterator[pb.ConverseRequest]:
        yield pb.ConverseRequest(request=request_)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [each async for each in stub.Converse(requests())]
    assert fields_of(caught.value) == [f"request.{field}" for field in fields]


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (pb.RecordAnswerRequest(question="q", answer="a"), ["verdict"]),
        (
            pb.RecordAnswerRequest(question="q", verdict=pb.VERDICT_ACCEPTED, answer_id="none"),
            ["answer_id"],
        ),
        (pb.RecordAnswerRequest(question="q", verdict=pb.VERDICT_ACCEPTED, answer="a"), ["answer"]),
        (pb.RecordAnswerRequest(question="q", verdict=pb.VERDICT_CORRECTED), ["answer"]),
        (
            pb.RecordAnswerRequest(question="", verdict=pb.VERDICT_CORRECTED, answer="a"),
            ["question"],
        ),
    ],
)
async def test_bad_verdicts_are_refused_by_the_field(
    stub: Any, request_: pb.RecordAnswerRequest, fields: list[str]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RecordAnswer(request_)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(caught.value) == fields


async def test_other_bad_requests_are_refused(stub: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.EndConversation(pb.EndConversationRequest())
    assert fields_of(caught.value) == ["conversation_id"]

    async def requests() -> AsyncIterator[pb.ImportDialoguesRequest]:
        yield pb.ImportDialoguesRequest(dialogues=[pb.Dialogue()] * 101)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [each async for each in stub.ImportDialogues(requests())]
    assert fields_of(caught.value) == ["dialogues"]


async def test_the_key_file_is_read_once_at_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def noted(path: Path) -> KeyRing:
        read.append(path)
        return read_or_make_keys(path)

    monkeypatch.setattr("services.assistant.server.read_or_make_keys", noted)
    async with assistant(tmp_path):
        assert read == [tmp_path / "assistant.key"]


async def test_lost_services_are_told_and_learning_is_refused(tmp_path: Path) -> None:
    nobody = dict.fromkeys(("nlu_target", "retrieval_target", "reason_target"), "127.0.0.1:1")
    async with assistant(tmp_path, **nobody) as stub:
        response = await stub.Ask(pb.AskRequest(question="unsubscribe from the newsletter"))
        assert response.answer.answer_id == "newsletter_unsubscribe"
        stages = {each.stage: each.fallback for each in response.degraded}
        assert set(stages) == {"nlu", "nlu.embedding", "assistant.vectors"}
        assert all(stages.values())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.RecordAnswer(
                pb.RecordAnswerRequest(
                    question="q", verdict=pb.VERDICT_CORRECTED, answer="an answer"
                )
            )
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_lost_encoder_is_told(stub: Any, nlu: Nlu) -> None:
    nlu.embeds = False
    response = await stub.Ask(pb.AskRequest(question="unsubscribe from the newsletter"))
    assert response.answer.answer_id == "newsletter_unsubscribe"
    assert [each.stage for each in response.degraded] == ["nlu.embedding"]


async def test_vectors_of_another_model_are_not_compared_but_read_anew(stub: Any, nlu: Nlu) -> None:
    """A restarted NLU may have another model, of another width, than read the examples."""
    nlu.version, nlu.width = 2, 64
    for question in ("unsubscribe from the newsletter", "取消订单 00123842"):
        response = await stub.Ask(pb.AskRequest(question=question))
        assert response.answer.answer_id in ("newsletter_unsubscribe", "cancel_order")
        assert response.degraded[0].stage == "nlu.embedding"
        assert "@2" in response.degraded[0].detail
    read = nlu.embedded
    for question in ("unsubscribe from the newsletter", "取消订单 00123842"):
        response = await until_whole(stub, question)
        assert response.answer.answer_id in ("newsletter_unsubscribe", "cancel_order")
    assert nlu.embedded > read


async def test_a_vector_that_comes_with_the_reading_is_not_asked_for_again(
    stub: Any, nlu: Nlu
) -> None:
    nlu.tells = True
    for question in ("unsubscribe from the newsletter", "取消订单 00123842"):
        asked = nlu.embedded
        response = await stub.Ask(pb.AskRequest(question=question))
        assert response.answer.answer_id in ("newsletter_unsubscribe", "cancel_order")
        assert not response.degraded
        assert nlu.embedded == asked
    nlu.version = 2  # by another model than the examples: asked for, and told
    response = await stub.Ask(pb.AskRequest(question="unsubscribe from the newsletter"))
    assert nlu.embedded > asked
    assert response.degraded[0].stage == "nlu.embedding"
    await until_whole(stub, "unsubscribe from the newsletter")
    asked = nlu.embedded
    response = await stub.Ask(pb.AskRequest(question="unsubscribe from the newsletter"))
    assert (nlu.embedded, list(response.degraded)) == (asked, [])
