from services.assistant.conversation import Conversation
from services.assistant.domain import HandOverReason, ReplyKind
from services.assistant.knowledge import Knowledge
from services.assistant.learnt import Source, learn
from shared.errors import UnavailableError
from tests.services.assistant.conftest import Talk
from tests.services.assistant.standing_in import Shelf, WordReader, lamp, vector_of


async def test_an_order_that_is_given_fills_the_template(talk: Talk) -> None:
    reply = (await talk("cancel my order 370795561790")).reply
    assert reply.kind is ReplyKind.TEMPLATE
    assert reply.answer_id == "cancel_order"
    assert "order 370795561790 under" in reply.text
    assert "{" not in reply.text
    assert reply.slots == {"order_id": "370795561790"}


async def test_a_missing_slot_is_asked_for_and_its_answer_goes_on(
    talk: Talk, conversation: Conversation
) -> None:
    asked = (await talk("cancel my order")).reply
    assert (asked.kind, asked.missing) == (ReplyKind.ASK_BACK, "order_id")
    filled = (await talk("it is #00004587345, thanks")).reply
    assert filled.kind is ReplyKind.TEMPLATE
    assert "00004587345" in filled.text
    assert not conversation.waiting_for


async def test_the_order_is_remembered_for_the_next_question(talk: Talk) -> None:
    await talk("cancel my order 370795561790")
    reply = (await talk("where is my order")).reply
    assert reply.answer_id == "track_order"
    assert "370795561790" in reply.text


async def test_who_asks_something_else_instead_is_answered_that(talk: Talk) -> None:
    await talk("cancel my order")
    reply = (await talk("unsubscribe from the newsletter")).reply
    assert reply.answer_id == "newsletter_unsubscribe"


async def test_a_slot_that_is_not_given_goes_to_a_person_after_two_times(talk: Talk) -> None:
    await talk("cancel my order")
    again = (await talk("zzz qqq")).reply
    assert again.kind is ReplyKind.ASK_BACK
    reply = (await talk("vvv www")).reply
    assert reply.hand_over is not None
    assert reply.hand_over.reason is HandOverReason.SLOT_NOT_GIVEN


async def test_chinese_is_answered_in_chinese_by_words(talk: Talk) -> None:
    reply = (await talk("我想取消订单12345678")).reply
    assert reply.kind is ReplyKind.TEMPLATE
    assert reply.language == "zh"
    assert "订单12345678在发货前" in reply.text


async def test_a_question_that_nobody_knows_goes_to_a_person_with_the_transcript(
    talk: Talk,
) -> None:
    await talk("cancel my order 370795561790")
    reply = (await talk("qqq zzz, write me at anna@example.com")).reply
    assert reply.kind is ReplyKind.HAND_OVER
    assert reply.hand_over is not None
    assert reply.hand_over.reason is HandOverReason.UNSURE
    summary = reply.hand_over.summary
    assert "cancel my order 370795561790; qqq zzz" in summary
    assert "order_id 370795561790" in summary
    assert "Answered so far: cancel_order" in summary
    assert "anna@example.com" not in summary


async def test_who_asks_for_a_person_gets_one(talk: Talk) -> None:
    reply = (await talk("I want to speak to a human")).reply
    assert reply.kind is ReplyKind.HAND_OVER
    assert reply.answer_id == "human_agent"
    assert reply.hand_over is not None
    assert reply.hand_over.reason is HandOverReason.ASKED_FOR


async def test_help_is_quoted_word_for_word(talk: Talk, knowledge: Knowledge) -> None:
    reply = (await talk("how do I clean a leather bag")).reply
    assert reply.kind is ReplyKind.GENERATED
    (citation,) = reply.citations
    assert (citation.source, citation.source_id) == ("help", "care")
    _, paragraph = knowledge.help.find(reply.answer_id)
    assert reply.text == citation.text == paragraph.en.text


