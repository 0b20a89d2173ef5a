"""Templates: the wordings of each code in each language.

Placeholders are filled from one fact by `clauses.slots`; nothing else may enter a clause. A
template is a clause of a sentence, so it starts in lower case and has no full stop.
"""

from typing import Final

from services.reason.facts import Fact

TEMPLATES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "en": {
        "attribute_match": ("{shown}, as you asked", "{shown}, as in your search"),
        "brand_match": ("made by {shown}", "from {shown}, the brand you named"),
        "product_type_match": (
            "{shown}, the kind you searched for",
            "{shown}, as you searched for",
        ),
        "title_match": ("has {shown} in its title", "its title names {shown}"),
        "price_fit": ("at {price}, within your {limit}", "{price}, within your limit of {limit}"),
        "exclusion_met": ("{shown}, not {meets}", "comes in {shown}, not {meets}"),
        "lowest_price_on_page": ("the lowest price of {count} here at {price}",),
        "below_median_price": ("at {price}, {percent} below the middle price of {count} here",),
        "price_in_category": (
            "cheaper than {count} of the {total} others in {shown}",
            "cheaper than {count} of {total} others in {shown} here",
        ),
        "discount": ("{percent} off its list price", "now {percent} below its list price"),
        "well_reviewed": ("rated {stars} from {count} reviews", "{stars} stars in {count} reviews"),
        "praised_value_for_money": (
            "{praise} of the {total} reviews that mention value for money praise it",
        ),
        "praised_quality": ("{praise} of the {total} reviews that mention quality praise it",),
        "praised_reputation": (
            "{praise} of the {total} reviews that mention its reputation praise it",
        ),
        "praised_gift": ("{praise} of the {total} reviews that mention gifts call it a good one",),
        "popular": ("bought {count} times in 30 days", "{count} sold in the last 30 days"),
        "in_stock": ("in stock now", "in stock"),
        "new_arrival": ("released {count} days ago",),
        "because_you_viewed": ('recommended because you looked at "{shown}"',),
        "because_you_bought": ('recommended because you bought "{shown}"',),
        "bought_together": (
            'bought together with "{shown}" by {count} customers',
            '{count} customers bought it together with "{shown}"',
        ),
        "viewed_together": ('{count} customers who looked at "{shown}" looked at it too',),
        "fits": ('fits "{shown}"', 'made to fit "{shown}"'),
        "fits_yours": ('fits your "{shown}"',),
        "fitted_by": ('"{shown}" fits it',),
        "goes_with": ('goes with "{shown}"',),
        "similar_to": ('similar to "{shown}"', 'an alternative to "{shown}"'),
        "same_brand": (
            'similar to "{shown}", also from {meets}',
            'from {meets}, like the similar "{shown}"',
        ),
        "better_rated": ('rated {stars}, above the {others} of "{shown}"',),
        "compatible_with": ('listed as compatible with "{shown}"',),
        "chosen_before": ("chosen by shoppers after the same search",),
        "meaning_match": ("close in meaning to your search",),
        "picture_match": ("in place {count} by how close its pictures come to your search",),
        "stated_price": ("at {price}", "priced at {price}"),
        "stated_brand": ("by {shown}", "from {shown}"),
        "stated_attribute": ("{label}: {shown}",),
        "bought_before": ("you bought it {age}",),
        "bought_often": ("you bought it {times} times, the last time {age}",),
        "due_for_reorder": (
            "due for reorder, ordered {times} times at a median interval of {interval}, "
            "the last time {age}",
        ),
        "brand_affinity": ("from {shown}, a brand you have looked at",),
        "category_affinity": ("in {shown}, where you have looked before",),
        "seen_before": ("you looked at it {age}",),
        "price_like_yours": ("priced like what you bought or put in your cart",),
        "rating_counted": (
            "its rating counts in its favour here, {stars} stars from {count} reviews",
        ),
        "sales_counted": ("its sales count in its favour here, {count} sold in the last 30 days",),
        "running_low": ("running low, {count} left", "{count} left, running low"),
        "sponsored": ("sponsored",),
        "overstock": ("its ample stock counts in its favour here",),
    },
    "zh": {
        "attribute_match": ("是您要的{shown}", "{shown}，正合您的要求"),
        "brand_match": ("是您要的品牌{shown}", "品牌是{shown}"),
        "product_type_match": ("正是您要找的{shown}", "是您要找的{shown}"),
        "title_match": ("标题含{shown}", "标题中有{shown}"),
        "price_fit": ("售价{price}，在您的{limit}以内", "{price}，不超过您的{limit}"),
        "exclusion_met": ("{shown}，不是{meets}", "是{shown}，不含{meets}"),
        "lowest_price_on_page": ("售价{price}，低于本页{count}款中的其余各款",),
        "below_median_price": ("售价{price}，比本页{count}款的中位价低{percent}",),
        "price_in_category": (
            "价格低于其他{total}款{shown}中的{count}款",
            "比其他{total}款{shown}中的{count}款便宜",
        ),
        "discount": ("比原价低{percent}", "较原价优惠{percent}"),
        "well_reviewed": ("{count}条评价平均{stars}分", "评分{stars}（{count}条评价）"),
        "praised_value_for_money": ("{total}条相关评价中{praise}条称赞性价比高",),
        "praised_quality": ("{total}条相关评价中{praise}条称赞质量好",),
        "praised_reputation": ("{total}条相关评价中{praise}条称赞口碑好",),
        "praised_gift": ("{total}条相关评价中{praise}条说适合送礼",),
        "popular": ("30天内售出{count}件", "近30天卖出{count}件"),
        "in_stock": ("现货", "有现货"),
        "new_arrival": ("{count}天前上市",),
        "because_you_viewed": ("因您看过“{shown}”而推荐",),
        "because_you_bought": ("因您买过“{shown}”而推荐",),
        "bought_together": (
            "{count}位顾客把它和“{shown}”一起购买",
            "有{count}位顾客同时买了它和“{shown}”",
        ),
        "viewed_together": ("看过“{shown}”的顾客中有{count}位也看了它",),
        "fits": ("适用于“{shown}”", "与“{shown}”适配"),
        "fits_yours": ("适用于您的“{shown}”",),
        "fitted_by": ("“{shown}”适用于它",),
        "goes_with": ("可与“{shown}”搭配",),
        "similar_to": ("与“{shown}”相似", "和“{shown}”相近"),
        "same_brand": (
            "与“{shown}”相似，品牌同为{meets}",
            "和“{shown}”同属品牌{meets}，彼此相似",
        ),
        "better_rated": ("评分{stars}，高于“{shown}”的{others}",),
        "compatible_with": ("标明兼容“{shown}”",),
        "chosen_before": ("搜索过同样内容的顾客选过它",),
        "meaning_match": ("与您搜索的意思相近",),
        "picture_match": ("按图片与您所找的接近程度列第{count}位",),
        "stated_price": ("售价{price}", "价格{price}"),
        "stated_brand": ("品牌：{shown}", "品牌为{shown}"),
        "stated_attribute": ("{label}：{shown}",),
        "bought_before": ("您{age}买过它",),
        "bought_often": ("您买过{times}次，上一次在{age}",),
        "due_for_reorder": ("该补货了，订过{times}次，间隔的中位数为{interval}，上一次在{age}",),
        "brand_affinity": ("来自您看过的品牌{shown}",),
        "category_affinity": ("属于您看过的{shown}类商品",),
        "seen_before": ("您{age}看过它",),
        "price_like_yours": ("价位与您买过或加购的商品相近",),
        "rating_counted": ("评分为它的排序加分，{count}条评价平均{stars}分",),
        "sales_counted": ("销量为它的排序加分，近30天售出{count}件",),
        "running_low": ("库存不多，还剩{count}件", "还剩{count}件，库存不多"),
        "sponsored": ("广告",),
        "overstock": ("充足的库存为它的排序加分",),
    },
}


