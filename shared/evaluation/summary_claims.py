"""Checks rewritten summaries against the reviews, apart from the service that wrote them.

Reads what is claimed out of the text (numbers, phrase), not out of the codes, and looks in every
cited review for a word of its own lists that says so, with its own reading of denials.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.evaluation.summary_wordings import BAD, DIVIDED, GOOD, Spoken, opening, spoken

_NEAR_WORDS: Final = 4
_ROUNDED: Final = 0.051
"""How far stars to one place may be from the mean."""
_EN_COUNTS: Final = re.compile(r"(\d+) of (\d+)")
_ZH_COUNTS: Final = re.compile(r"(\d+)条中(\d+)条")
_CLAUSE: Final = re.compile(
    r"[.!?;:,()：。！？；，、\n]|\b(?:but|although|though|however)\b|但|不过"
)
_DENIAL: Final = re.compile(
    r"\b(?:not|no|never|hardly|without|nothing(?! of)|\w+n't|\w+nt)\b(?!\s+(?:only|just))",
    re.IGNORECASE,
)
_PRAISE: Final = (
    "good|great|excellent|amazing|nice|perfect|best|wonderful|fantastic|high|superb|lovely|love|"
    "outstanding|top|decent|fair|fast|quick|prompt|awesome|clear|neat|"
    "cosier|strong|solid|better|well|right"
)
_FAULT: Final = (
    "bad|poor|terrible|awful|cheap|horrible|low|worst|inferior|disappoint|too|slow|late|wrong|loud"
)


@dataclass(frozen=True, slots=True)
class SummaryClaimText:
    """A claim as served: a part of the text and the reviews it names, on which side if told."""

    text: str
    review_ids: Sequence[str]
    praises: bool | None = None


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a phrase claims: words that say so outright, and the opposite ones that a denial turns.

    `topic` needs a word of _PRAISE or _FAULT in the same clause.
    """

    side: str
    outright: str
    opposite: str
    topic: str = ""


