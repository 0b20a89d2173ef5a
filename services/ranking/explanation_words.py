"""Words of explanations: what features belong together, and how shoppers would say it."""

from dataclasses import dataclass
from typing import Final, Literal

from services.ranking.explain import label_of
from shared.text.language import primary_language

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Group:
    """Features that say one thing to a shopper."""

    key: str
    labels: dict[Language, str]
    """What it says where the group lifts a score against the other candidates."""
    lowered: dict[Language, str]
    """And where it lowers it."""
    features: tuple[str, ...]

    def label(self, contribution: float, language: Language) -> str:
        """Returns the words for a group that added so much."""
        return (self.lowered if contribution < 0.0 else self.labels)[language]


GROUPS: Final = (
    Group(
        "searches",
        {"en": "found high by all searches together", "zh": "各路检索综合靠前"},
        {"en": "found lower by all searches together", "zh": "各路检索综合靠后"},
        ("fused_score",),
    ),
    Group(
        "words",
        {"en": "has the words of the query", "zh": "含有查询中的词"},
        {"en": "has fewer words of the query", "zh": "查询中的词较少"},
        ("sparse_score", "sparse_rank", "title_coverage", "title_phrase", "title_focus"),
    ),
    Group(
        "meaning",
        {"en": "close to the query in meaning", "zh": "与查询意思相近"},
        {"en": "further from the query in meaning", "zh": "与查询意思较远"},
        ("dense_similarity", "dense_cosine", "dense_rank", "cross_score"),
    ),
    Group(
        "pictures",
        {"en": "its pictures come close to what is sought in them", "zh": "图片与所找的相近"},
        {"en": "its pictures are further from what is sought", "zh": "图片与所找的较远"},
        ("picture_cosine",),
    ),
    Group(
        "kind",
        {"en": "is the kind of thing asked for", "zh": "正是要找的品类"},
        {"en": "is not quite the kind of thing asked for", "zh": "不完全是要找的品类"},
        ("title_head", "type_modifier", "accessory_mention", "type_match"),
    ),
    Group(
        "attributes",
        {
            "en": "has the brand, model and attributes asked for",
            "zh": "品牌、型号和属性符合",
        },
        {"en": "lacks the brand, model or attributes asked for", "zh": "品牌、型号或属性不符"},
        ("brand_match", "model_match", "entity_agreement"),
    ),
    Group(
        "wishes",
        {"en": "fits the price and the wishes", "zh": "符合价格和要求"},
        {"en": "fits the price or the wishes less", "zh": "较不符合价格或要求"},
        ("price_fit", "soft_match", "unwanted"),
    ),
    Group(
        "rating",
        {"en": "is rated well", "zh": "评分好"},
        {"en": "is rated lower than others", "zh": "评分较低"},
        ("rating",),
    ),
    Group(
        "popularity",
        {"en": "is popular", "zh": "受欢迎"},
        {"en": "is less popular", "zh": "不太热门"},
        ("popularity", "popular_rank"),
    ),
    Group(
        "stock",
        {"en": "is in stock", "zh": "有现货"},
        {"en": "is not in stock", "zh": "没有现货"},
        ("stock",),
    ),
    Group(
        "freshness",
        {"en": "is new", "zh": "上新"},
        {"en": "is less new", "zh": "较旧"},
        ("freshness",),
    ),
    Group(
        "taste",
        {"en": "fits the user's taste", "zh": "符合用户喜好"},
        {"en": "fits the user's taste less", "zh": "不太符合用户喜好"},
        (
            "brand_affinity",
            "category_affinity",
            "price_affinity",
            "similar_cosine",
            "user_recency",
        ),
    ),
    Group(
        "bought",
        {"en": "was not bought of late", "zh": "最近没有买过"},
        {"en": "was bought of late", "zh": "最近已买过"},
        ("already_bought",),
    ),
    Group(
        "reason",
        {"en": "has more to be said for it", "zh": "推荐理由更充分"},
        {"en": "has less to be said for it", "zh": "推荐理由较少"},
        ("best_reason",),
    ),
)
"""Every feature of a group is named in it once; what no group names is in OTHER."""

_OTHER_WORDS: Final[dict[Language, str]] = {"en": "other features", "zh": "其他因素"}
OTHER: Final = Group("other", _OTHER_WORDS, _OTHER_WORDS, ())
_BY_FEATURE: Final = {feature: group for group in GROUPS for feature in group.features}

