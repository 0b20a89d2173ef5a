"""The text to search for: the query without its conditions and without filler words."""

import re
from collections.abc import Iterable
from typing import Final

from shared.text.normalise import fold

# Words around a wish that say nothing of the thing wished for. Only whole phrases at the start or
# the end go; in the middle they may be part of a name.
_OPENING: Final = re.compile(
    r"^\s*(?:(?:please|hi|hello|hey|can you|could you|would you|i(?:'m| am)|help me(?: to)?|show me"
    r"|show|find me|find|search for|search|look(?:ing)? for|i(?:'d| would)? (?:want|need|like)"
    r"(?: to (?:buy|get|find|order))?|want to buy|where can i (?:buy|find|get)|do you (?:have|sell)"
    r"|give me|get me|i am looking for|buy|any|some)(?![\w'])[\s,:!]*"
    r"|(?:你好|您好|请问一下|请问|麻烦|帮我找一下|帮我找|帮我|帮忙|我想要|我想买|我想找|我要买|我要|我想|想买|想要|求购|求"
    r"|给我推荐|推荐一下|推荐|找一下|找|有没有|有什么|买一个|买个|买)(?:一款|一个|一双|一件|一台|一部|个|款)?[\s,，:：]*)+"
)
_CLOSING: Final = re.compile(
    r"(?:[\s,]*(?:(?<![\w'])(?:please|thanks|thank you|for me|for sale)(?!\w)"
    r"|谢谢|多少钱|有吗|吗|呢|吧|推荐)[\s?？!！.。]*)+$"
)
_EDGES: Final = re.compile(r"^[\s,，、;；:：!！?？.。|]+|[\s,，、;；:：!！?？|。]+$")
_ONLY_SIGNS: Final = re.compile(r"[\W_]*")
_DANGLING: Final = re.compile(
    r"^(?:的|and|or|but|in|with|for)\s+|^的|\s+(?:and|or|but|with|priced|price|价格|in)$"
)
# What a removed condition leaves hanging: "价格 200-300元 的 手机".
_LEFT_OVER: Final = re.compile(
    r"(?:价格|价位|(?<![a-z])(?:priced?|for|and|but|at))\s*(?:在|为|是|of|at)?\s*$"
)


def search_text(text: str, consumed: Iterable[tuple[int, int]]) -> str:
    """Returns what is left to search for.

    Args:
        text: Folded query, corrections applied.
        consumed: Spans that conditions have used up.

    Returns:
        The rest, folded. Empty when the query is nothing but conditions and filler words.
    """
    spans = sorted(set(consumed))
    if not spans and not _OPENING.match(text) and not _CLOSING.search(text):
        return fold(text)
    kept: list[str] = []
    position = 0
    for start, end in spans:
        if start >= position:
            kept.append(_LEFT_OVER.sub("", text[position:start]))
        position = max(position, end)
    kept.append(text[position:])
    rest = fold(" ".join(kept))
    stripped = _trim(rest)
    if not _ONLY_SIGNS.fullmatch(stripped):
        return stripped
    # Nothing but filler ("show me some"): without conditions the words themselves are the search.
    return "" if spans else fold(text)


def _trim(text: str) -> str:
    previous = None
    while text != previous:
        previous = text
        text = _OPENING.sub("", text, count=1)
        text = _CLOSING.sub("", text, count=1)
        text = _EDGES.sub("", text)
        text = _DANGLING.sub("", text)
    return text
