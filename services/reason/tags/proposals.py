"""Phrases that products of a category share and no term has: proposals, never tags.

How far a phrase marks its category is the log-likelihood ratio of Dunning, "Accurate methods for
the statistics of surprise and coincidence", Computational Linguistics 1993.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.reason.tags.features import Spot
from services.reason.tags.passages import Evidence, Passage, quote
from services.reason.tags.vocabulary import Path, Vocabulary
from shared.text.analysis import Term, analyse, is_number
from shared.text.lexicon import LexiconKind, find_mentions
from shared.text.lexicon.matcher import phrase_key, plurals
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

EXAMPLES: Final = 3
DEFAULT_PROPOSALS: Final = 50
_LONGEST: Final = 3
_SHORTEST_WORD: Final = 2
_SURPRISING: Final = 10.83
"""Ratio that chance exceeds once in a thousand (chi-squared of one degree of freedom)."""
_JUDGED: Final = 10
_COMMON: Final = 0.5
"""In a category of so many products, a phrase of more than this share of them is no term: it says
what they all are, or is a label of the shop's template."""
_LABEL: Final = re.compile(r"\s?[:：]")
_WORD: Final = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|[^\w\s]")
_NEAR: Final = 24
"""Code points beside a phrase that are looked at for the next word."""
_KNOWN_KINDS: Final = (LexiconKind.BRAND, LexiconKind.PRODUCT_TYPE)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A phrase for a person to decide on.

    Attributes:
        phrase: Folded.
        path: Category.
        products: Of the category that hold it.
        strength: Log-likelihood ratio; 0 without another category to compare with.
        examples: Product and words, of different products.
    """

    phrase: str
    path: Path
    products: int
    strength: float
    examples: tuple[tuple[str, Evidence], ...]


@dataclass(slots=True)
class _Held:
    groups: set[str] = field(default_factory=set[str])
    around: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    examples: list[tuple[str, Evidence]] = field(default_factory=list[tuple[str, Evidence]])

    @property
    def is_fragment(self) -> bool:
        """Whether it stands between the same two words in many texts, and so is a piece of them.

        "draws" of "belt draws in the waist", in the description of every dress, is no term.
        """
        if len(self.groups) < _JUDGED or len(self.around) != 1:
            return False
        ((before, after),) = self.around
        return before.isalnum() and after.isalnum()


class PhraseCounter:
    """Counts phrases by category; variants of one product, and equal texts, count once.

    Args:
        vocabulary: Its terms are no proposals.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        forms = {phrase_key(form) for term in vocabulary.terms for form in term.forms}
        self._known = forms.union(*map(plurals, forms))
        self._held: dict[Path, dict[str, _Held]] = defaultdict(lambda: defaultdict(_Held))
        self._groups: dict[Path, set[str]] = defaultdict(set)
        self._read: dict[Path, set[str]] = defaultdict(set)

    def add(self, product: Product, passages: Sequence[Passage]) -> None:
        """Counts the phrases of a product's titles and descriptions.

        Args:
            product: Words of its brand and category are no proposals.
            passages: Its texts.
        """
        path, group = tuple(product.category_path), product.variant_group_id or product.id
        if group in self._groups[path]:
            return
        self._groups[path].add(group)
        unwanted = {word for name in (product.brand, *path) for word in phrase_key(name).split()}
        for passage in passages:
            # One description for many sizes and colours counts once.
            if passage.is_review or passage.body in self._read[path]:
                continue
            self._read[path].add(passage.body)
            for phrase, spot in _phrases(passage.body):
                if phrase in self._known or unwanted.intersection(phrase.split()):
                    continue
                held = self._held[path][phrase]
                held.around.add(_around(passage.body, spot))
                if group not in held.groups:
                    held.groups.add(group)
                    if len(held.examples) < EXAMPLES:
                        held.examples.append((product.id, quote(passage, spot.start, spot.end)))

    def proposals(self, least: int, most: int = DEFAULT_PROPOSALS) -> list[Proposal]:
        """Returns the phrases of at least `least` products of a category, most products first.

        With more than one category, a phrase must mark its own: what all products say ("free
        shipping") is no term of any. A phrase within a longer one of as many products is left out.
        """
        totals: Counter[str] = Counter()
        for phrases in self._held.values():
            totals.update({phrase: len(held.groups) for phrase, held in phrases.items()})
        everything = sum(len(groups) for groups in self._groups.values())
        found: list[Proposal] = []
        for path, phrases in self._held.items():
            if not path and len(self._held) > 1:
                continue  # products without a category are none together
            size = len(self._groups[path])
            bound = _SURPRISING if everything > size else 0.0
            of_path: list[Proposal] = []
            for phrase, held in phrases.items():
                count = len(held.groups)
                strength = _ratio(count, size, totals[phrase], everything)
                common = size >= _JUDGED and count > _COMMON * size
                if count >= least and strength >= bound and not common and not held.is_fragment:
                    of_path.append(Proposal(phrase, path, count, strength, tuple(held.examples)))
            found += _longest(of_path)
        found.sort(key=lambda p: (-p.products, -p.strength, p.phrase))
        return found[:most]


