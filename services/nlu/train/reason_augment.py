"""New training sentences: other words for the same reason, and contexts that take it back.

Sentences that differ in little but their label teach what the label depends on (Kaushik et al.,
2020); the patterns alone would teach the patterns.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

from services.nlu.train.examples import Example, Span
from services.nlu.train.reason_patterns import PRESENT, QUALITY, REASON_TAGS, VALUE, WORD_OF_MOUTH

SUBSTITUTED, UNDONE, TURNED = 500, 220, 120
"""Sentences of each tag made in each way."""

_CLAUSE_ENDS = "，,。！!？?；;、～~ "

_ANY = (
    "原先指望{0}，拿到以后心凉了半截。",
    "介绍里写着{0}，实物完全两码事。",
    "我可不认为{0}。",
    "想问一下是不是{0}？",
    "要能{0}该多好。",
    "隔壁店才叫{0}，这家不行。",
    "从前的确{0}，如今越做越差了。",
    "客服一口咬定{0}，结果呢。",
)
_OF_GOODS = (
    *_ANY,
    "要说{0}，我头一个不答应。",
    "{0}？别逗了。",
    "看不出{0}在什么地方。",
    "等{0}的那天我再来买。",
    "不敢说{0}，先用一阵子看看。",
    "是不是{0}，各人有各人的看法吧。",
)
UNDOING: Final[Mapping[str, Sequence[str]]] = {
    VALUE: _OF_GOODS,
    QUALITY: _OF_GOODS,
    WORD_OF_MOUTH: (
        *_ANY,
        "{0}，我用完只想骂人。",
        "{0}，偏偏到我这儿就是个次品。",
        "信了{0}，上当了。",
        "{0}又怎样，不适合我的就是不适合。",
        "说什么{0}，全是水军。",
    ),
    PRESENT: (
        "买的时候想着{0}，可这包装实在没法见人。",
        "{0}，对方脸色当场就变了。",
        "{0}以后才发现是坏的，尴尬得要命。",
        "谁要是{0}谁就等着被笑话。",
        "想着{0}来着，打开一股怪味，只能退货。",
        "还{0}呢，自己用都嫌弃。",
        "不知道能不能{0}。",
        "要是包装好一点倒可以{0}。",
    ),
}
"""Tag -> sentences that take a reason back."""
TURNING: Final = (
    "起初心里没底，结果{0}。",
    "除了颜色稍深，{0}。",
    "发货慢是慢，{0}。",
    "包装虽然压扁了，{0}，不影响心情。",
    "不吹不黑，{0}。",
    "之前买过别家的不行，这家{0}。",
    "我不轻易夸东西，可这个{0}。",
    "担心的问题一个没有，{0}！",
    "说句公道话，{0}，五星。",
    "有人说不好，我倒觉得{0}。",
)


class Augmenter:
    """Makes sentences from labelled ones.

    Args:
        phrases: Tag -> ways to say it.
        random: Source of chance.
    """

    def __init__(self, phrases: Mapping[str, Sequence[str]], random: Random) -> None:
        self._phrases = phrases
        self._random = random

    def substituted(self, examples: Sequence[Example]) -> list[Example]:
        """Returns sentences with one reason said in other words."""
        made: list[Example] = []
        for tag in REASON_TAGS:
            fitting = [
                (example, span)
                for example in examples
                for span in example.spans
                if span.label == tag and _is_clause(example.text, span)
            ]
            # Rare tags come again, in other words.
            for example, span in self._random.choices(fitting, k=SUBSTITUTED if fitting else 0):
                made.append(_replaced(example, span, self._random.choice(self._phrases[tag])))
        return made

    def undone(self, examples: Sequence[Example]) -> list[Example]:
        """Returns sentences in which a reason is named and not given."""
        return [
            Example(self._random.choice(UNDOING[tag]).format(words))
            for tag, words in self._said(examples, UNDONE)
        ]

    def turned(self, examples: Sequence[Example]) -> list[Example]:
        """Returns sentences that begin with a complaint or a doubt and give a reason after all."""
        made: list[Example] = []
        for tag, words in self._said(examples, TURNED):
            frame = self._random.choice(TURNING)
            start = frame.index("{0}")
            made.append(Example(frame.format(words), spans=(Span(start, start + len(words), tag),)))
        return made

    def _said(self, examples: Sequence[Example], count: int) -> list[tuple[str, str]]:
        """Tags with words for them, `count` of each: from the reviews and from the phrases."""
        said: list[tuple[str, str]] = []
        for tag in REASON_TAGS:
            words = [
                example.text[span.start : span.end]
                for example in examples
                for span in example.spans
                if span.label == tag
            ]
            for _ in range(count):
                source = self._random.choice((words or self._phrases[tag], self._phrases[tag]))
                said.append((tag, self._random.choice(source)))
        return said


def read_phrases(path: Path) -> dict[str, list[str]]:
    """Reads phrases, a tab, and their tag.

    Raises:
        ValueError: A line has no tab or an unknown tag.
        FileNotFoundError: No such file.
    """
    phrases: dict[str, list[str]] = {tag: [] for tag in REASON_TAGS}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("# "):
            continue
        words, _, tag = line.partition("\t")
        if tag not in phrases:
            raise ValueError(f"{path.name}:{number}: unknown reason {tag!r}")
        phrases[tag].append(words)
    return phrases


def _is_clause(text: str, span: Span) -> bool:
    """Whether a span fills its clause but for particles, so that other words for it fit as well."""
    before, after = text[: span.start], text[span.end :].lstrip("的了哦啊呢呀")
    return (not before or before[-1] in _CLAUSE_ENDS) and (not after or after[0] in _CLAUSE_ENDS)


def _replaced(example: Example, span: Span, words: str) -> Example:
    text = example.text[: span.start] + words + example.text[span.end :]
    grown = len(words) - (span.end - span.start)
    spans = [
        Span(
            other.start + grown * (other.start > span.start),
            other.end + grown * (other.start >= span.start),
            other.label,
        )
        for other in example.spans
    ]
    return Example(text, spans=tuple(spans))
