"""Writes single reviews: whole sentences chosen by stars, kind of product and opinion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

from shared.catalogue.generate.design import Design
from shared.catalogue.generate.vocabulary import Remark, Vocabulary

Language = Literal["en", "zh"]
GOOD: Final = 4
"""Stars from which a review is a good one."""
_MIXED: Final = 3
_OPENER_RATE: Final = 0.6
_DRAWBACK_RATE: Final = 0.4
_SECOND_FAULT_RATE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Written:
    """A review's text, and the aspects that it praises and faults."""

    text: str
    praised: tuple[str, ...] = ()
    faulted: tuple[str, ...] = ()


@dataclass(slots=True)
class ReviewWriter:
    """Writes the reviews of one product, no sentence twice while there are others."""

    words: Vocabulary
    design: Design
    rng: Random
    used: set[str] = field(default_factory=set[str])

    def write(self, stars: int, language: Language, praise: str, fault: str) -> Written:
        """Write a review.

        Args:
            stars: 1 to 5.
            language: Language of the text.
            praise: Aspect that a good review praises besides; "" for none.
            fault: Aspect that a bad review may fault besides; "" for none.
        """
        if stars >= GOOD:
            return self._good(stars, language, praise)
        if stars == _MIXED:
            return self._mixed(language)
        return self._bad(language, fault)

    def _good(self, stars: int, language: Language, aspect: str) -> Written:
        praise = self._remark(self.design.kind.praise, language)
        parts = [praise.text[language]]
        praised, faulted = [praise.aspect], [""]
        if self.rng.random() < _OPENER_RATE:
            parts.insert(0, self._sentence(self._texts(self.words.openers, "good", language)))
        if aspect and aspect != praise.aspect:
            parts.append(
                self._sentence(self._texts(self.words.aspects, f"{aspect}_good", language))
            )
            praised.append(aspect)
        # Only small things: whoever got a broken one would not give four stars.
        small = [
            fault
            for fault in self.design.kind.faults
            if not fault.aspect and not praise.contradicts(fault)
        ]
        if stars == GOOD and small and self.rng.random() < _DRAWBACK_RATE:
            text = self._remark(tuple(small), language).text[language]
            parts.append(
                f"One drawback: {_lower(text)}" if language == "en" else f"美中不足：{text}"
            )
        return Written(_join(parts, language), _named(praised), _named(faulted))

    def _mixed(self, language: Language) -> Written:
        praise = self._remark(self.design.kind.praise, language)
        others = [fault for fault in self.design.kind.faults if not praise.contradicts(fault)]
        fault = self._remark(tuple(others), language)
        good, bad = praise.text[language], fault.text[language]
        text = f"{good} But {_lower(bad)}" if language == "en" else f"{good}不过{bad}"
        return Written(text, _named([praise.aspect]), _named([fault.aspect]))

    def _bad(self, language: Language, aspect: str) -> Written:
        opener = self._sentence(self._texts(self.words.openers, "bad", language))
        fault = self._remark(self.design.kind.faults, language)
        parts, faulted = [opener, fault.text[language]], [fault.aspect]
        # A second complaint about the same thing would only repeat the first.
        if aspect and aspect != fault.aspect and self.rng.random() < _SECOND_FAULT_RATE:
            parts.append(self._sentence(self._texts(self.words.aspects, f"{aspect}_bad", language)))
            faulted.append(aspect)
        return Written(_join(parts, language), (), _named(faulted))

    def _texts(
        self, texts: Mapping[str, Mapping[str, tuple[str, ...]]], key: str, language: Language
    ) -> tuple[str, ...]:
        """Return the texts of a key, those for consumables where the key has such."""
        special = f"{key}_consumable"
        if self.design.kind.consumable and special in texts:
            return texts[special][language]
        return texts[key][language]

    def _remark(self, remarks: tuple[Remark, ...], language: Language) -> Remark:
        fresh = [remark for remark in remarks if remark.text[language] not in self.used]
        remark = self.rng.choice(fresh or remarks)
        self.used.add(remark.text[language])
        return remark

    def _sentence(self, texts: tuple[str, ...]) -> str:
        """Return one of the texts, its noun and the words that agree with it filled in."""
        text = self.rng.choice([text for text in texts if text not in self.used] or texts)
        self.used.add(text)
        noun, plural = self.design.kind.noun, self.design.kind.plural
        return text.format(
            noun=noun.en,
            zh=noun.zh,
            This="These" if plural else "This",
            this="these" if plural else "this",
            It="They" if plural else "It",
            them="them" if plural else "it",
            s="" if plural else "s",
        )


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _join(parts: list[str], language: Language) -> str:
    return ("" if language == "zh" else " ").join(parts)


def _named(aspects: list[str]) -> tuple[str, ...]:
    return tuple(aspect for aspect in dict.fromkeys(aspects) if aspect)
