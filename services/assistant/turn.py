"""One message on its way to a reply: which room answers it, and what is asked back."""

from dataclasses import replace
from typing import Final

from services.assistant.catalogue import Statement
from services.assistant.conversation import Conversation
from services.assistant.domain import Citation, HandOverReason, Language, Reply, ReplyKind
from services.assistant.handover import hand_over, hand_over_text
from services.assistant.knowledge import Knowledge
from services.assistant.matching import Match
from services.assistant.ports import Products, Reader, Timer
from services.assistant.questions import (
    asked_fields,
    description_quote,
    field_of,
    names_product,
    narrow,
    options,
    same_value,
    title,
)
from services.assistant.reader import Reading
from services.assistant.slots import find_slots
from shared.errors import WhereforeError
from wherefore.common.v1.product_pb2 import Product

PRODUCT_SLOT: Final = "product"
_MOST_ASKED: Final = 2
"""Times that a slot is asked for before a person takes over."""
_QUESTIONS: Final = frozenset({"attribute_question", "navigational", "product_search"})
"""Intents that a question about one product can look like."""
_WHICH: Final[dict[Language, tuple[str, str]]] = {
    "en": ("Which product do you mean? Please tell me its brand and model.", "Which one: {}?"),
    "zh": ("请问是哪一款商品？请告诉我品牌和型号。", "请问是哪一款：{}？"),
}
_OF: Final[dict[Language, str]] = {"en": "“{}”: {}", "zh": "“{}”：{}"}
_OR: Final[dict[Language, str]] = {"en": "; ", "zh": "；"}


