"""What a text denies, supposes or wishes for gives no tag: "not waterproof", 不防水, "BPA-free"."""

import re
from typing import Final

_NEAR: Final = 48
"""Code points looked at on either side of a mention."""
_BEFORE_EN: Final = re.compile(
    r"(?:\b(?:not|no|never|without|lacks?|lacking|neither|nor|hardly|instead of|rather than"
    r"|cannot|isn['’]t|aren['’]t|wasn['’]t|weren['’]t|doesn['’]t|don['’]t|didn['’]t|won['’]t"
    r"|can['’]t|contains? no|free (?:of|from)|far from|nothing|less than)"
    # "not only waterproof" and "no more wet feet: waterproof" say that it is.
    r"(?! only\b| just\b| merely\b)(?: (?!but\b|and\b|because\b)[\w'’-]+){0,2} ?"
    r"|\bnon[- ]?|\bun-)$",
    re.IGNORECASE,
)
_BEFORE_ZH: Final = re.compile(
    r"(?:不(?!仅|但|只|光|止|同|错|论|管|怕|易|失|挑)|没有|没(?!想)|无(?!论|需)|非(?!常)|并非|不是|毫无|未|别|不含|免)"
    r"(?:很|太|怎么|那么|会|算|是|具备|支持|带|能|够|可以|含|有|任何|什么|具有){0,2}$"
)
_AFTER_EN: Final = re.compile(
    r"^(?:[- ]free\b| ?: ?(?:no|none|n/a)\b| (?:is|are|was|were) (?:not|missing|absent)\b"
    r"| ?\(?not included\)?)",
    re.IGNORECASE,
)
_AFTER_ZH: Final = re.compile(
    r"^(?:性|功能|效果)?(?:[:：] ?(?:否|无|不)"
    r"|(?:很|太|比较|有点|非常)?(?:差|不行|不好|不支持|不具备|没有)(?![^，。；！\s]))"
)
_SUPPOSED: Final = re.compile(
    r"\b(?:if|wish|hope|hoping|should have been|would have been|would be|could be|supposed to be"
    r"|expected|thought|claims? to be|as long as|might)\b|希望|如果|要是|以为|担心|本来|号称|假如",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(r"[?？]\s*$")
_CLAUSE_END: Final = re.compile(r"[.!?;:,。！？；，：、\n•]")
_SENTENCE: Final = re.compile(r"[^.!?。！？；\n•]*[.!?。！？；]?")


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether a text says that the mention in [start, end) does not hold.

    Looked at is its clause alone, so "no zip, waterproof" denies the zip and nothing else.
    """
    before = text[max(0, start - _NEAR) : start]
    ends = [match.end() for match in _CLAUSE_END.finditer(before)]
    clause = before[ends[-1] :] if ends else before
    if _BEFORE_EN.search(clause) or _BEFORE_ZH.search(clause):
        return True
    after = text[end : end + _NEAR]
    return bool(_AFTER_EN.search(after) or _AFTER_ZH.search(after))


def is_supposed(text: str, start: int, end: int) -> bool:
    """Whether the sentence of a mention supposes, wishes or asks: "I wish it were waterproof"."""
    for match in _SENTENCE.finditer(text, _sentence_start(text, start)):
        if match.end() >= end:
            return bool(_SUPPOSED.search(match[0]) or _ASKED.search(match[0]))
    return False


def _sentence_start(text: str, start: int) -> int:
    return 1 + max(text.rfind(mark, 0, start) for mark in ".!?。！？；\n•")