async def test_a_field_of_a_named_product_is_stated_with_its_evidence(talk: Talk) -> None:
    shelf = Shelf(lamp("white"))
    reply = (await talk("what colour is the Lumoria D910", shelf=shelf)).reply
    assert reply.kind is ReplyKind.GENERATED
    assert reply.text == "“Lumoria D910 desk lamp, white”: white."
    assert [(each.field, each.text) for each in reply.citations] == [
        ("titles.en", "Lumoria D910 desk lamp, white"),
        ("attributes.colour", "white"),
    ]


async def test_variants_that_differ_are_asked_about_and_those_that_do_not_are_not(
    talk: Talk, conversation: Conversation
) -> None:
    shelf = Shelf(lamp("white", 199), lamp("black", 249))
    alike = (await talk("what material is the Lumoria D910", shelf=shelf)).reply
    assert alike.kind is ReplyKind.GENERATED
    asked = (await talk("how much is the Lumoria D910", shelf=shelf)).reply
    assert asked.kind is ReplyKind.ASK_BACK
    assert asked.options == ("Lumoria D910 desk lamp, white", "Lumoria D910 desk lamp, black")
    told = (await talk("the black one", shelf=shelf)).reply
    assert told.text == "“Lumoria D910 desk lamp, black”: 249."
    assert conversation.product_id == "lamp-black"
    followed = (await talk("and which colour is it", shelf=shelf)).reply
    assert followed.text.endswith(": black.")


async def test_a_description_answers_what_no_field_does(talk: Talk) -> None:
    reply = (await talk("does the Lumoria D910 dim in steps", shelf=Shelf(lamp("white")))).reply
    assert reply.citations[1].field == "descriptions.en"
    assert reply.citations[1].text == "It dims in ten steps."
    assert "“It dims in ten steps.”" in reply.text


async def test_what_the_catalogue_does_not_say_is_not_said(talk: Talk) -> None:
    shelf = Shelf(lamp("white"))
    reply = (await talk("how many pages does the Lumoria D910 have", shelf=shelf)).reply
    assert reply.hand_over is not None
    assert reply.hand_over.reason is HandOverReason.NO_EVIDENCE


async def test_a_lost_service_is_told_and_a_person_takes_over(talk: Talk) -> None:
    for stage in ("retrieval", "reason"):
        heard = await talk(
            "what colour is the Lumoria D910", shelf=Shelf(lamp("white"), lost=stage)
        )
        assert [each for each, _ in heard.lost] == [stage]
        assert heard.reply.hand_over is not None
        assert heard.reply.hand_over.reason is HandOverReason.DEGRADED


async def test_without_the_nlu_words_still_find_a_template(talk: Talk) -> None:
    reader = WordReader(lost=[("nlu", UnavailableError("gone"))])
    heard = await talk("unsubscribe from the newsletter", reader=reader)
    assert heard.reply.answer_id == "newsletter_unsubscribe"
    assert [stage for stage, _ in heard.lost] == ["nlu"]
    unknown = await talk("zzz qqq", reader=reader)
    assert unknown.reply.hand_over is not None
    assert unknown.reply.hand_over.reason is HandOverReason.DEGRADED


async def test_a_learnt_answer_is_given_with_its_slot(talk: Talk, knowledge: Knowledge) -> None:
    unknown = (await talk("can my courier ring twice")).reply
    assert unknown.kind is ReplyKind.HAND_OVER
    knowledge.add(
        [
            learn(
                "can my courier ring twice for order 12345678",
                "Order 12345678 has a note for the courier now.",
                source=Source.DIALOGUE,
            )
        ]
    )
    wanted = knowledge.without_vector()
    knowledge.add_vectors(wanted, [vector_of(text) for _, text in wanted])
    asked = (await talk("can my courier ring twice for order")).reply
    assert (asked.kind, asked.missing) == (ReplyKind.ASK_BACK, "order_id")
    reply = (await talk("99887766")).reply
    assert reply.kind is ReplyKind.LEARNT
    assert reply.text == "Order 99887766 has a note for the courier now."
