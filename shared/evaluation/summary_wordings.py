"""Reads points of a summary out of free wordings, word by word, apart from the service.

Which aspect is named by which words, which side a word takes, and which words say nothing are lists
of this module's own. A word that is on none of them makes a clause unreadable.
"""

import re
from dataclasses import dataclass
from typing import Final

GOOD, BAD, DIVIDED = "good", "bad", "divided"
_SIDES: Final = {
    GOOD: (
        "praise praised pleased happy like positive favourable good nice well worth fairly durable "
        "comfortable attractive easy tasty true matching built lasting",
        r"称赞|好评|认可|夸|满意|褒|不错|合适|适合|相符|实惠|方便|舒适(?!度)|舒服|耐用(?!性)"
        r"|好看|好用|好|性价比高",
    ),
    BAD: (
        "fault faulted criticised complain complaints disappointed disappoints critical negative "
        "unhappy poor poorly overpriced uncomfortable hard difficult unlike differing lacking lack "
        "off wearing against",
        r"不(?:好看|好用|好|合适|适合|合|准|符|便|耐用|舒适|舒服|满|佳|足)|批评|差评|差|抱怨|贬"
        r"|性价比低|偏高",
    ),
}
_TOPICS: Final = {
    "good value": ("value money price priced overpriced worth", "性价比|价格"),
    "of good quality": ("quality made", "质量|品质"),
    "durable": ("durability durable lasts lasting last wearing", "耐用"),
    "well fitting": ("fit fitting size sizing", "尺码|大小"),
    "comfortable": ("comfort comfortable uncomfortable", "舒适|舒服"),
    "good looking": ("looks looking attractive", "外观|好看"),
    "as described": ("description described", "描述"),
    "easy to use": ("use ease easy hard difficult handles", "使用|好用"),
    "the sound good": ("sound", "声音"),
    "tasty": ("taste tasty", "味道"),
    "the service good": ("service", "服务|客服"),
    "the delivery good": ("delivery", "物流|送货"),
    "a good gift": ("gift gifts", "送礼"),
}
"""By the phrase of fixed wordings for its good side; words that name it, English and Chinese."""
_SILENT: Final = frozenset(
    re.findall(
        r"[a-z]+",
        """it its this also is are be being by in of the for from who that and mention speak comment
        on point bring up reviewers reviews earns gets receives called call according to find about
        draws with while as a over among divides mixed views splits opinion opinions divided
        disagree differ out how full""",
    )
)
_KNOWN: Final = _SILENT.union(*(t.split() for t, _ in (*_TOPICS.values(), *_SIDES.values())))
_SILENT_ZH: Final = re.compile(
    r"这款|提到|说到|谈到|谈|关于|相关|评价|图文|便利性|性$|条|中的|[与和]|中|里|有|被|因|受到|的|在|上"
    r"|给了|表示|提出|态度|持|说|认为|觉得|称|评为|指出|反映|对|看法|分歧|它|还|度|性|经久|[，。：；、\s]"
)
_SAID_AS: Final = re.compile(
    r"\bdescribed as\b(?! described)|\bsound(?= (?:pleased|disappointed)\b)"
)
_FOR_AND_AGAINST: Final = re.compile(r"\bwith \d+ (?:of \d+ reviewers )?for and \d+ against\b")
_NEAR: Final = {
    "en": re.compile(
        r"(?P<n>\d+) (?:of (?:the )?\d+ reviewers )?(?:who mention [a-z ]+? )?"
        r"(?:(?P<good>for|praise|are pleased)|(?P<bad>against|fault|complain|are disappointed))\b"
    ),
    "zh": re.compile(r"(?P<n>\d+)条(?:(?P<good>称赞|好评|满意)|(?P<bad>批评|差评|不满))"),
}
"""Of divided views: the number that a side's word follows."""
_PAIR: Final = {
    "en": (
        re.compile(r"(?P<some>\d+) of (?:the )?(?P<all>\d+)\b"),
        re.compile(r"\b(?:of|among) the (?P<all>\d+) reviews\b.*? (?P<some>\d+)\b"),
    ),
    "zh": (re.compile(r"(?P<all>\d+)条\D*?[中里]\D*?(?P<some>\d+)条"),),
}
_WHOLE: Final = {
    "en": re.compile(r"of (?:the )?(\d+)|(?:among|of) the (\d+) who"),
    "zh": re.compile(r"^\D*(\d+)条"),
}
_OPENING: Final = {
    "en": (
        re.compile(r"(?<![\d.])(?P<count>\d+) reviews"),
        re.compile(r"(?P<stars>\d(?:\.\d)?) stars"),
    ),
    "zh": (re.compile(r"(?P<count>\d+)条评价"), re.compile(r"(?P<stars>\d(?:\.\d)?)分")),
}
_OPENING_WORDS: Final = re.compile(
    r"\b(?:it|this|has|is|the|subject|of|across|over|in|judging|judged|going|by|to|go|sum|sums|up|"
    r"with|a|summary|there|are|were|read|together|reviews|stars|averages|average|an|scores|rated|"
    r"on|at|from|give)\b"
    r"|这款|它|还|共有|收到了|综合|汇总|总结|看完|读完|从|条|评价|来看|读下来|如下|平均|均分|为|分|得到|在|中|评|来自"
    r"|[\s,.;:，。；、]"
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a clause claims.

    Attributes:
        topic: A key of the tables of phrases: the good side of the aspect in fixed wordings.
        side: GOOD, BAD or DIVIDED.
        some: Reviews for (for GOOD and DIVIDED) or against (for BAD).
        against: Reviews against, of divided views.
        every: Reviews that speak of it.
    """

    topic: str
    side: str
    some: int
    against: int
    every: int


def spoken(text: str, language: str) -> Spoken | None:
    """Reads a clause about an aspect; None when it says what the lists do not know."""
    said = text.lower()
    for_and_against = bool(_FOR_AND_AGAINST.search(said))
    topics, sides, rest = (_english if language == "en" else _chinese)(said)
    if for_and_against:
        sides |= {GOOD, BAD}
    if len(topics) != 1 or not sides or rest:
        return None
    numbers = re.findall(r"\d+", said)
    if len(sides) == 1:
        found = next((m for p in _PAIR[language] if (m := p.search(said))), None)
        if found is None or len(numbers) != 2:  # noqa: PLR2004
            return None
        return Spoken(topics.pop(), sides.pop(), int(found["some"]), 0, int(found["all"]))
    told = {GOOD: -1, BAD: -1}
    for match in _NEAR[language].finditer(said):
        told[GOOD if match["good"] else BAD] = int(match["n"])
    whole = _WHOLE[language].search(said)
    if whole is None or min(told.values()) < 0 or len(numbers) != 3:  # noqa: PLR2004
        return None
    every = int(next(number for number in whole.groups() if number))
    return Spoken(topics.pop(), DIVIDED, told[GOOD], told[BAD], every)


def opening(text: str, language: str) -> tuple[int, str] | None:
    """Reads how many reviews there are, and their mean stars ("" for none) out of an opening."""
    said = text.lower()
    count, stars = (pattern.search(said) for pattern in _OPENING[language])
    left = _OPENING_WORDS.sub("", re.sub(r"\d+(?:\.\d+)?", "", said))
    expected = 1 + (stars is not None)
    if count is None or left or len(re.findall(r"\d+(?:\.\d+)?", said)) != expected:
        return None
    return int(count["count"]), stars["stars"] if stars else ""


def _english(said: str) -> tuple[set[str], set[str], list[str]]:
    words = re.findall(r"[a-z'-]+", _SAID_AS.sub(" ", said))
    topics = {topic for topic, (named, _) in _TOPICS.items() if set(words) & set(named.split())}
    sides = {side for side, (named, _) in _SIDES.items() if set(words) & set(named.split())}
    if "described" in words:
        sides.add(GOOD)
    return topics, sides, [word for word in words if word not in _KNOWN]


def _chinese(said: str) -> tuple[set[str], set[str], list[str]]:
    text = re.sub(r"\d+", "", said)
    topics = {topic for topic, (_, named) in _TOPICS.items() if re.search(named, text)}
    sides: set[str] = set()
    for side in (BAD, GOOD):
        left = re.sub(_SIDES[side][1], "|", text)
        sides |= {side} if left != text else set()
        text = left
    text = re.sub("|".join(named for _, named in _TOPICS.values()), "", text.replace("|", ""))
    rest = _SILENT_ZH.sub("", text)
    return topics, sides, [rest] if rest else []