_VALUE_GOOD, _VALUE_BAD = (
    r"worth|bargain|afford|inexpensive|cheaper|less|deal|priced|value|beat the price|any better|"
    r"low prices?",
    r"expensive|overpriced|over priced|waste|pricey|too much",
)
_TABLE: Final[Mapping[str, tuple[str, str, str, str]]] = {
    # good wording: bad wording, good words, bad words, topic
    "good value": ("poor value", _VALUE_GOOD, _VALUE_BAD, r"price|value|money|cost|buy"),
    "of good quality": (
        "of poor quality", r"sturdy|solid|well|nicely|beautifully|made|stitch",
        r"flimsy|cheap|poorly|badly|loose|sharp|defect", r"quality|material|fabric|built|made|seam",
    ),
    "durable": (
        "short-lived", r"durable|hold|held|last|like new|scratch|in shape|trouble|problem",
        r"br[oe]ke|fell apart|falls? apart|came apart|stopped|wore out|scratch|ripped|tore|died",
        r"",
    ),
    "well fitting": (
        "the size off", r"\bfit|true to size|right size",
        r"small|large|big|tight|loose|narrow|wide|snug|short|fit", r"",
    ),
    "comfortable": (
        "uncomfortable", r"(?<!un)comfortabl|comfy|cozy|feel|soft|light|easy on",
        r"uncomfortabl|blister|itchy|scratchy|hurt|pinch|rub", r"comfort",
    ),
    "good looking": (
        "the looks poor",
        r"(?:beautiful|lovely)(?! voice)|gorgeous|stylish|attractive|elegant|cute|pretty|"
        r"compliment|flatter|asking where", r"ugly|tacky|dated|wrong|different", r"look|style",
    ),
    "as described": (
        "unlike the description", r"as described|pictured|expected|advertised|description|promise|"
        r"like the|"
        r"same as", r"smaller than|not like|nothing like|different|mislead|pictures?", r"",
    ),
    "easy to use": (
        "hard to use", r"easy|easily|simple|no effort|in minutes|right away",
        r"hard|difficult|tricky|impossible|confus", r"",
    ),
    "the sound good": (
        "the sound poor", r"quiet", r"loud|noisy|tinny|muffled", r"sound",
    ),
    "tasty": (
        "the taste poor", r"delicious|tasty|yummy|fresh|not too sweet|mild",
        r"bland|stale|tasteless|too (?:sweet|salty|bitter)", r"tast|flavou?r",
    ),
    "the service good": ("the service poor", r"within minutes", r"nobody|no one", r"service"),
    "the delivery good": (
        "the delivery poor", r"quickly|fast|early|on time|prompt|packed",
        r"late|damaged|slow|badly", r"shipping|delivery",
    ),
    "a good gift": ("a poor gift", r"gift|present", r"embarrass", r"gift|present"),
}  # fmt: skip
_ZH_TABLE: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "性价比高": (
        "性价比低",
        r"性价比|物有所值|物美价廉|实惠|便宜|合理|划算|超值|值得|优惠|公道|价位",
        r"贵|性价比|不划算|不值|不便宜|浪费|价格.?高",
        r"",
    ),
    "质量好": (
        "质量差", r"质量|品质|做工|用料|质感|走线|没有|结实|扎实",
        r"质量|品质|做工|线头|粗|劣|瑕疵", r"",
    ),
    "耐用": (
        "不耐用", r"耐用|新的|划痕|没出|没变|经久", r"坏|刮花|开线|掉色|变形|散架|断|裂|耐用", r""
    ),
    "尺码合适": ("尺码不合", r"尺码|合适|合身", r"尺码|偏|紧|松|肥|合身", r""),
    "舒适": ("不舒适", r"舒服|舒适|磨脚|柔软", r"磨|舒|扎|硌|勒", r""),
    "好看": (
        "外观不佳", r"好看|漂亮|美观|精致|显瘦|颜值|链接", r"丑|难看|好看|漂亮|美观|色差", r""
    ),
    "与描述相符": ("与描述不符", r"描述|图片|介绍", r"图片|描述", r""),
    "使用方便": ("使用不便", r"方便|好用|简单|好清洗|容易|好带|装好|到手", r"难|不好|不方便", r""),
    "声音好": ("声音差", r"音|声", r"音|声", r""),
    "味道好": (
        "味道差", r"好吃|好喝|美味|新鲜|味道|口感|太甜", r"难吃|不好|味道|口感|太|不新鲜", r""
    ),
    "服务好": ("服务差", r"客服|服务|售后", r"客服|服务|售后", r""),
    "物流好": ("物流差", r"物流|发货|快递|送货|包装", r"物流|发货|快递|送货|包装", r""),
    "适合送礼": ("不适合送礼", r"送|礼", r"送", r""),
}  # fmt: skip


def unsupported(
    text: str,
    claims: Sequence[SummaryClaimText],
    reviews: Mapping[str, str],
    language: str,
    ratings: Mapping[str, int] | None = None,
) -> list[str]:
    """Returns what is wrong, one line a claim that does not hold; empty when all hold.

    Args:
        text: The rewritten summary.
        claims: Its claims as served.
        reviews: Texts of reviews by id.
        language: "zh" or "en".
        ratings: Stars of reviews by id, where they have some.
    """
    wrong = [f"{c.text!r} is not in the text" for c in claims if c.text not in text]
    left = text
    for said in sorted({claim.text for claim in claims}, key=len, reverse=True):
        left = left.replace(said, "")
    if re.search(r"\d", left):
        wrong.append("a number of the text is in no claim")
    for claim in claims:
        if cause := _wrong(claim, reviews, language, ratings or {}):
            wrong.append(f"{claim.text!r}: {cause}")
    return wrong


