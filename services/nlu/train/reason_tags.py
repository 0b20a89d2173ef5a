"""Reasons to buy in Chinese reviews as token classification: weak labels, and a set marked by hand.

Patterns label the training sentences, as labelling functions do (Ratner et al., 2017), helped by
what the model never sees: whether the whole review was a good or a bad one. Praise in a bad review
is dropped, and the looser patterns hold in good reviews alone.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from services.nlu.train.chinese import SENTIMENTS, sentiment_zh
from services.nlu.train.examples import Example, Span, TaskData, TaskKind
from services.nlu.train.reason_augment import Augmenter, read_phrases
from services.nlu.train.reason_patterns import (
    PRESENT,
    QUALITY,
    REASON_TAGS,
    VALUE,
    WORD_OF_MOUTH,
    find_praises,
    is_meant,
)
from shared.evaluation.marked_text import MarkError, is_comment, parse_marked

DATA: Final = Path(__file__).parent / "data"
DEV: Final = DATA / "reason_tags_zh_dev.txt"
"""For choosing among models; never trained on."""

A_TAG: Final = 1_000
"""Sentences with a tag, at most, before augmentation."""
HARD: Final = 1_800
"""Sentences whose praise is not meant, or that speak of price, quality or presents without any."""
PLAIN: Final = 1_200
"""Sentences that have nothing to do with the reasons."""
SAME_WORDS: Final = 30
"""Spans of the same words, at most: half of all praise is 质量很好."""

_ADVERBS = "(?:真的?|很|挺|非常|特别|十分|相当|超级?|太|都|也|还|蛮|比较|确实|的确){0,3}"
_MANY = (
    "(?:大家|同事们?|朋友们?|同学们?|一家人|全家人?|家里人|亲戚|邻居们?|姐妹们?|周围的人|身边的人)"
)
_GOODS = (
    "(?:机身|外壳|箱子|裤子|衣服|鞋子?|键盘|屏幕|针脚|缝线|拉链|五金|里料|内衬|装订|纸|包装盒|果子|水果|苹果|"
    "橙子|梨子?|个头|品相|卖相|成色|布|外观做工)"
)
LOOSE: Final = {
    VALUE: (
        "(?<=[太很真超挺])值(?=[了啊的！!，,。]|$)",
        "不亏|不吃亏|赚到了?|赚了|白菜价|够本|便宜大碗|质优价廉|价低质优|好[吃用看喝]不贵|又便宜又[^，。！]{1,3}",
        "(?:这|那)个?价[格位钱]?(?:能|可以)(?:买到|拿到|住到|享受)[^，。！]{1,8}|[花买][得的]值",
        rf"(?:这|那)个?价[格位钱]?{_ADVERBS}(?:值|不错|可以接受|没得说|无敌)",
    ),
    QUALITY: (
        rf"{_GOODS}(?:的?做[工得的])?{_ADVERBS}(?:精致|细致|扎实|牢固|结实|精细|密实|整齐|工整|顺滑|新鲜|饱满|厚实)",
        "质量比[^，。！]{1,8}[好强]|质量对得起[^，。！]{1,6}|质量[^，。！]{0,3}不差|挑不出毛病|货真价实",
        "没有?(?:任何|一点|一个)?(?:毛病|瑕疵|坏果|坏的)|(?:不起球|不掉色|不变形|不缩水)+",
        "用了?[^，。！]{1,4}年了?[还都也][^，。！]{0,3}(?:没坏|没问题|很好用|好好的)",
    ),
    WORD_OF_MOUTH: (
        rf"{_MANY}[^，。！]{{0,2}}都{_ADVERBS}(?:喜欢|爱用|爱吃|在用|夸|认可|满意|觉得不错|觉得好|说喜欢)",
        "老(?:字号|牌子|品牌)[^，。！]{0,3}(?:信得过|值得信赖|放心|好)|大品牌[^，。！]{0,2}(?:信得过|值得信赖|放心)",
        "名不虚传|名声在外|名气很?大|久负盛名|口口相传|回头客[^，。！]{0,3}多",
        "(?:朋友|同事|老师|同学|姐姐|妹妹|邻居|亲戚|闺蜜|医生)们?[^，。！]{0,3}(?:介绍|推荐|安利|种草)",
        rf"(?:网上|豆瓣|携程|京东)?的?(?:评价|评论|评分|点评){_ADVERBS}(?:不错|高|好)(?!评)",
    ),
    PRESENT: (
        "给[^，。！不的送]{1,4}的(?:生日|新年|节日|结婚|情人节)?礼物|孝敬[^，。！不]{1,4}|走亲访友|走亲戚|伴手礼|见面礼|手信",
        "(?:看望|探望|拜访)(?:老人|长辈|病人|朋友|亲戚|父母|领导)[^，。！不]{0,4}",
        "送出去[^，。！不]{0,4}(?:有面子|体面|喜欢)|送[^，。！不货]{1,4}(?:拿得出手|有面子|体面)",
    ),
}
"""Tag -> patterns that are right in a good review and would often be wrong in any text."""

_LOOSE = [(tag, re.compile("|".join(patterns))) for tag, patterns in LOOSE.items()]
_CUE = re.compile(
    "质量|品质|做工|材质|面料|料子|结实|耐用|性价比|价格|价钱|便宜|划算|实惠|超值|值|口碑|推荐|都说|评价|好评|送|礼|给我?[爸妈老朋]"
)
_SENTENCE = re.compile(r"[^。！!？?\n]+[。！!？?~～]*")
_LENGTH = range(4, 91)


def reason_tags_zh(data: Path) -> TaskData:
    """Returns weakly labelled sentences of `reviews_zh` to train on, and the hand-marked dev set.

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: The data set is missing.
        ValueError: A file is malformed.
    """
    return TaskData(
        head="reason_tags",
        kind=TaskKind.TOKENS,
        labels=REASON_TAGS,
        train=weak_examples(sentiment_zh(data).train, seed=17),
        dev=read_reasons(DEV),
    )


def weak_examples(reviews: Sequence[Example], *, seed: int) -> list[Example]:
    """Returns labelled sentences: of each tag, hard negatives, and plain ones; shuffled.

    Args:
        reviews: With SENTIMENTS as labels.
        seed: Of the sample and of the augmentation.
    """
    random = Random(seed)  # noqa: S311 # a sample that can be drawn again
    tagged: dict[str, list[Example]] = {tag: [] for tag in REASON_TAGS}
    hard: list[Example] = []
    plain: list[Example] = []
    seen: set[str] = set()
    words: Counter[str] = Counter()
    for review in random.sample(reviews, len(reviews)):
        for sentence in _sentences(review.text):
            if sentence in seen:
                continue
            seen.add(sentence)
            example, sure = label_sentence(sentence, good=review.label == SENTIMENTS[1])
            if not sure:
                continue
            if example.spans:
                said = [sentence[span.start : span.end] for span in example.spans]
                if all(words[word] < SAME_WORDS for word in said):
                    words.update(said)
                    rarest = min(example.spans, key=lambda span: len(tagged[span.label])).label
                    tagged[rarest].append(example)
            elif _CUE.search(sentence):
                hard.append(example)
            else:
                plain.append(example)
    drawn = [example for tag in REASON_TAGS for example in tagged[tag][:A_TAG]]
    augmenter = Augmenter(read_phrases(DATA / "reason_tags_zh_phrases.txt"), random)
    made = augmenter.substituted(drawn) + augmenter.undone(drawn) + augmenter.turned(drawn)
    examples = [*drawn, *made, *hard[:HARD], *plain[:PLAIN]]
    random.shuffle(examples)
    return examples


def label_sentence(sentence: str, *, good: bool) -> tuple[Example, bool]:
    """Labels one sentence by all patterns.

    Args:
        sentence: Of a review.
        good: Whether the review as a whole was a good one.

    Returns:
        The sentence with its spans, and whether the labels are sure enough to learn from. Unsure
        are praise in a bad review, and a good review that speaks of a reason in words no pattern
        knows: it must not be learnt as none.
    """
    praises = find_praises(sentence)
    spans = [praise.span for praise in praises if praise.meant]
    if not good:
        return Example(sentence), not spans
    for tag, pattern in _LOOSE:
        for match in pattern.finditer(sentence):
            span = Span(match.start(), match.end(), tag)
            free = all(span.end <= p.span.start or p.span.end <= span.start for p in praises)
            taken = any(span.start < other.end and other.start < span.end for other in spans)
            if free and not taken and is_meant(sentence, span):
                spans.append(span)
    spans.sort(key=lambda span: span.start)
    undone = any(not praise.meant for praise in praises)
    sure = bool(spans) or undone or not _CUE.search(sentence)
    return Example(sentence, spans=tuple(spans)), sure


def read_reasons(path: Path) -> list[Example]:
    """Reads sentences with marked reasons, such as `[做工扎实](质量好)，就是慢了点`.

    Blank lines and lines that begin with "# " are for the reader of the file.

    Raises:
        ValueError: A mark is not closed, its reason is unknown, or a sentence stands there twice.
        FileNotFoundError: No such file.
    """
    examples: dict[str, Example] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if is_comment(line):
            continue
        example = _read_line(line, f"{path.name}:{number}")
        if example.text in examples:
            raise ValueError(f"{path.name}:{number}: {example.text!r} stands there twice")
        examples[example.text] = example
    return list(examples.values())


def _read_line(line: str, place: str) -> Example:
    try:
        text, found, rest = parse_marked(line)
    except MarkError as error:
        raise ValueError(f"{place}: a mark is not closed") from error
    if rest:
        raise ValueError(f"{place}: a sentence has no label of its own, as {rest!r}")
    spans = tuple(Span(*each) for each in found)
    for span in spans:
        if span.label not in REASON_TAGS:
            raise ValueError(f"{place}: unknown reason {span.label!r}")
    return Example(text, spans=spans)


def _sentences(review: str) -> Iterable[str]:
    for match in _SENTENCE.finditer(review):
        sentence = " ".join(match.group().split())
        if len(sentence) in _LENGTH:
            yield sentence
