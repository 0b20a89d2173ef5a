"""Hand-over: what a person who goes on needs to know, in a few lines."""

from typing import Final

from services.assistant.conversation import Conversation
from services.assistant.domain import HandOver, HandOverReason, Language, ReplyKind
from shared.privacy.personal import masked

_LONGEST_LINE: Final = 160
_QUESTIONS: Final = 6
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "reason": "Handed over",
        "asked": "Asked",
        "given": "Given",
        "answered": "Answered so far",
        "asked_for": "the customer wants a person",
        "unsure": "no known answer fits",
        "no_evidence": "nothing in the shop's data answers it",
        "slot_not_given": "what is needed was asked for twice and not given",
        "degraded": "a part of the assistant cannot be reached",
        "left_out": "{} earlier questions left out",
        "separator": "; ",
        "colon": ": ",
    },
    "zh": {
        "reason": "转人工",
        "asked": "客户提问",
        "given": "已提供",
        "answered": "已答复",
        "asked_for": "客户要求人工",
        "unsure": "没有匹配的答案",
        "no_evidence": "商店数据中没有依据",
        "slot_not_given": "两次询问仍未提供所需信息",
        "degraded": "助手的一部分无法访问",
        "left_out": "省略较早的{}个问题",
        "separator": "；",
        "colon": "：",
    },
}
_TEXTS: Final[dict[Language, dict[HandOverReason, str]]] = {
    "en": {
        HandOverReason.ASKED_FOR: "I am passing you to a person.",
        HandOverReason.UNSURE: "I don't have a sure answer to that, so I am passing you to a "
        "person, with a summary of what we talked about.",
        HandOverReason.NO_EVIDENCE: "The shop's data does not say that, so I am passing you to a "
        "person, with a summary of what we talked about.",
        HandOverReason.SLOT_NOT_GIVEN: "I can't go on without that, so I am passing you to a "
        "person, with a summary of what we talked about.",
        HandOverReason.DEGRADED: "I can't look that up at the moment, so I am passing you to a "
        "person, with a summary of what we talked about.",
    },
    "zh": {
        HandOverReason.ASKED_FOR: "现在为您转接人工客服。",
        HandOverReason.UNSURE: "这个问题我没有把握，现在转给人工客服，并附上对话摘要。",
        HandOverReason.NO_EVIDENCE: "商店数据中没有这项信息，现在转给人工客服，并附上对话摘要。",
        HandOverReason.SLOT_NOT_GIVEN: "缺少这项信息无法继续，现在转给人工客服，并附上对话摘要。",
        HandOverReason.DEGRADED: "暂时无法查询，现在转给人工客服，并附上对话摘要。",
    },
}


def hand_over_text(reason: HandOverReason, language: Language) -> str:
    """Returns what the customer is told."""
    return _TEXTS[language][reason]


def hand_over(
    conversation: Conversation, question: str, reason: HandOverReason, language: Language
) -> HandOver:
    """Sums a conversation up for the person who takes over; personal data is masked.

    Args:
        conversation: What was said before.
        question: The message that is handed over.
        reason: Why.
        language: Of the summary.
    """
    words = _WORDS[language]
    asked = [turn.question for turn in conversation.turns] + [question]
    shown = asked[-_QUESTIONS:]
    lines = [f"{words['reason']}{words['colon']}{words[reason.value]}"]
    lines.append(words["asked"] + words["colon"] + words["separator"].join(map(_line, shown)))
    if left_out := conversation.dropped + len(asked) - len(shown):
        lines.append(words["left_out"].format(left_out))
    if conversation.slots:
        given = (f"{name} {value}" for name, value in conversation.slots.items())
        lines.append(words["given"] + words["colon"] + words["separator"].join(given))
    answered = [
        turn.reply.answer_id or turn.reply.kind.value
        for turn in conversation.turns
        if turn.reply.kind not in (ReplyKind.ASK_BACK, ReplyKind.HAND_OVER)
    ]
    if answered:
        told = words["separator"].join(dict.fromkeys(answered))
        lines.append(words["answered"] + words["colon"] + told)
    return HandOver(reason, "\n".join(lines))


def _line(text: str) -> str:
    flat = " ".join(masked(text).split())
    return flat if len(flat) <= _LONGEST_LINE else f"{flat[: _LONGEST_LINE - 1]}…"
