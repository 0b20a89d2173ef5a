"""Reasons to buy in Chinese reviews by patterns: the baseline, and the source of weak labels.

A pattern finds praise, and the clause around it decides whether its writer means it: negation,
doubt, wishes and hearsay undo it.
"""

import re
from dataclasses import dataclass
from typing import Final

from services.nlu.train.examples import Span

VALUE, QUALITY, WORD_OF_MOUTH, PRESENT = REASON_TAGS = ("性价比高", "质量好", "口碑好", "适合送礼")
"""The reasons, in the order in which a model's head names them."""

_ADVERB = (
    "(?:真的|真心|正|真是|真|确实|的确|实在|绝对|非常之?|特别地?|相当地?|十分|挺|很|超级|超|蛮|老|太|好|"
    "比较|更|最|还是|还|也|都|又|一直|一向|依然|一如既往[的地]?|算|是|感觉|觉得|各方面)"
)
_GOOD = (
    "(?:不错|很?好|棒棒哒|棒|赞|佳|高|没的说|没得说|没话说|杠杠[的滴]?|一流|上乘|过硬|可靠|靠谱|过关|"
    "有保证|有保障|令人满意|满意|给力|优秀|优良|到位|可以信赖|放心|完美|无可挑剔|没问题)"
)
_OF_GOODS = (
    "(?:质量|品质|质地|做工|材质|面料|布料|用料|料子|质感|手工|工艺|印刷|纸张|纸质|车工|走线)"
)
_WELL_MADE = (
    "(?:精细|精良|精致|精美|细致|细腻|考究|讲究|扎实|结实|厚实|牢固|实在|"
    "足|柔软|舒服|舒适|清晰|清楚)"
)
_PEOPLE = (
    "(?:老?爸爸?|老?妈妈?|爸妈|父母|父亲|母亲|老人家?|长辈|女朋友|女友|男朋友|男友|朋友|老婆|老公|媳妇|"
    "爱人|同事|同学|领导|客户|亲戚|亲友|婆婆|公公|岳父|岳母|丈母娘|老丈人|奶奶|爷爷|姥姥|姥爷|外婆|外公|"
    "闺蜜|老师|孩子|小孩|小朋友|宝宝|儿子|女儿|侄子|侄女|外甥女?|姐姐?|妹妹?|弟弟?|哥哥?|家人|人家|别人)"
)
_OTHERS = (
    "(?:大家|朋友们?|同事们?|同学们?|家人|家里人|全家人?|一家人|周围的人|身边的人|身边的?朋友|邻居|亲戚|"
    "网友|老公|老婆|姐妹们?|闺蜜|老师|医生|室友|舍友|别人|人人)"
)
_FITS = (
    "(?:合适|适合|不错|很好|体面|有面子|大气|上档次|有档次|拿得出手|佳品|首选|"
    "两相宜|两宜|皆宜|都可以|都行|都好)"
)

PRAISES: Final = {
    VALUE: (
        rf"性价比{_ADVERB}{{0,3}}(?:{_GOOD}|之王|无敌|爆表|超群|可以)",
        rf"(?:价格|价钱|价位|价){_ADVERB}{{0,3}}(?:实惠|公道|合理|划算|给力|美丽|合适|亲民|厚道)",
        "物美价廉|价廉物美|物超所值|物有所值|经济实惠|经济划算|物廉价美|实惠|划算|划得来|合算|超值",
        "又?便宜又(?:好[用看吃喝]?|实用|耐用|舒服|干净)|便宜好用|便宜实用|值这个价|对得起这个?价[格钱]?|良心价",
    ),
    QUALITY: (
        rf"{_OF_GOODS}(?:和{_OF_GOODS})?(?:方面)?{_ADVERB}{{0,3}}(?:{_GOOD}|{_WELL_MADE}{{1,2}})",
        "结实耐用|经久耐用|结实|耐用|真材实料|做工精[细良致美]",
    ),
    WORD_OF_MOUTH: (
        rf"口碑{_ADVERB}{{0,3}}{_GOOD}",
        rf"{_OTHERS}(?:强烈|极力|大力|一致|都|也)?(?:推荐|介绍|安利)",
        rf"{_OTHERS}{{1,2}}{_ADVERB}{{0,2}}(?:(?:说|夸|反映|反应){_ADVERB}{{0,2}}(?:好[看用吃喝闻]?|不错|漂亮|值)|称赞|夸)",
        rf"(?:评价|评论|评分|好评){_ADVERB}{{1,2}}(?:好|高|不错|多)",
        "好评如潮|有口皆碑|交口称赞|信得过|值得信赖",
    ),
    PRESENT: (
        rf"适合(?:送(?:给)?(?:人|礼|{_PEOPLE})|(?:当|做|作为)(?:生日|新年|节日)?礼[物品])",
        rf"送(?:人|礼|给?{_PEOPLE}){_ADVERB}{{0,3}}{_FITS}",
        rf"送给?{_PEOPLE}(?:的?(?:生日|新年|圣诞|情人节|母亲节|父亲节|教师节|结婚)?礼物)?",
        rf"(?:当|做|作为)(?:生日|新年|圣诞|情人节|母亲节|父亲节|节日|结婚)?礼[物品](?:送人|送给?{_PEOPLE})?(?:{_ADVERB}{{0,2}}{_FITS})?",
        "(?<=过年|过节|中秋|春节|拿来|用来|买来)送[人礼]|送礼佳品",
    ),
}
"""Reason -> patterns of praise for it."""