class Turn:
    """Finds the reply to one message.

    Args:
        knowledge: All known answers.
        reader: The NLU.
        products: The catalogue.
        conversation: What was said before; changed but for the turn itself.
        reading: The message.
        timer: Measures the stages.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        reader: Reader,
        products: Products,
        conversation: Conversation,
        *,
        reading: Reading,
        timer: Timer,
    ) -> None:
        self._knowledge = knowledge
        self._reader = reader
        self._products = products
        self._conversation = conversation
        self._message = reading.message
        self._query = reading.query
        self._timer = timer
        self.lost = list(reading.lost)

    async def reply(self) -> Reply:
        """Returns what is said."""
        known = self._conversation
        known.slots |= find_slots(self._message, self._knowledge.templates.slots, known.waiting_for)
        with self._timer.stage("assistant.match"):
            matches = self._knowledge.match(self._message)
        best = matches[0] if matches and matches[0].sure else None
        if known.waiting_for == PRODUCT_SLOT:
            if best is None or names_product(self._message):
                return await self._completed()
        elif known.waiting_for:
            gave = bool(known.slots.get(known.waiting_for))
            # What was asked for may be gone: a learnt answer that was deleted, another template.
            waiting = next((m for m in matches if m.answer_id == known.waiting_answer), None)
            # Whoever asks something else instead is answered that.
            if waiting and (gave or best is None or best.answer_id == known.waiting_answer):
                return self._known(replace(waiting, confidence=1.0) if gave else waiting)
        known.no_longer_waiting()
        if best is not None and not self._asks_for_field():
            return self._known(best)
        if self._is_about_product():
            return await self._about_product()
        if best is not None:
            return self._known(best)
        lost_nlu = any(stage == "nlu" for stage, _ in self.lost)
        return self._to_person(HandOverReason.DEGRADED if lost_nlu else HandOverReason.UNSURE)

    def _known(self, match: Match) -> Reply:
        """A template, a paragraph of help or a learnt answer, or the question for its slot."""
        known, language = self._conversation, self._message.language
        answer_id = match.answer_id
        reply = Reply(
            ReplyKind.TEMPLATE,
            "",
            language,
            answer_id=answer_id,
            intent=match.intent,
            confidence=match.confidence,
        )
        if self._knowledge.is_help(answer_id):
            text, citation = self._knowledge.help.quote(answer_id, language)
            known.no_longer_waiting()
            return replace(reply, kind=ReplyKind.GENERATED, text=text, citations=(citation,))
        templates = self._knowledge.templates
        template = templates.by_id.get(answer_id)
        own = self._knowledge.own_answer(answer_id)
        needed = template.slots if template else own.slots if own else ()
        missing = next((name for name in needed if not known.slots.get(name)), "")
        if missing:
            return self._ask_back(reply, missing, templates.slots[missing].ask(language))
        known.no_longer_waiting()
        given = {name: known.slots[name] for name in needed}
        if template is None:
            text = own.filled(given) if own else ""
            return replace(reply, kind=ReplyKind.LEARNT, text=text, slots=given)
        text = templates.fill(template, language, given)
        if template.hands_over:
            passed = self._to_person(HandOverReason.ASKED_FOR)
            return replace(
                passed,
                text=text,
                answer_id=answer_id,
                intent=match.intent,
                confidence=match.confidence,
            )
        return replace(reply, text=text, slots=given)

    def _ask_back(self, reply: Reply, slot: str, text: str) -> Reply:
        known = self._conversation
        again = known.waiting_for == slot and known.waiting_answer == reply.answer_id
        known.asked_times = known.asked_times + 1 if again else 1
        if known.asked_times > _MOST_ASKED:
            return self._to_person(HandOverReason.SLOT_NOT_GIVEN)
        known.waiting_for, known.waiting_answer = slot, reply.answer_id
        return replace(reply, kind=ReplyKind.ASK_BACK, text=text, missing=slot)

    def _to_person(self, reason: HandOverReason) -> Reply:
        known, message = self._conversation, self._message
        known.no_longer_waiting()
        summed = hand_over(known, message.text, reason, message.language)
        text = hand_over_text(reason, message.language)
        return Reply(ReplyKind.HAND_OVER, text, message.language, hand_over=summed)

    def _asks_for_field(self) -> bool:
        """Whether a field of a product that is named, or was talked about, is asked for."""
        message = self._message
        if message.intent == "support":
            return False
        about_one = names_product(message) or bool(self._conversation.product_id)
        return about_one and bool(asked_fields(message.text, message.language))

    def _is_about_product(self) -> bool:
        """Whether it is a question about a product that is named, hinted at or was talked about."""
        message = self._message
        kinds = {each.kind for each in message.named}
        asked = bool(asked_fields(message.text, message.language))
        if self._conversation.product_id and (asked or "attribute" in kinds):
            return True
        return names_product(message) or (
            asked and message.intent in _QUESTIONS and "product_type" in kinds
        )

    async def _completed(self) -> Reply:
        """What was asked before the product was named, with what is named now."""
        known = self._conversation
        own = asked_fields(self._message.text, self._message.language)
        if not (own and names_product(self._message)):
            # "The blue one" says little alone: it is read behind the question that it completes.
            with self._timer.stage("assistant.read"):
                together = f"{known.waiting_question} {self._message.text}"
                reading = await self._reader.read(together, self._message.language)
            self.lost += reading.lost
            self._message, self._query = reading.message, reading.query
        else:
            known.no_longer_waiting()
        return await self._about_product()

    async def _about_product(self) -> Reply:
        message, known = self._message, self._conversation
        fields = asked_fields(message.text, message.language)
        found: list[Product] | None = None
        try:
            with self._timer.stage("assistant.retrieve"):
                found = await self._meant()
            if not found and not fields:  # no product of the shop, and no question about one
                return self._to_person(HandOverReason.UNSURE)
            if not found:
                return self._which_product(())
            about = field_of(found, fields)
            quotes = [] if about else [description_quote(message, each) for each in found]
            if not (same_value(found, about) if about else len(set(quotes)) == 1):
                return self._which_product(options(found, message.language))
            known.product_id = found[0].id
            with self._timer.stage("assistant.write"):
                stated = await self._stated(found[0], about)
        except WhereforeError as error:
            self.lost.append(("retrieval" if found is None else "reason", error))
            return self._to_person(HandOverReason.DEGRADED)
        if stated is None:
            return self._to_person(HandOverReason.NO_EVIDENCE)
        known.no_longer_waiting()
        return self._grounded(found[0], stated)

    async def _meant(self) -> list[Product]:
        """The products that are meant; none where none is named and none was talked about."""
        known = self._conversation
        if names_product(self._message) and self._query is not None:
            found = await self._products.find(self._query)
            return narrow(self._message, found)
        if known.product_id:
            product = await self._products.get(known.product_id)
            return [product] if product is not None else []
        return []

    async def _stated(self, product: Product, about: str) -> Statement | None:
        language = self._message.language
        if about:
            return await self._products.state(product, about, language)
        quote = description_quote(self._message, product)
        if quote is None:
            return None
        citation = Citation("product", product.id, quote.field, quote.text, quote.text)
        return Statement(f"“{quote.text}”", (citation,))

    def _grounded(self, product: Product, stated: Statement) -> Reply:
        language = self._message.language
        named = title(product, language)
        tag = next((tag for tag, text in product.titles.items() if text == named), language)
        cited = Citation("product", product.id, f"titles.{tag}", named, named)
        return Reply(
            ReplyKind.GENERATED,
            _OF[language].format(named, stated.text),
            language,
            intent=self._message.intent,
            confidence=1.0,
            citations=(cited, *stated.citations),
        )

    def _which_product(self, titles: tuple[str, ...]) -> Reply:
        language, known = self._message.language, self._conversation
        plain, listed = _WHICH[language]
        text = listed.format(_OR[language].join(titles)) if titles else plain
        reply = Reply(ReplyKind.ASK_BACK, text, language, intent=self._message.intent)
        asked = self._ask_back(reply, PRODUCT_SLOT, text)
        if asked.kind is ReplyKind.ASK_BACK:
            known.waiting_question = self._message.text
        return replace(asked, options=titles)
