"""Intent: what the user wants to do, by rules whose evidence is weighed and normalised.

The transparent first version, and the fallback of a learnt one: each reading collects evidence, and
the shares of the evidence are the confidences.
"""

import re
from collections.abc import Sequence
from typing import Final

from services.nlu.domain import Entity, EntityType, Intent, IntentType
from services.nlu.support import support_label

_COMPARISON = re.compile(
    r"(?<![a-z])(?:vs\.?(?![0-9])|versus|compar(?:e|ed|ison)|difference between|differences?"
    r"|which (?:one )?is (?:better|best)|better than)(?![a-z])"
    r"|对比|哪个好|哪个更|哪款更|有什么区别|有啥区别|的区别|相比|(?<![a-z0-9])pk(?![a-z0-9-])|和.{1,20}(?:比较|哪个)|还是.{1,20}(?:好|\?|？)$"
)
_QUESTION = re.compile(
    r"^\s*(?:how (?:long|many|much|big|heavy|large|fast|loud|thick|tall|wide|deep|far|hot)|does|do"
    r"|is|are|can|will|has|what(?:'s| is| are)|which|why|when)(?![a-z0-9])"
    r"|多大|多重|多长|多高|多宽|多厚|多久|几(?:个|小时|寸|年|岁|升|瓦|核)|是不是|是否|能不能|可不可以|支不支持|支持.{0,12}吗"
    r"|怎么用|怎么样|如何使用|吗\s*[?？]?$|什么材质|什么颜色"
)
_SELF_TALK = re.compile(
    r"^\s*(?:do you (?:have|sell)|(?:is|are) there (?:an?|any)"
    r"|can you (?:show|find|recommend|suggest)|can i (?:buy|get)"
    r"|(?:what|which)(?:'s| is| are)? (?:the )?(?:best|good)|有没有)"
)
_ADVICE = re.compile(
    r"(?<![a-z])(?:recommend\w*|suggest\w*|advice|advise|ideas?|what should i|which should i"
    r"|help me (?:choose|pick|decide)|something (?:for|to)|good for"
    r"|(?:best|top|nice|great|good).{1,30} for)"
    r"(?![a-z])"
    r"|推荐|建议|送.{0,12}什么|什么.{0,8}好|有什么好|怎么选|如何选|哪些.{0,8}值得|哪款好|哪种好"
)
_GIFT = re.compile(
    r"(?<![a-z])(?:gifts?|presents?)(?![a-z])|礼物|送礼|礼品"
    r"|送(?:给)?(?:男|女|妈|爸|老|朋|长|孩|同)"
)

# Evidence for plain product search, against which everything else is weighed.
_SEARCH_PRIOR: Final = 1.0
# What every other reading keeps without evidence: nothing is impossible.
_OTHERS: Final = 0.03
_STRONG, _FAIR, _SLIGHT = 4.0, 2.0, 0.5
_MAX_NAVIGATION_REST = 1


def read_intent(
    text: str, entities: Sequence[Entity], rest: Sequence[str]
) -> tuple[Intent, tuple[Intent, ...]]:
    """Reads the intent of a query.

    Args:
        text: Folded query.
        entities: What it names.
        rest: Words that no entity covers, without stop words.

    Returns:
        The best reading and the others, best first. All confidences sum to 1.
    """
    if not rest and not entities:
        return _nothing_said()
    label, support = support_label(text)
    kinds = {entity.type for entity in entities}
    evidence = dict.fromkeys(IntentType, _OTHERS)
    evidence[IntentType.UNSPECIFIED] = 0.0
    evidence[IntentType.PRODUCT_SEARCH] = _SEARCH_PRIOR
    if label:
        # A kind of product beside the keywords makes it less of a request: "invoice printer".
        weight = _SLIGHT if EntityType.PRODUCT_TYPE in kinds else 1.0
        evidence[IntentType.SUPPORT] += _STRONG * 2 * support * weight
    if _COMPARISON.search(text):
        evidence[IntentType.COMPARISON] += _STRONG
    asks = bool(_QUESTION.search(text)) and not _SELF_TALK.match(text)
    if asks:
        about = bool(kinds & {EntityType.PRODUCT_TYPE, EntityType.MODEL, EntityType.BRAND})
        evidence[IntentType.ATTRIBUTE_QUESTION] += _STRONG if about else _FAIR
    if _ADVICE.search(text):
        evidence[IntentType.RECOMMENDATION] += _STRONG
    if _GIFT.search(text) and EntityType.PRODUCT_TYPE not in kinds:
        evidence[IntentType.RECOMMENDATION] += _FAIR
    evidence[IntentType.NAVIGATIONAL] += _navigation(kinds, rest)
    return _shares(evidence, label)


def _navigation(kinds: set[EntityType], rest: Sequence[str]) -> float:
    """Evidence that one known thing is meant: a model, or a brand and nothing else."""
    if EntityType.MODEL in kinds and len(rest) <= _MAX_NAVIGATION_REST:
        return _FAIR if EntityType.BRAND in kinds else _FAIR * 0.75
    if kinds == {EntityType.BRAND} and not rest:
        return _FAIR
    return 0.0


def _shares(evidence: dict[IntentType, float], label: str) -> tuple[Intent, tuple[Intent, ...]]:
    present = {kind: weight for kind, weight in evidence.items() if weight > 0.0}
    total = sum(present.values())
    ranked = sorted(present, key=lambda kind: present[kind], reverse=True)
    intents = [
        Intent(kind, present[kind] / total, label if kind is IntentType.SUPPORT else "")
        for kind in ranked
    ]
    return intents[0], tuple(intents[1:])


def _nothing_said() -> tuple[Intent, tuple[Intent, ...]]:
    """Signs only, or stop words only: nothing tells what is wanted."""
    return Intent(IntentType.UNSPECIFIED, 0.6), (Intent(IntentType.PRODUCT_SEARCH, 0.4),)
