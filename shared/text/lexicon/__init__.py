"""Lexicon: the shop's words in Chinese and English, with one canonical English value for each.

What a shopper calls 藏青 and a supplier "navy blue" is "navy" to every service, so that a filter, a
feature and a reason speak of the same value. The data are plain text files in `data/`.
"""

from shared.text.lexicon.kinds import LexiconKind
from shared.text.lexicon.lookup import Mention, canonical, find_mentions, forms

__all__ = ["LexiconKind", "Mention", "canonical", "find_mentions", "forms"]