def _wrong(
    claim: SummaryClaimText,
    reviews: Mapping[str, str],
    language: str,
    ratings: Mapping[str, int],
) -> str:
    if not claim.review_ids:
        return _wrong_opening(claim.text, reviews, language, ratings)
    if any(review not in reviews for review in claim.review_ids):
        return "cites a review that is not there"
    counts = (_ZH_COUNTS if language == "zh" else _EN_COUNTS).search(claim.text)
    free = spoken(claim.text, language)
    if free is None and counts is None:
        quoted = all(claim.text in reviews[review] for review in claim.review_ids)
        return "" if quoted else "is not what the review says"
    meaning: _Meaning | None = None
    count = speaking = 0
    if free is not None:
        meaning, count, speaking = _free(free, claim.praises)
    elif counts is not None:
        meaning = _meaning(claim.text, language)
        first, second = int(counts[1]), int(counts[2])
        count, speaking = (second, first) if language == "zh" else (first, second)
    if count != len(set(claim.review_ids)) or count > speaking or speaking > len(reviews):
        return "its numbers are not those of its reviews"
    if meaning is None:
        return "says what the checker doesn't know"
    missed = [
        r for r in claim.review_ids if not any(_says(meaning, c) for c in _clauses(reviews[r]))
    ]
    return f"not said by {missed}" if missed else ""


def _wrong_opening(
    text: str, reviews: Mapping[str, str], language: str, ratings: Mapping[str, int]
) -> str:
    found = opening(text, language)
    if found is None:
        return "cites no review"
    count, stars = found
    if count != len(reviews):
        return "its number is not that of the reviews"
    rated = [ratings.get(review, 0) for review in reviews]
    if stars and (0 in rated or abs(float(stars) - sum(rated) / len(rated)) > _ROUNDED):
        return "its stars are not the mean of the reviews'"
    return ""


def _free(said: Spoken, praises: bool | None) -> tuple[_Meaning | None, int, int]:
    """Meaning and numbers of free words, of the side that the claim takes."""
    if praises is None:
        praises = said.side != BAD
    if said.side != DIVIDED and (said.side == GOOD) != praises:
        return None, said.some, said.every
    side = GOOD if praises else BAD
    count = said.against if said.side == DIVIDED and not praises else said.some
    rows = zip(_TABLE.items(), _ZH_TABLE.values(), strict=True)
    row, row_zh = next((row, zh) for (good, row), zh in rows if good == said.topic)
    return _of(row, row_zh, side), count, said.every


def _clauses(body: str) -> list[str]:
    return [clause for clause in _CLAUSE.split(body) if clause.strip()]


def _meaning(text: str, language: str) -> _Meaning | None:
    # Reviews of both languages count, so words of both are looked for.
    tables = list(zip(_TABLE.items(), _ZH_TABLE.items(), strict=True))
    found: list[tuple[int, _Meaning]] = []
    for (good, row), (good_zh, row_zh) in tables:
        phrases = (good_zh, row_zh[0]) if language == "zh" else (good, row[0])
        for phrase, side in zip(phrases, (GOOD, BAD), strict=True):
            if phrase in text:
                found.append((len(phrase), _of(row, row_zh, side)))
    return max(found, key=lambda each: each[0])[1] if found else None


def _of(row: tuple[str, str, str, str], row_zh: tuple[str, str, str, str], side: str) -> _Meaning:
    own, other = (1, 2) if side == GOOD else (2, 1)
    return _Meaning(side, f"{row[own]}|{row_zh[own]}", f"{row[other]}|{row_zh[other]}", row[3])


def _says(meaning: _Meaning, clause: str) -> bool:
    if any(not _denied(clause, at) for at in _places(meaning.outright, clause)):
        return True
    if any(_denied(clause, at) for at in _places(meaning.opposite, clause)):
        return True
    if not meaning.topic or not _places(meaning.topic, clause):
        return False
    own, other = (_PRAISE, _FAULT) if meaning.side == GOOD else (_FAULT, _PRAISE)
    return any(not _denied(clause, at) for at in _places(rf"\b(?:{own})", clause)) or any(
        _denied(clause, at) for at in _places(rf"\b(?:{other})", clause)
    )


def _places(pattern: str, clause: str) -> list[int]:
    return [match.start() for match in re.finditer(pattern, clause, re.IGNORECASE) if match[0]]


def _denied(clause: str, at: int) -> bool:
    """Whether a denial stands in the four words, or four Han characters, before."""
    before = " ".join(clause[:at].split()[-_NEAR_WORDS:])
    return bool(_DENIAL.search(before)) or bool(re.search("[不没无]", clause[max(0, at - 4) : at]))
