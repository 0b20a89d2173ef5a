"""Answers that are kept: by their whole key, for a while, made once for all who ask at a time."""

from shared.cache.keys import Scope, cache_key
from shared.cache.layered import Found, LayeredCache, Made
from shared.cache.second_level import SecondLevel

__all__ = ["Found", "LayeredCache", "Made", "Scope", "SecondLevel", "cache_key"]
