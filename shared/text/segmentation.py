"""The two untyped libraries of text analysis, each behind one typed function."""

import logging
import threading
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol, cast

import Stemmer

with warnings.catch_warnings():
    # jieba 0.42 has invalid escapes and imports pkg_resources; both warn on import.
    warnings.simplefilter("ignore")
    import jieba

jieba.setLogLevel(logging.WARNING)  # pyright: ignore[reportUnknownMemberType] # untyped; it prints at start


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 # the library's name


class _Tokenize(Protocol):
    def __call__(self, text: str, *, mode: str) -> Iterable[tuple[str, int, int]]: ...


_tokenize = cast("_Tokenize", jieba.tokenize)  # pyright: ignore[reportUnknownMemberType] # untyped
_of_thread = threading.local()


@lru_cache(maxsize=65_536)
def stem_english(word: str) -> str:
    """Returns the stem of a folded English word by Snowball's English ("Porter 2") algorithm."""
    # Stemmer objects are not safe to share between threads.
    stemmer: _Stemmer | None = getattr(_of_thread, "stemmer", None)
    if stemmer is None:
        stemmer = _of_thread.stemmer = cast(
            "_Stemmer",
            Stemmer.Stemmer("english", 0),  # pyright: ignore[reportUnknownMemberType] # untyped
        )
    return stemmer.stemWord(word)


def cut_han(run: str) -> list[tuple[str, int, int]]:
    """Cuts a run of Han characters into words (word, start, end), words inside words included.

    The first call loads jieba's dictionary, which takes about a second. In order of the starts,
    longest first at one start.
    """
    return sorted(_tokenize(run, mode="search"), key=lambda item: (item[1], -item[2]))


def cut_words(text: str) -> list[tuple[str, int, int]]:
    """Cuts a text into words (word, start, end) that follow one another without overlap.

    Words outside the dictionary are guessed by jieba's hidden Markov model. The first call loads
    the dictionary, which takes about a second.
    """
    return list(_tokenize(text, mode="default"))
