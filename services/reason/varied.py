"""Chooses what each product of a page says, so that no sentence stands on it twice.

A reason that would repeat one above it says instead, in this order: what few others of the page
have, in the place of its weakest clause or after it; the same in other words; the same in another
order. What cannot differ by any of these repeats. A product of which nothing is known, or only that
it is in stock, is told by what the catalogue states of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import islice, permutations, product
from typing import Final, NamedTuple

from services.reason.clauses import say_variant, usual_variant, variants
from services.reason.facts import Claim, Fact
from services.reason.generate import compose
from services.reason.own import is_telling

MAX_TRIES: Final = 64
"""Sentences of one product that are tried before it repeats another."""
MAX_OWN: Final = 2
"""Facts that nobody asked for which may stand where nothing else does."""
LITTLE: Final = frozenset({"in_stock"})
"""Codes that say too little to stand alone."""
_UNTRIED: Final = Claim("", "", ())
_Wording = tuple[Fact, int]
"""A fact, and which of its variants says it."""


class Sayable(NamedTuple):
    """What may be said of one product.

    Attributes:
        product_id: Its id.
        planned: Facts that speak for it, strongest first.
        holds: Whether a claim stands.
    """

    product_id: str
    planned: Sequence[Fact]
    holds: Callable[[Claim], bool]


class PageWords:
    """What a page has said so far.

    Args:
        language: Of the page.
        most: Clauses that a reason may have.
        page: Its products.
        own: What the catalogue states of a product besides, by its place on the page; asked for
            where others say the same.
    """

    def __init__(
        self,
        language: str,
        most: int,
        page: Sequence[Sayable],
        own: Callable[[int], Sequence[Fact]],
    ) -> None:
        self.language, self.most = language, most
        self._page, self._find_own = page, own
        self._texts: set[str] = set()
        self._variants: Counter[tuple[str, int]] = Counter()

    def say(self, index: int) -> tuple[str, list[Claim]]:
        """Returns the sentence of a product and its claims; "" where none stands."""
        speaker = _Speaker(index, self._page[index], self)
        usual = speaker.usual()
        wording: Sequence[_Wording] = usual
        text, claims = speaker.sentence(usual)
        if text in self._texts:
            for other in islice(speaker.tries(usual), MAX_TRIES):
                said = speaker.sentence(other)
                if said[0] not in self._texts:
                    wording, (text, claims) = other, said
                    break
            else:
                if speaker.says_little:
                    # That it is blue, as is its neighbour, is no reason.
                    wording, text, claims = [], "", []
        if text:
            self._texts.add(text)
        self._variants.update((fact.code, variant) for fact, variant in wording)
        return text, claims

    @cached_property
    def own(self) -> Sequence[Sequence[Fact]]:
        """What the catalogue states of each product besides."""
        return [self._find_own(index) for index in range(len(self._page))]

    @cached_property
    def shared(self) -> Counter[tuple[str, str, str]]:
        """Products of the page that a fact could be said of."""
        planned = (sayable.planned for sayable in self._page)
        return Counter(_content(fact) for facts in (*planned, *self.own) for fact in facts)

    def next_variant(self, fact: Fact, product_id: str) -> int:
        """Returns the variant that the page has used least; the usual one among equals."""
        count = variants(fact, self.language)
        if count == 1:
            return 0
        usual = usual_variant(fact, product_id, count)
        if not self._variants[fact.code, usual]:
            return usual
        turns = [(usual + step) % count for step in range(count)]
        return min(turns, key=lambda variant: self._variants[fact.code, variant])


class _Speaker:
    """Says one product's facts; each claim is verified once."""

    def __init__(self, index: int, sayable: Sayable, page: PageWords) -> None:
        self._index, self._sayable, self._page = index, sayable, page
        self._claims: dict[_Wording, Claim | None] = {}
        self._choice: dict[Fact, int] = {}
        self.says_little = False

    def usual(self) -> list[_Wording]:
        """The strongest facts that stand; what the catalogue states where these say little."""
        found: list[_Wording] = []
        for fact in self._sayable.planned:
            if len(found) == self._page.most:
                break
            if self._stands(worded := self._worded(fact)):
                found.append(worded)
        self.says_little = all(fact.code in LITTLE for fact, _ in found)
        return [*self._stated(), *found][: self._page.most] if self.says_little else found

    def _stated(self) -> list[_Wording]:
        """What tells the product best of what shoppers know the name of."""
        own = sorted(filter(is_telling, self._page.own[self._index]), key=self._common)
        worded = map(self._worded, own)
        return list(islice(filter(self._stands, worded), MAX_OWN))

    def tries(self, usual: Sequence[_Wording]) -> Iterator[Sequence[_Wording]]:
        """Yields other ways to say it, the best first."""
        said = [fact for fact, _ in usual]
        spare = [fact for fact in self._sayable.planned if fact not in said]
        # A product that others equal in all that was asked is told from them by what it has alone.
        spare.sort(key=lambda fact: (self._common(fact), -fact.strength))
        own = [fact for fact in self._page.own[self._index] if fact not in said]
        own.sort(key=self._common)
        room = len(usual) < self._page.most
        kept = usual if room else usual[:-1]
        if kept:
            for fact in (*spare, *own):
                if self._stands(worded := self._worded(fact)):
                    yield [*kept, worded]
        yield from self._reworded(usual)
        if len(kept) > 1:
            for first in (*spare, *own):
                if self._stands(worded := self._worded(first)):
                    yield from self._reworded([*kept, worded])
                    break
        yield from permutations(usual)
        if not kept:
            yield from ([worded] for fact in spare if self._stands(worded := self._worded(fact)))

    def sentence(self, wording: Sequence[_Wording]) -> tuple[str, list[Claim]]:
        """Joins clauses that stand."""
        claims = [found for worded in wording if (found := self._claim(worded)) is not None]
        return compose(claims, self._page.language)

    def _reworded(self, wording: Sequence[_Wording]) -> Iterator[Sequence[_Wording]]:
        counts = [range(variants(fact, self._page.language)) for fact, _ in wording]
        for chosen in product(*counts):
            others = [(fact, variant) for (fact, _), variant in zip(wording, chosen, strict=True)]
            if all(self._stands(other) for other in others):
                yield others

    def _common(self, fact: Fact) -> int:
        return self._page.shared[_content(fact)]

    def _worded(self, fact: Fact) -> _Wording:
        if (variant := self._choice.get(fact)) is None:
            variant = self._page.next_variant(fact, self._sayable.product_id)
            self._choice[fact] = variant
        return fact, variant

    def _stands(self, worded: _Wording) -> bool:
        return self._claim(worded) is not None

    def _claim(self, worded: _Wording) -> Claim | None:
        if (known := self._claims.get(worded, _UNTRIED)) is not _UNTRIED:
            return known
        written = _written(*worded, self._page.language)
        self._claims[worded] = stands = written if self._sayable.holds(written) else None
        return stands


@lru_cache(maxsize=16_384)
def _written(fact: Fact, variant: int, language: str) -> Claim:
    """The same is said of a product in every search."""
    return Claim(say_variant(fact, language, variant), fact.code, (fact,))


def _content(fact: Fact) -> tuple[str, str, str]:
    return fact.code, fact.source, fact.value
