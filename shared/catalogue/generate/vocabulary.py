"""The words and numbers that the generator draws from, read from TOML files."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from shared.catalogue.slugs import CATEGORY_SLUGS


class Pair(NamedTuple):
    """A text in English and in Chinese."""

    en: str
    zh: str


class Material(NamedTuple):
    """A material's names, and how much dearer than its like a product made of it is."""

    en: str
    zh: str
    price_factor: float


class Style(NamedTuple):
    """How a design looks or what it is for, as it stands before the noun."""

    en: str
    zh: str
    names_kind: bool
    """It belongs to the noun ("school backpack"), so that the material stands before it."""


class Feature(NamedTuple):
    """What sets a design apart: a phrase for its title and a sentence for its description."""

    title: Pair
    sentence: Pair
    flag: str
    """Key of an attribute that it makes true; empty for none."""


class Remark(NamedTuple):
    """What a review may say; whole sentences."""

    aspect: str
    """Aspect of `Opinion`; empty when it counts for none."""
    topic: str
    """What it is about where another remark says the contrary; empty otherwise."""
    text: Mapping[str, str]
    """By language."""

    def contradicts(self, other: "Remark") -> bool:
        """Whether nobody would say this in praise and `other` as a fault in one breath."""
        same_aspect = bool(self.aspect) and self.aspect == other.aspect
        return same_aspect or (bool(self.topic) and self.topic == other.topic)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number attribute."""

    unit: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ProductType:
    """A kind of product; see the vocabulary's README for what each field does."""

    name: str
    path: tuple[str, ...]
    noun: Pair
    count: int
    price: float
    spread: float
    elasticity: float
    styles: tuple[Style, ...]
    features: tuple[Feature, ...]
    intros: tuple[Pair, ...]
    praise: tuple[Remark, ...]
    faults: tuple[Remark, ...]
    lead: Pair
    measure: Pair
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    sizes: tuple[str, ...]
    audience: str
    numbers: Mapping[str, Measure]
    vary: str
    flags: Mapping[str, bool]
    tags: tuple[str, ...]
    gift: float
    gift_words: str
    """Which gift sentences it has."""
    plural: bool
    consumable: bool
    """It is used up, so nobody speaks of how well it lasts."""
    model: str


@dataclass(frozen=True, slots=True)
class Category:
    """A top category with its brands and kinds of product."""

    slug: str
    name: str
    brands: tuple[Pair, ...]
    types: tuple[ProductType, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words; colours (their Chinese names) and materials are keyed by canonical values."""

    categories: tuple[Category, ...]
    colours: Mapping[str, str]
    materials: Mapping[str, Material]
    measures: Mapping[str, Pair]
    gift_sentences: Mapping[str, tuple[Pair, ...]]
    openers: Mapping[str, Mapping[str, tuple[str, ...]]]
    aspects: Mapping[str, Mapping[str, tuple[str, ...]]]


def read_vocabulary() -> Vocabulary:
    """Read the package's vocabulary.

    Raises:
        ValueError: A file breaks the form.
    """
    common = _read("common")
    return Vocabulary(
        categories=tuple(_category(slug, _read(slug)) for slug in CATEGORY_SLUGS),
        colours=common["colours"],
        materials={key: _material(text) for key, text in common["materials"].items()},
        measures={key: _pair(text) for key, text in common["measures"].items()},
        gift_sentences={key: _pairs(texts) for key, texts in common["gifts"].items()},
        openers={key: _by_language(texts) for key, texts in common["openers"].items()},
        aspects={key: _by_language(texts) for key, texts in common["aspects"].items()},
    )


def _read(name: str) -> dict[str, Any]:
    path = files("shared.catalogue").joinpath(f"data/vocabulary/{name}.toml")
    return tomllib.loads(path.read_text("utf-8"))


def _category(slug: str, data: dict[str, Any]) -> Category:
    return Category(
        slug=slug,
        name=data["category"],
        brands=_pairs(data["brands"]),
        types=tuple(_type(row, data) for row in data["type"]),
    )


def _type(row: dict[str, Any], category: dict[str, Any]) -> ProductType:
    try:
        remarks = category["remarks"][row.get("remarks", "default")]
        return ProductType(
            name=row["name"],
            path=(category["category"], *row["path"]),
            noun=_pair(row["noun"]),
            count=row["n"],
            price=row["price"],
            spread=row.get("spread", 0.35),
            elasticity=row.get("elasticity", 0.5),
            styles=tuple(_style(text) for text in row["styles"]),
            features=tuple(_feature(text) for text in row["features"]),
            intros=_pairs(row["intros"]),
            praise=_remarks([*row.get("praise", []), *remarks["praise"]]),
            faults=_remarks([*row.get("faults", []), *remarks["faults"]]),
            lead=_pair(row.get("lead", "|")),
            measure=_pair(row.get("measure", "|")),
            colours=tuple(row.get("colours", ())),
            materials=tuple(row.get("materials", ())),
            sizes=tuple(row.get("sizes", ())),
            audience=row.get("audience", ""),
            numbers={
                key: Measure(unit, tuple(values))
                for key, (unit, *values) in row.get("numbers", {}).items()
            },
            vary=row.get("vary", ""),
            flags=row.get("flags", {}),
            tags=tuple(row.get("tags", ())),
            gift=row.get("gift", 0.0),
            gift_words=row.get("gift_words") or row.get("audience") or "anyone",
            plural=row.get("plural", False),
            consumable=row.get("consumable", False),
            model=row.get("model", ""),
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"vocabulary of {row.get('name')!r}: {error}") from error


def _pair(text: str) -> Pair:
    en, zh = text.split("|")
    return Pair(en, zh)


def _material(text: str) -> Material:
    en, zh, *factor = text.split("|")
    return Material(en, zh, float(factor[0]) if factor else 1.0)


def _style(text: str) -> Style:
    en, zh = _pair(text.removeprefix("~"))
    return Style(en, zh, names_kind=text.startswith("~"))


def _pairs(texts: Sequence[str]) -> tuple[Pair, ...]:
    return tuple(_pair(text) for text in texts)


def _feature(text: str) -> Feature:
    title_en, title_zh, en, zh, *flag = text.split("|")
    return Feature(Pair(title_en, title_zh), Pair(en, zh), *(flag or [""]))


def _remarks(texts: Sequence[str]) -> tuple[Remark, ...]:
    remarks: list[Remark] = []
    for text in texts:
        code, en, zh = text.split("|")
        aspect, _, topic = code.partition("@")
        remarks.append(Remark(aspect, topic, {"en": en, "zh": zh}))
    return tuple(remarks)


def _by_language(texts: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {language: tuple(values) for language, values in texts.items()}