_OF_ALL: Final = {
    "en": ("cheaper than all {total} others in {shown}",),
    "zh": ("价格低于其他全部{total}款{shown}", "比其他{total}款{shown}都便宜"),
}
"""Of a price that is below every other: "12 of 12" is no way to say it."""
_OF_ATTRIBUTE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "en": {
        "audience": ("for {shown}, as you asked", "for {shown}, as in your search"),
        "material": ("made of {shown}, as you asked", "made of {shown}, as in your search"),
        "occasion": ("listed for {shown}, as you asked", "listed for {shown}, as in your search"),
        "size": ("in size {shown}, as you asked", "in size {shown}, as in your search"),
    },
    "zh": {
        "audience": ("是您要的{style}", "{style}，正合您的要求"),
        "material": ("材质是您要的{shown}", "材质为{shown}，正合您的要求"),
        "occasion": ("适用场合有{shown}，正合您的要求", "适用场合有您要的{shown}"),
        "size": ("尺寸是您要的{shown}", "尺寸为{shown}，正合您的要求"),
    },
}
"""What is made of something, in a size or for somebody is said so."""


def wordings(fact: Fact, language: str) -> tuple[str, ...]:
    """Returns the templates of a fact: of its attribute where that has some, else of its code."""
    if fact.code == "attribute_match":
        key = fact.source.partition(".")[2]
        if key in _OF_ATTRIBUTE[language]:
            return _OF_ATTRIBUTE[language][key]
    if fact.code == "price_in_category" and len(set(fact.value.split(" "))) == 1:
        return _OF_ALL[language]
    return TEMPLATES[language][fact.code]
