"""Products as labelled facts: what a shopper may say of each, with the text that search embeds."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from services.nlu.train.english_phrases import PhraseBook
from services.nlu.train.english_words import read_shops
from services.nlu.train.rows import read_rows
from shared.catalogue import bundled_catalogue_path, icecat, luma, read_catalogue
from shared.text.document import embedding_text
from shared.text.lexicon import LexiconKind
from shared.text.lexicon.kinds import read_entries
from wherefore.common.v1.product_pb2 import Product

_TEXT_KEYS: Final = ("id", "title", "name", "supplier", "short_description", "attr_t_product_type")
_ATTRIBUTE_KEYS: Final = (
    "attr_t_connectivity_technology",
    "attr_t_print_technology",
    "attr_t_movement_detection_technology",
    "attr_t_battery_technology",
    "attr_t_device_interface",
    "attr_t_headphone_connectivity",
    "attr_t_headphone_wearing_style",
    "attr_t_connector_1",
    "attr_t_hdd_interface",
    "attr_t_finish_type",
)
_MIN_SEEN: Final = 3
"""Products that must bear a kind of thing before it counts as one."""
_MAX_WORDS: Final = 4
_MODEL: Final = re.compile(r"(?=[^ ]*\d)[A-Za-z0-9][A-Za-z0-9./+-]{2,17}")
_MEASURE: Final = re.compile(
    r"(?<![\w.])\d+(?:\.\d+)?"
    r"(?: ?(?:GB|TB|MB|mm|cm|m|W|MHz|GHz|DPI|VA|mAh|ft|ml|sheets|pages)(?!\w)|\")"
)
_LOWER_RUN: Final = re.compile(r"[a-z][a-z&' -]*[a-z](?=$| )")
_BELONGS: Final = re.compile(
    r" (?:case|cover|bag|mount|stand|kit|accessory|part|battery|charger|cable|adapter|holder|lamp"
    r"|lens|filter|rack|box|tray|drawer|module|card|software|strap)(?![a-z])",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(r"[a-z][a-z0-9 .-]{2,21}")
_NO_KIND: Final = frozenset({"with", "not categorized", "portable", "other", "for", "and", "set"})


@dataclass(frozen=True, slots=True)
class Good:
    """One product.

    Attributes:
        key: Source and id, unique.
        text: What search embeds (see `shared.text.document.embedding_text`).
        facts: (words, entity type), at most a few of each type; words as a shopper types them.
    """

    key: str
    title: str
    text: str
    facts: tuple[tuple[str, str], ...]

    def words(self, label: str) -> list[str]:
        """Returns the facts of one entity type."""
        return [text for text, kind in self.facts if kind == label]

    @property
    def kind(self) -> str:
        """What kind of thing it is, or ""."""
        return next(iter(self.words("PRODUCT_TYPE")), "")


def listed_kinds() -> list[str]:
    """Returns the kinds of things that the lists of this package and the lexicon know."""
    known = [kind for shop in read_shops() for kind in shop.words["type"]]
    known.extend(
        entry.form
        for entry in read_entries(LexiconKind.PRODUCT_TYPE)
        if entry.form.isascii() and not entry.whole_only
    )
    return list(dict.fromkeys(known))


@lru_cache(maxsize=2)
def read_goods(data: Path) -> tuple[Good, ...]:
    """Returns the products of all English catalogues.

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: A catalogue is missing.
    """
    rows = list(read_rows(data / "icecat" / "products.jsonl.gz"))
    names = dict.fromkeys([*listed_kinds(), *_kinds_of_titles(rows)])
    kinds = PhraseBook(((name, name) for name in names), with_plurals=True)
    goods = [_from_icecat(row, kinds) for row in rows]
    for source, products in (
        ("luma", (row.product for row in luma.read(data / "luma"))),
        ("bundled", (row.product for row in read_catalogue(bundled_catalogue_path(), "jsonl"))),
    ):
        goods.extend(
            _from_product(source, item, kinds) for item in products if item and _whole(item)
        )
    return tuple(goods)


def _kinds_of_titles(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Icecat's titles name the kind in lower case behind maker and model."""
    seen: Counter[str] = Counter()
    for row in rows:
        rest = _after_names(row)
        if found := _LOWER_RUN.match(rest):
            kind = found[0]
            if len(kind.split()) <= _MAX_WORDS and kind not in _NO_KIND and "access" not in kind:
                seen[kind] += 1
    return [kind for kind, count in seen.most_common() if count >= _MIN_SEEN]