_CHINESE: Final = {
    "fused_score": "各路检索综合靠前",
    "dense_similarity": "语义相似度高",
    "dense_cosine": "比其他商品更接近查询的意思",
    "dense_rank": "语义检索靠前",
    "similar_cosine": "与感兴趣的商品相似",
    "popular_rank": "热门榜靠前",
    "sparse_score": "含有查询中的少见词",
    "sparse_rank": "文字检索靠前",
    "cross_score": "与查询一起读，能回答查询",
    "picture_cosine": "图片比其他商品更接近所找的",
    "type_modifier": "就是所找的品类，不只是其附属品",
    "title_coverage": "标题含有查询词",
    "title_phrase": "标题逐字含有查询",
    "title_head": "正是查询所指的东西",
    "title_focus": "标题少有其他内容",
    "accessory_mention": "标题的查询词不在“适用”之类的词之后",
    "type_match": "品类相符",
    "brand_match": "品牌相符",
    "model_match": "型号相符",
    "entity_agreement": "属性相符",
    "price_fit": "价格符合",
    "soft_match": "符合要求",
    "unwanted": "没有不想要的特点",
    "rating": "评分好",
    "popularity": "浏览和购买多",
    "stock": "有现货",
    "freshness": "上新",
    "brand_affinity": "用户喜欢的品牌",
    "category_affinity": "用户喜欢的品类",
    "price_affinity": "用户常买的价位",
    "user_recency": "用户最近看过",
    "already_bought": "用户最近没有买过",
    "best_reason": "推荐理由更充分",
}
_CHINESE_LOWERED: Final = {
    "fused_score": "各路检索综合靠后",
    "dense_similarity": "语义相似度较低",
    "dense_cosine": "比其他商品离查询的意思更远",
    "dense_rank": "语义检索靠后",
    "similar_cosine": "与感兴趣的商品不太相似",
    "popular_rank": "热门榜靠后",
    "sparse_score": "查询中的少见词较少",
    "sparse_rank": "文字检索靠后",
    "cross_score": "与查询一起读，不太能回答查询",
    "picture_cosine": "图片比其他商品离所找的更远",
    "type_modifier": "只是所找品类的附属品",
    "title_coverage": "标题缺少查询词",
    "title_phrase": "标题没有逐字含有查询",
    "title_head": "不完全是查询所指的东西",
    "title_focus": "标题另有许多内容",
    "accessory_mention": "有查询词只出现在“适用”之类的词之后",
    "type_match": "品类较不相符",
    "brand_match": "品牌不符",
    "model_match": "型号不符",
    "entity_agreement": "缺少要求的属性",
    "price_fit": "价格较不符合",
    "soft_match": "较不符合要求",
    "unwanted": "有不想要的特点",
    "rating": "评分较低",
    "popularity": "浏览和购买较少",
    "stock": "没有现货",
    "freshness": "较旧",
    "brand_affinity": "用户不太喜欢的品牌",
    "category_affinity": "用户不太喜欢的品类",
    "price_affinity": "偏离用户常买的价位",
    "user_recency": "用户最近没有看过",
    "already_bought": "用户最近买过",
    "best_reason": "推荐理由较少",
}

_CHANGEABLE: Final[dict[str, dict[Language, str]]] = {
    "price_fit": {"en": "fit to the price asked for", "zh": "价格符合度"},
    "soft_match": {"en": "fit to the wishes", "zh": "要求符合度"},
    "unwanted": {"en": "share of unwanted properties", "zh": "不想要的特点的比例"},
    "rating": {"en": "rating", "zh": "评分"},
    "popularity": {"en": "popularity", "zh": "热度"},
    "stock": {"en": "availability", "zh": "现货程度"},
    "freshness": {"en": "newness", "zh": "新品程度"},
}
"""Features that can change while all others stay as they are: a counter-factual of another, such
as a word of the title, would move several at once."""
CHANGEABLE: Final = tuple(_CHANGEABLE)


STOCK_LATER: Final = 0.5
"""Value of `stock` for what comes later: it takes no other between 0 and 1."""
_IN_STOCK: Final[dict[Language, str]] = {
    "en": "would have the highest score if it were in stock",
    "zh": "若有现货，得分就会是最高的",
}
_FOR_LATER: Final[dict[Language, str]] = {
    "en": "would have the highest score if it could be ordered for later",
    "zh": "若可预订，得分就会是最高的",
}


def language_of(code: str) -> Language:
    """Returns the language of the words for a BCP-47 tag: English for all but Chinese."""
    return "zh" if primary_language(code) == "zh" else "en"


def group_of(feature: str) -> Group:
    """Returns the group of a feature."""
    return _BY_FEATURE.get(feature, OTHER)


def feature_label(feature: str, contribution: float, language: Language) -> str:
    """Returns what a feature says that added so much; its name where no words are known."""
    english = label_of(feature, contribution)
    if language == "en":
        return english
    return (_CHINESE_LOWERED if contribution < 0.0 else _CHINESE).get(feature, english)


def first_if(feature: str, value: float, needed: float, language: Language) -> str:
    """Says by which change of a feature of CHANGEABLE a product would be first.

    Args:
        feature: The feature.
        value: Its value, 0 to 1.
        needed: The value needed, 0 to 1.
        language: Of the sentence.
    """
    if feature == "stock":
        return _IN_STOCK[language] if needed > STOCK_LATER else _FOR_LATER[language]
    name = _CHANGEABLE[feature][language]
    if language == "zh":
        return f"若{name}为 {needed:.3f}（现为 {value:.3f}，范围 0 至 1），得分就会是最高的"
    return (
        f"would have the highest score with {name} {needed:.3f} instead of {value:.3f} (of 0 to 1)"
    )
