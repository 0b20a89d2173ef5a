"""Words that carry no meaning for search. Short lists: in a shop "off" and "plus" can matter."""

from typing import Final

_ENGLISH = """
a an the and or of for with without to in on at by from as is are was were be been it its this that
these those i me my we our you your he she they their do does did has have had can could will would
should what which who where when how why not no than then so if but there here please show find want
need looking some any
"""

_CHINESE = """
的 了 和 与 及 或 是 在 有 我 你 他 她 它 我们 你们 这 那 这个 那个
这些 那些 一个 一款 一种 吗 呢 吧 啊 呀 哦 请 请问 想 想要 要 想买 买 找 帮
帮我 给 给我 我要 什么 哪些 哪个 怎么 多少 适合 用 用的 以及 并 而 但 也 就 都 被
把 对 从 到 等 之 其 个 款
"""

STOP_WORDS: Final = frozenset(_ENGLISH.split()) | frozenset(_CHINESE.split())