def _after_names(row: Mapping[str, Any]) -> str:
    rest = str(row.get("title", "")).removeprefix(str(row.get("supplier", ""))).strip()
    name = str(row.get("name", ""))
    return rest[rest.find(name) + len(name) :].strip() if name and name in rest else rest


def _from_icecat(row: Mapping[str, Any], kinds: PhraseBook) -> Good:
    product = icecat.to_product({key: row[key] for key in _TEXT_KEYS if key in row})
    title = product.titles["en"]
    facts: list[tuple[str, str]] = []
    if product.brand:
        facts.append((product.brand.lower(), "BRAND"))
    name = str(row.get("name", ""))
    if _MODEL.fullmatch(name):
        facts.append((name.lower(), "MODEL"))
    # "1 pc(s)" is no PC.
    title = title.replace("pc(s)", "")
    rest = _after_names(row).replace("pc(s)", "")
    for place in (rest, title):
        if found := kinds.find(place):
            first = found[0]
            # "portable game console case" is none of the consoles.
            more = _BELONGS.match(place, first.end)
            kind = place[first.start : more.end()].lower() if more else first.value
            facts.append((kind, "PRODUCT_TYPE"))
            break
    facts.extend(_values(row, ("attr_t_product_colour", "attr_t_cable_colour"), "COLOUR", 2))
    facts.extend(_values(row, ("attr_t_material", "attr_t_housing_material"), "MATERIAL", 1))
    facts.extend(_values(row, _ATTRIBUTE_KEYS, "ATTRIBUTE", 3))
    for size in _MEASURE.findall(title)[:3]:
        facts.append((size.lower(), "SIZE"))
    return Good(f"icecat/{product.id}", product.titles["en"], embedding_text(product), tuple(facts))


def _values(
    row: Mapping[str, Any], keys: Sequence[str], label: str, count: int
) -> Iterator[tuple[str, str]]:
    """Short values alone: sentences and lists of part numbers are nothing that shoppers type."""
    left = count
    for key in keys:
        for value in str(row.get(key, "")).split(","):
            word = " ".join(value.split()).lower()
            if left and _VALUE.fullmatch(word):
                left -= 1
                yield word, label


def _whole(product: Product) -> bool:
    """A product itself, not one size and colour of it."""
    return "en" in product.titles and not re.search(r"-[A-Z0-9]+-[A-Z]", product.titles["en"])


_FEATURES: Final = re.compile(r" with | for | that | in |, | \(")
_FACTS: Final = {
    "product_type": "PRODUCT_TYPE",
    "colour": "COLOUR",
    "material": "MATERIAL",
    "audience": "AUDIENCE",
    "pattern": "ATTRIBUTE",
    "activity": "OCCASION",
    "model": "MODEL",
}


def _from_product(source: str, product: Product, kinds: PhraseBook) -> Good:
    title = " ".join(product.titles["en"].split())
    facts: list[tuple[str, str]] = [(product.brand.lower(), "BRAND")] if product.brand else []
    # The head of an English title stands last before its features.
    head = _FEATURES.split(title, maxsplit=1)[0]
    found = [match.value for match in kinds.find(head)][-1:]
    for category in product.category_path[-1:] if not found else ():
        found = [match.value for match in kinds.find(category)][:1]
    facts.extend((kind, "PRODUCT_TYPE") for kind in found)
    for key, label in _FACTS.items():
        if key in product.attributes and not (label == "PRODUCT_TYPE" and found):
            facts.extend(
                (text.lower().replace("&trade;", ""), label)
                for text in product.attributes[key].texts[:2]
            )
    if source == "luma" and product.category_path[:1] and product.category_path[0] in _PEOPLE:
        facts.append((product.category_path[0].lower(), "AUDIENCE"))
    return Good(f"{source}/{product.id}", title, embedding_text(product), tuple(facts))


_PEOPLE: Final = ("Men", "Women")
