"""What a classifier reads of examples, read once for all the fits that compare settings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.reason.classify.features import Text, frequency, occurrences
from services.reason.classify.meaning import text_of
from services.reason.classify.train.examples import Example, variants


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a product may come in.

    Attributes:
        counts: Feature -> its damped frequency.
        english: What its vector is made of; empty for none.
    """

    counts: Mapping[str, float]
    english: str


@dataclass(frozen=True, slots=True)
class Read:
    """An example with its forms, the whole first."""

    example: Example
    forms: Sequence[Form]


def read(examples: Iterable[Example]) -> list[Read]:
    """Returns the examples with all their forms."""
    return [
        Read(example, [form_of(texts) for texts in variants(example.texts)]) for example in examples
    ]


def form_of(texts: Sequence[Text]) -> Form:
    """Returns what is read of texts."""
    found = occurrences(texts)
    return Form({name: frequency(places) for name, places in found.items()}, text_of(texts))


def once(found: Iterable[Read]) -> list[Read]:
    """Returns the first of each product's variants: counted apart, one product would be many."""
    groups: dict[str, Read] = {}
    for each in found:
        groups.setdefault(each.example.group, each)
    return list(groups.values())


def groups_of(found: Iterable[Read]) -> set[str]:
    """Returns the products, variants as one."""
    return {each.example.group for each in found}