def _phrases(body: str) -> Iterator[tuple[str, Spot]]:
    """Runs of one to three words without stop words, numbers, brands and kinds of products."""
    known = [(m.start, m.end) for m in find_mentions(body, _KNOWN_KINDS)]
    for run in _runs(analyse(body), body):
        for size in range(1, _LONGEST + 1):
            for at in range(len(run) - size + 1):
                words = run[at : at + size]
                start, end = words[0].start, words[-1].end
                if any(start < e and s < end for s, e in known) or _LABEL.match(body, end):
                    continue
                phrase = phrase_key(body[start:end])
                if size > 1 or len(phrase) > _SHORTEST_WORD or not phrase.isascii():
                    yield phrase, Spot(0, start, end)


def _around(body: str, spot: Spot) -> tuple[str, str]:
    """The words on either side, folded; single characters of Chinese."""
    before = _WORD.findall(body[max(0, spot.start - _NEAR) : spot.start])
    after = _WORD.findall(body[spot.end : spot.end + _NEAR])
    return (fold(before[-1]) if before else "", fold(after[0]) if after else "")


def _runs(words: Iterable[Term], body: str) -> Iterator[list[Term]]:
    """Words that stand side by side; a stop word, a number or a sign between them ends a run."""
    run: list[Term] = []
    for word in words:
        if run and word.start < run[-1].end:
            continue  # a part of the compound before
        if not word.normalized or is_number(word.normalized) or len(word.text) == 1:
            if run:
                yield run
            run = []
        elif run and body[run[-1].end : word.start].strip(" -"):
            yield run
            run = [word]
        else:
            run.append(word)
    if run:
        yield run


def _longest(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Leaves out phrases that stand in a longer one of as many products."""
    kept: list[Proposal] = []
    for proposal in sorted(proposals, key=lambda p: -len(p.phrase)):
        if not any(
            other.products >= proposal.products and proposal.phrase in other.phrase
            for other in kept
        ):
            kept.append(proposal)
    return kept


def _ratio(here: int, size: int, everywhere: int, total: int) -> float:
    """Dunning's -2 log lambda of a phrase in a category against the rest; 0 where it is rarer."""
    there, rest = everywhere - here, total - size
    if rest <= 0 or here * rest <= there * size:
        return 0.0
    share = everywhere / total
    return 2 * (
        _likelihood(here, size, here / size)
        + _likelihood(there, rest, there / rest)
        - _likelihood(here, size, share)
        - _likelihood(there, rest, share)
    )


def _likelihood(times: int, of: int, share: float) -> float:
    found = times * math.log(share) if times else 0.0
    return found + ((of - times) * math.log1p(-share) if of > times else 0.0)
