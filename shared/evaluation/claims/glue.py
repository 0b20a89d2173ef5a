"""Words that claim nothing about a product: the mortar of sentences, by their stems.

A word belongs here only when no shopper could be misled by it. What can be true or false (soft,
light, popular, in stock) does not: it is checked or it is unsupported.
"""

from typing import Final

from shared.text.analysis import terms
from shared.text.stop_words import STOP_WORDS

_ENGLISH: Final = """
ask asked asking search searched searching named name names want wanted look looked looking for
kind brand title titled colour color made make makes maker comes come has have priced price cost
costs sells now at within limit budget set stays stay keeps keep under well right exactly just what
you your wish request need needs matches match matching meets meet fits fit suits suit also too
plus reviews review reviewers rated rating ratings stars star average averages out buyers customers
shoppers people bought buy together viewed view because since recently last past days day
today ago here page results result options among this choice pick product item one list off below
middle median above lowest praise praised call find found good gift value money quality reputation
goes go with it same from by as in of to and while its their see seen chose choose again time times
sold stock available released release both listed shows show given gives so that exceed
exceeding over beyond against compared than say says said mention mentions mentioned
ruled wanted avoid prices before something purchase them which we picked chosen because follows
following on get gets holds across mention point them section belongs filed listed carry carries
shop average averages sized material occasion occasions part kind title mean meant means
meaning scoring stand stands
"""
_CHINESE: Final = """
您 要求 符合 正合 正是 正好 属于 品牌 标题 标题中 含 有 售价 价格 只要 仅
仅需 以内 之内 超过 不超过 低于 比 本页 款 其余 各 各款 中位 价 中位价
低 高 高于 原价 较 优惠 条 评价 评论 平均 分 评分 相关 称赞 说 其中 天 内
天内 近 卖出 售出 售 件 现货 上市 前 因为 看过 买过 位 顾客 一起 购买 同时
买 它 适用 于 适用于 适配 可 可与 搭配 您的 过 次 上 一次 上一次 今天 来自
看 同属 属 搜索 需求 需要 预算 想要 要找 找 所 所需 是 为 款式 颜色 材质 商品
这款 这 本 产品 就是 选 选择 满足 匹配 对应 刚好 控制 之 用户 买家 人 大家
认为 提到 给出 获 获得 得到 达 达到 元 而且 并且 另外 还 也 又 且 与 和
好评 推荐 其 在 里 中 同 类 性价比 质量 口碑 礼物 送礼 做 名称 搜
搜的 写明 标明 标注 注明 不是
卖 只卖 标价 它卖 现价 现在 目前 正在 优惠 基础上 幅度 有货 店里 库存 均分 给出的 收到 共 出自 点名
指定 正合您意 和 相同 您意 意 品类 相符 要 在找 您要 找的 您找 采用 用的 避开 想避开 不要 类目
浏览过 浏览 逛过 看了 也看了 看过 也被 被 位 买了 已经 上回 上次 次 所以 这里 出现在 出现 根据 按照
挑选 之前 先 之前看过 能用 用在 上 能 配 配它 使用 用它 可以 可配 上面 配套 彼此 夸 夸它 认可
受到 说到
合适 适合 送人 这么 买走 被买走 时间 时间是 来自 对应 里 就 就有 写着 带 带有 写在 中就 您搜 就是
正好 符合
里有 说合适 用于 场合 人群 适用人群 尺码 尺寸 规格 具备 有您 商品的 给您 推荐给您 的 间 面料 给了
预算以内
不超过预算 设 定 给 您设 您定 您给 搜索的 意思 要找的 接近 相近
"""

GLUE: Final = (
    frozenset(_ENGLISH.split())
    | frozenset(terms(_ENGLISH))
    | frozenset(_CHINESE.split())
    | STOP_WORDS
)
"""As written, and as stems."""