_CLAUSE_END = re.compile(r"[，,。！!？?；;~～…\n]+|\s{2,}")
_NOT_BEFORE = re.compile(
    r"(?:(?<!了)不(?![仅光但错贵愧止得论管只])|没有?(?!想到|话说|的说|得说|问题)|(?<![特差区])别(?!的)|谈不上|算不上|"
    r"称不上|缺乏|低于|怀疑|未必)[^，。]{0,5}$"
)
_DELIVERY_BEFORE = re.compile("[派配赠发附运]$")
# A lone ASCII question mark is often what is left of an emoji.
_QUESTION = re.compile(r"？|[吗么哪怎难谁].*\?")
_NOT_AFTER = re.compile(
    r"^(?:一?点|一?些|不好|不高|与否|坏|问题|[^，。！]{0,4}(?:吗|么[？?])|了?个[屁鬼]|的?话|才怪|"
    r"[^，。]{0,6}(?:就好|更好|就完美|丢人|寒[酸碜]|没面子|还是算了|拿不出手))"
)
_NOT_MEANT = re.compile(
    "希望|如果|要是|假如|万一|但愿|不知|是否|能否|能不能|会不会|请问|难道|哪里|哪儿|怎么会|凭什么|所谓|号称|"
    "据说|听说|传说|说好的|说什么|以为|本想|本来想|原想|打算|这也叫|就这|别家|人家家|那家|上一家|其他家|专柜的|"
    "以前的|之前的|不敢|智商税|(?<!没)(?<!没有)(?<!不会)失望|后悔|被坑|呵呵|骗"
)


@dataclass(frozen=True, slots=True)
class Praise:
    """Praise that a pattern found.

    Attributes:
        span: Where, and for which reason.
        meant: Whether nothing in the clauses around it undoes it.
    """

    span: Span
    meant: bool


_PATTERNS = [(tag, re.compile("|".join(patterns))) for tag, patterns in PRAISES.items()]


def find_reasons(text: str) -> tuple[Span, ...]:
    """Returns the reasons that a review gives, by the patterns alone.

    Args:
        text: A sentence or a whole review.

    Returns:
        Spans labelled by REASON_TAGS, in order, none overlapping another.
    """
    return tuple(praise.span for praise in find_praises(text) if praise.meant)


def find_praises(text: str) -> list[Praise]:
    """Returns all praise that the patterns find, also what is not meant, in order."""
    found = [
        Span(match.start(), match.end(), tag)
        for tag, pattern in _PATTERNS
        for match in pattern.finditer(text)
    ]
    # The longest reading of a place holds.
    found.sort(key=lambda span: (span.start - span.end, span.start))
    kept: list[Span] = []
    for span in found:
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    kept.sort(key=lambda span: span.start)
    return [Praise(span, is_meant(text, span)) for span in kept]


def is_meant(text: str, span: Span) -> bool:
    """Returns whether the clauses around a praise leave it standing."""
    start = max((end.end() for end in _CLAUSE_END.finditer(text, 0, span.start)), default=0)
    stop = _CLAUSE_END.search(text, span.end)
    clause_end = stop.start() if stop else len(text)
    # What follows one comma still belongs to the thought: 号称结实，一摔就碎.
    after = _CLAUSE_END.search(text, stop.end()) if stop else None
    thought = text[start : after.start() if after else len(text)]
    if stop and _QUESTION.search(text[start : stop.end()]):
        return False
    if span.label == PRESENT and _DELIVERY_BEFORE.search(text[start : span.start]):
        return False
    if _NOT_BEFORE.search(text[start : span.start]) or _NOT_MEANT.search(thought):
        return False
    return not _NOT_AFTER.match(text[span.end : clause_end])
